"""Place a cut-out on a canvas, with a shadow, an outline and a background."""

from __future__ import annotations

import math

import pyvips
from msgspec import structs

from features.cutout.effects import Layout, outline_of, shadow_of
from features.cutout.parameters import Cutout
from imaging.context import Context
from imaging.cost import Cost, Shape, Size
from imaging.errors import InvalidParameter
from imaging.ops.alpha import premultiplied
from imaging.ops.backdrop import fill_size, lay_over, load_backdrop, plain_backdrop, render_in_memory
from imaging.ops.geometry import PixelBox, refuse_larger, round_half_up, visible_box
from imaging.ops.softening import gaussian_blur
from imaging.params.types import Length, Position
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_SHARPER = 2
"""How much larger than the canvas the image is decoded, because a subject is smaller than the image around it."""
_SEEN = 512
"""Longer side in pixels of the copy of the image from which the subject is taken out for a blurred background."""
_WIDER = (27.0, 9.0, 3.0, 1.0)
"""Factors of the deviations of blurs, the widest first."""
_FINE = 256.0
_KNOWN = 16.0
"""Level of 255 from which on the share of the surroundings in a blurred pixel is enough to tell their colour."""
_SOFTEST = 2.0
"""Deviation in pixels, on that copy, of the smallest blur."""
_BYTES = 12
"""Bytes per pixel of the image and of the canvas, which are in memory together, and of a shadow."""


def _cost(requested: Cutout, _shape: Shape) -> Cost:
    seconds = 0.03 + 0.05 * (requested.shadow_kind is not None) + 0.07 * (requested.outline is not None)
    return Cost(seconds, _BYTES, base_seconds=0.1 if requested.background_blur is not None else 0.01)


def _preshrink(requested: Cutout, size: Size) -> float | None:
    """Return how far the decoder may reduce the image where the canvas has a size of its own."""
    if not requested.has_canvas:
        return None
    return max(1.0, min(size) / (_SHARPER * max(requested.canvas(size))))


@feature(
    Cutout,
    group="effect",
    cost=_cost,
    adds_alpha=True,
    reads="whole",
    size=lambda requested, size, _overlay: requested.canvas(size),
    overlay_size=lambda _requested, room, _full: room,
    objects=lambda requested: requested.refs,
    preshrink=_preshrink,
    max_preshrink=lambda _requested, _size: math.inf,
    implies=lambda requested: None if requested.use_alpha else ("removeBackground", {}),
)
def cutout(picture: Picture, requested: Cutout, context: Context) -> Picture:
    # Without a canvas of its own, the result keeps the scale at which the image was decoded, with all lengths.
    shrunk = 1.0 if requested.has_canvas else picture.width / picture.full[0]
    size = requested.canvas(picture.full if requested.has_canvas else (picture.width, picture.height))
    refuse_larger("cutout.width", size, picture.frames, context)
    picture = picture.reserve(_BYTES * max(size[0] * size[1], picture.width * picture.height) * picture.frames)
    uncut = picture.uncut
    picture = picture.with_image(render_in_memory(_with_alpha(picture.image)))
    box = visible_box(picture)
    behind = _behind(requested, size, structs.replace(picture, uncut=uncut), context)
    layout = Layout(requested, size, box, shrunk)
    return picture.each_frame(lambda frame: _finished(frame, layout, behind))


def _with_alpha(image: pyvips.Image) -> pyvips.Image:
    image = image.colourspace("srgb") if image.bands < 3 or image.format != "uchar" else image
    return image if image.hasalpha() else image.addalpha().cast("uchar")


