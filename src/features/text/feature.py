"""Write a text over the image: letters, outline, box and shadow become one overlay."""

from __future__ import annotations

import math

import pyvips

from features.text.letters import MIN_SIZE, Letters, set_text
from features.text.parameters import Text
from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import TooLarge
from imaging.ops.alpha import premultiplied
from imaging.ops.layers import Image, cast_shadow, paint
from imaging.ops.rounded import rounded_rectangle_mask
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_MAX_PIXELS = 16_000_000
"""The largest area that a text may have."""
_MAX_SIZE = 2_000
_LETTER = 0.7
"""Area of an average letter, as a share of the square of its size."""


def _measures(requested: Text, room: tuple[int, int]) -> tuple[float, int, int | None]:
    """Return the size of the letters, the width of the lines, and the height that the text may have, in pixels."""
    size = min(float(_MAX_SIZE), max(MIN_SIZE, requested.size.exactly(room[0])))
    inset = 2 * requested.padding.of(room[0])
    width = requested.width.of(room[0]) if requested.width else round(room[0] * 0.9)
    height = requested.height.of(room[1]) if requested.height else None
    return size, max(1, width - inset), max(1, height - inset) if height is not None else None


def _estimate_area(requested: Text, room: tuple[int, int]) -> float:
    """Return the upper estimate of the pixels of a text, before it is set."""
    size, width, _ = _measures(requested, room)
    line = size * 1.3 * requested.line_height
    lines = len(requested.text) * size * _LETTER / width + requested.text.count("\n") + 1
    return lines * line * max(width, size)


def _cost(requested: Text, shape: Shape) -> Cost:
    """Estimate the cost: composing, which grows with the image, and drawing, which grows with the text."""
    area = min(_estimate_area(requested, shape.size), float(_MAX_PIXELS))
    effort = 1e-8 + (7e-10 * (2 * requested.stroke_width + 1) ** 2 if requested.stroke else 0.0)
    return Cost(0.004, 1, base_seconds=0.02 + area * effort, base_memory=int(area * 8))


@feature(
    Text,
    group="overlay",
    cost=_cost,
)
def text(picture: Picture, requested: Text, context: Context) -> Picture:
    room = (picture.width, picture.height)
    if _estimate_area(requested, room) > _MAX_PIXELS:
        raise TooLarge(f"a text may cover {_MAX_PIXELS // 1_000_000} megapixels, this one would cover more")
    context.deadline.check()
    size, width, height = _measures(requested, room)
    letters = set_text(requested, size, width, height)
    if requested.tight:
        letters = letters._replace(top=0, box=(letters.image.width, letters.image.height))
    label, margin = _draw(letters, requested, room)
    with watched(label, context.deadline):
        label = label.copy_memory()
    box = (label.width - 2 * margin, label.height - 2 * margin)
    if requested.tile:
        label, left, top = _tile(label, requested, room), 0, 0
    else:
        left, top = (start - margin for start in requested.position.place(room, box))
        left, top = left + requested.x.of(room[0]), top + requested.y.of(room[1])

    def compose(frame: Image) -> Image:
        both = frame.composite2(label, "over", x=left, y=top)
        return both if frame.hasalpha() else both[: both.bands - 1]

    return picture.each_frame(compose)


def _draw(letters: Letters, requested: Text, room: tuple[int, int]) -> tuple[Image, int]:
    """Return the overlay, and the width of the margin around the box that shadow and outline need."""
    inset = requested.padding.of(room[0])
    outline = math.ceil(requested.stroke_width) if requested.stroke else 0
    spread = (
        max(abs(requested.shadow_x), abs(requested.shadow_y)) + 3 * requested.shadow_blur if requested.shadow else 0
    )
    margin = outline + math.ceil(spread)
    box = (letters.box[0] + 2 * inset, letters.box[1] + 2 * inset)
    canvas = (box[0] + 2 * margin, box[1] + 2 * margin)
    glyphs = letters.image.embed(margin + inset, margin + inset + letters.top, *canvas)
    coverage = glyphs[3] if requested.markup else glyphs
    layers = []
    if requested.stroke:
        coverage = coverage.conv(_disc(requested.stroke_width), precision="float").cast("uchar")
        layers.append(paint(coverage, requested.stroke))
    layers.append(glyphs.copy(interpretation="srgb") if requested.markup else paint(glyphs, requested.color))
    if requested.background:
        radius = min(float(requested.radius.of(room[0])), min(box) / 2)
        shape: Image = rounded_rectangle_mask(box, (radius, radius)) if radius else pyvips.Image.black(*box) + 255
        coverage = shape.cast("uchar").embed(margin, margin, *canvas)
        layers.insert(0, paint(coverage, requested.background))
    if requested.shadow:
        shade = cast_shadow(coverage, (requested.shadow_x, requested.shadow_y), requested.shadow_blur)
        layers.insert(0, paint(shade, requested.shadow))
    label = layers[0]
    for layer in layers[1:]:
        label = label.composite2(layer, "over")
    label = label.linear([1, 1, 1, requested.opacity / 100], [0] * 4, uchar=True)
    if requested.rotate % 360:
        label = premultiplied(label, lambda it: it.similarity(angle=requested.rotate, background=[0] * 4))
    return label, margin


def _disc(radius: float) -> Image:
    """Return a disc with a soft edge as a matrix, which widens a shape by its radius."""
    side = 2 * math.ceil(radius) + 1
    middle = side // 2
    return pyvips.Image.new_from_array(
        [
            [max(0.0, min(1.0, radius + 0.5 - math.hypot(x - middle, y - middle))) for x in range(side)]
            for y in range(side)
        ]
    )


def _tile(label: Image, requested: Text, room: tuple[int, int]) -> Image:
    """Return copies of the label that cover the room, the first one at the position."""
    gap = requested.gap.of(room[0])
    label = label.embed(0, 0, label.width + gap, label.height + gap)
    across, down = math.ceil(room[0] / label.width) + 1, math.ceil(room[1] / label.height) + 1
    left, top = -requested.x.of(room[0]) % label.width, -requested.y.of(room[1]) % label.height
    return label.replicate(across, down).crop(left, top, *room)