def _finished(frame: pyvips.Image, layout: Layout, behind: pyvips.Image | None) -> pyvips.Image:
    """Return a frame with its subject on the canvas, between background, shadow and outline."""
    requested, box = layout.requested, layout.box
    if requested.is_placed:
        frame, box = _placed(frame, layout)
    frame = frame.copy(interpretation="srgb").copy_memory()
    layers = [frame]
    if requested.outline is not None and requested.outline.value:
        layers.insert(0, outline_of(frame[3], box, layout))
    if requested.shadow_kind is not None:
        layers.insert(0, shadow_of(frame[3], box, layout))
    made = layers[0] if len(layers) == 1 else layers[0].composite(layers[1:], "over").cast("uchar")
    return made if behind is None else lay_over(behind, made)


def _placed(frame: pyvips.Image, layout: Layout) -> tuple[pyvips.Image, PixelBox]:
    """Return the canvas with the subject, and where the subject is."""
    requested, size, box = layout.requested, layout.size, layout.box
    margin = min(round(layout.pixels(requested.margin_length, min(size))), (min(size) - 1) // 2)
    room = (size[0] - 2 * margin, size[1] - 2 * margin)
    scale = min(room[0] / box.width, room[1] / box.height) * (requested.scale or 100.0) / 100
    width, height = max(1, round_half_up(box.width * scale)), max(1, round_half_up(box.height * scale))
    across, down = width / box.width, height / box.height
    subject = premultiplied(frame.crop(*box), lambda image: image.resize(across, vscale=down))
    left, top = (requested.position or Position("center")).place(room, (width, height))
    place = PixelBox(left + margin, top + margin, width, height)
    canvas = pyvips.Image.black(*size, bands=4).cast("uchar").copy(interpretation="srgb")
    return canvas.insert(subject, place.left, place.top), place


def _behind(requested: Cutout, size: Size, picture: Picture, context: Context) -> pyvips.Image | None:
    """Return the background in the size of the canvas, if there is one."""
    if requested.color is not None:
        return plain_backdrop(requested.color, size)
    blur = requested.background_blur
    if requested.refs:
        (ref,) = requested.refs
        image = load_backdrop(ref, size, context, "cutout.background", requested.background)
        return image if blur is None else _blurred(image, blur.exactly(min(size)))
    return None if blur is None else _surroundings(picture, blur, size)


def _blurred(image: pyvips.Image, sigma: float) -> pyvips.Image:
    if sigma < 0.3:
        return image
    return render_in_memory(premultiplied(image, lambda it: gaussian_blur(it, sigma, 0.02).cast(it.format)))


def _surroundings(picture: Picture, blur: Length, size: Size) -> pyvips.Image:
    """Return what surrounds the subject in the image, blurred: the subject gives no colour to it.

    Each pixel is the mean of those around it that do not belong to the subject. Where all of them do, those of a
    wider blur take their place, and at last the mean of all.
    """
    if picture.uncut is None:
        raise InvalidParameter(
            "cutout.backgroundBlur", "given right after removeBackground, or with a background", blur
        )
    scale = min(1.0, _SEEN / max(picture.width, picture.height))
    small = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    colours, subject = (
        image.thumbnail_image(small[0], height=small[1], size="force", no_rotate=True)
        for image in (picture.uncut, picture.split()[0][3])
    )
    # The mask is widened a little, because the edge of a subject has a rim in its colour.
    share = 255 - subject.gaussblur(1).linear([3], [0], uchar=True)
    weighted = colours.bandjoin(share.cast("uchar")).copy(interpretation="srgb").premultiply()
    mean = [float(level) for level in weighted.shrink(*small, ceil=True).unpremultiply()(0, 0)[:3]]
    sigma = max(_SOFTEST, blur.exactly(min(size)) * max(small) / max(size))
    made = weighted.new_from_image(mean)
    for wider in _WIDER:
        # Large blurs are rounded to whole numbers, which must not show where little is known.
        soft = gaussian_blur(weighted * _FINE, sigma * wider, 0.02, "float").copy_memory()
        known = soft[3] / (_KNOWN * _FINE)
        known = (known < 1).ifthenelse(known, 1)
        made = (soft.unpremultiply()[:3] - made) * known + made
    return render_in_memory(fill_size(made.rint().cast("uchar").copy(interpretation="srgb"), size))
