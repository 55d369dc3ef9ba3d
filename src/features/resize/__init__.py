"""Resize to a width, a height or both; with only one of them the image keeps its aspect ratio."""

from __future__ import annotations

from typing import NamedTuple

import pyvips
from msgspec.structs import replace

from features.resize.parameters import Resize
from imaging.codecs.decode.color import apply_profile, in_srgb
from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import TooLarge
from imaging.formats import format_by_name
from imaging.ops.alpha import premultiplied
from imaging.ops.geometry import (
    PixelBox,
    Size,
    embed_in_canvas,
    find_crop,
    find_crop_memory,
    refuse_larger,
    round_half_up,
)
from imaging.params.types import CropPosition, Gravity
from imaging.picture import ImageHeader, Picture
from imaging.pipeline.feature import feature

_LONGEST = 1_000_000
"""Longest side in pixels of an image that is scaled and then cropped; libvips itself allows ten times as much."""


class Plan(NamedTuple):
    """The sizes of an image during and after the resize."""

    scaled: Size
    """The size of the whole image after scaling."""
    result: Size
    """The size after cropping or filling."""
    exact: tuple[float, float]
    """The scaled width and height before rounding."""
    dpr: float | None = None
    """The device pixel ratio that counts for later steps, None if the rules have no such ratio."""


def plan(requested: Resize, full: Size) -> Plan:
    """Return the sizes for an image of this size, which are those of sharp or those of imgproxy."""
    if requested.rules == "imgproxy":
        from features.resize.imgproxy_rules import scale_by_rules  # noqa: PLC0415 - other requests do not need them

        return Plan(*scale_by_rules(requested, full))
    width, height = _target(requested, full)
    across, down = _shrinks(requested, full, (width, height))
    scaled = (_scaled_side(full[0], across), _scaled_side(full[1], down))
    result = scaled
    if requested.fit == "cover":
        result = (min(width or scaled[0], scaled[0]), min(height or scaled[1], scaled[1]))
    elif requested.fit == "contain":
        result = (max(width, scaled[0]), max(height, scaled[1]))
    return Plan(scaled, result, (full[0] / across, full[1] / down))


def _scaled_side(side: int, shrink: float) -> int:
    """Return the rounded length of a scaled side, at least 1.

    As in libvips, enlarging multiplies and reducing divides; the two can differ when half a pixel is rounded.
    """
    return max(1, round_half_up(side * (1 / shrink) if shrink < 1 else side / shrink))


def _target(requested: Resize, full: Size) -> Size:
    """Return the width and height to resize to in device pixels; 0 means that the other side decides."""
    width, height = requested.width or 0, requested.height or 0
    if requested.keep:
        width, height = (full[0], height) if requested.keep == "width" else (width, full[1])
    if requested.adaptive and width and height and (full[0] - full[1]) * (width - height) < 0:
        width, height = height, width
    if requested.aspect_ratio:
        width = width or max(1, round_half_up(height * requested.aspect_ratio))
        height = height or max(1, round_half_up(width / requested.aspect_ratio))
    if requested.ratio and not width and not height:
        width, height = full
    factor = requested.dpr * (requested.ratio or 1.0)
    return (width and max(1, round_half_up(width * factor)), height and max(1, round_half_up(height * factor)))


def _shrinks(requested: Resize, full: Size, target: Size) -> tuple[float, float]:
    """Return the factors by which width and height are divided; below 1 they enlarge."""
    across = full[0] / target[0] if target[0] else None
    down = full[1] / target[1] if target[1] else None
    if requested.fit == "fill":
        pair = (across or 1.0, down or 1.0)
    else:
        given = [shrink for shrink in (across, down) if shrink is not None] or [1.0]
        both = min(given) if requested.fit in ("cover", "outside") else max(given)
        pair = (both, both)
    if requested.without_enlargement:
        pair = (max(1.0, pair[0]), max(1.0, pair[1]))
    if requested.without_reduction:
        pair = (min(1.0, pair[0]), min(1.0, pair[1]))
    return (min(pair[0], float(full[0])), min(pair[1], float(full[1])))


def preshrink(requested: Resize, full: Size) -> float:
    """Return the largest factor by which the decoder may reduce the image; below 1, a vector image may be enlarged."""
    scaled = plan(requested, full).scaled
    return min(full[0] / scaled[0], full[1] / scaled[1])


def asks_nothing(requested: Resize) -> bool:
    """Return whether the request gives no size, so that the resize has no effect."""
    has_size = requested.width or requested.height or requested.ratio or requested.keep
    if requested.rules == "sharp":
        return not has_size
    # Without a size, imgproxy's other parameters scale the image itself.
    scales = (
        requested.min_width or requested.min_height or (requested.dpr, requested.zoom_x, requested.zoom_y) != (1, 1, 1)
    )
    return not (has_size or scales)


def for_source(requested: Resize, source: ImageHeader) -> Resize:
    """Return the parameters for an original: by imgproxy's rules a vector image is always drawn in the size."""
    is_drawing = format_by_name(source.format).decoder.scalable
    return replace(requested, without_enlargement=False) if is_drawing and requested.rules == "imgproxy" else requested


def _searched_position(requested: Resize) -> CropPosition | None:
    """Return the strategy by which the part that is kept is searched, None if the pixels do not decide it."""
    if requested.rules == "imgproxy":
        return CropPosition("attention") if requested.anchor and requested.anchor.searches else None
    return requested.position if requested.fit == "cover" and requested.position.searches else None


def keeps(requested: Resize, full: Size) -> bool:
    """Return whether the image has the requested size."""
    planned = plan(requested, full)
    return planned.scaled == planned.result == full


_ENLARGING = {"nearest": 0.003, "linear": 0.012}
"""Seconds for one megapixel of the result; all other kernels use the cubic interpolator."""


def _cost(requested: Resize, shape: Shape) -> Cost:
    full = shape.full or shape.size
    planned = plan(requested, full)
    enlarges = planned.scaled[0] * planned.scaled[1] > full[0] * full[1]
    searched = planned.scaled[0] * planned.scaled[1] * shape.frames
    # The search for the most interesting part needs the whole scaled image in memory.
    position = _searched_position(requested)
    base = shape.bands * searched + find_crop_memory(position) if position else 0
    seconds = _ENLARGING.get(requested.kernel, 0.037) if enlarges else 0.005 * (2 * shape.sample - 1)
    return Cost(seconds, 2, base_seconds=0.03 * searched / 1e6 if base else 0.0, base_memory=base)


@feature(
    Resize,
    group="geometry",
    cost=_cost,
    size=lambda requested, full, _: plan(requested, full).result,
    preshrink=preshrink,
    is_noop=asks_nothing,
    keeps=keeps,
    for_source=for_source,
    any_color_space=lambda requested: _searched_position(requested) is None,
    keeps_gain_map=lambda requested: requested.background.alpha == 1 or requested.fit != "contain",
)
def resize(picture: Picture, requested: Resize, context: Context) -> Picture:
    full = picture.full
    planned = plan(requested, full)
    scaled, result = planned.scaled, planned.result
    field = "resize.height" if requested.height and not requested.width else "resize.width"
    refuse_larger(field, result, picture.frames, context)
    if max(scaled) > _LONGEST:
        raise TooLarge(f"`{field}` must not scale a side beyond {_LONGEST} pixels, got {scaled[0]} x {scaled[1]}")
    if scaled[0] * scaled[1] >= picture.width * picture.height:
        # There are no fewer pixels to convert after it.
        picture = in_srgb(picture)

    def scale(frame: pyvips.Image) -> pyvips.Image:
        return _scaled(frame, planned, requested)

    if scaled == result:
        resized = picture.each_frame(scale)
    elif requested.fit == "contain":
        across, down = requested.position.ratios
        corner = (int((result[0] - scaled[0]) * across), int((result[1] - scaled[1]) * down))
        resized = picture.each_frame(
            lambda frame: embed_in_canvas(apply_profile(scale(frame)), corner, result, requested.background)
        )
        resized = resized.with_view((-corner[0], -corner[1], *result), scaled)
    elif (searched := _searched_position(requested)) is not None:
        refuse_larger(field, scaled, picture.frames, context)
        whole = picture.each_frame(scale).materialized()
        resized = PixelBox(*find_crop(whole, result, searched), *result).cut(whole)
    else:
        box = PixelBox(*_corner(requested, full, planned), *result)
        resized = picture.each_frame(lambda frame: scale(frame).crop(*box)).with_view(box, scaled)
    return replace(resized, shrunk_from=None, dpr=planned.dpr)


def _corner(requested: Resize, full: Size, planned: Plan) -> tuple[int, int]:
    """Return left and top of the part that is kept."""
    if planned.dpr is None:
        return requested.kept_part(full).place(planned.scaled, planned.result)
    return (requested.anchor or Gravity("ce")).place(planned.scaled, planned.result, planned.dpr)


def _scaled(image: pyvips.Image, planned: Plan, requested: Resize) -> pyvips.Image:
    """Return the image in its planned size."""
    if (image.width, image.height) == planned.scaled:
        return image

    def scale_to(pixels: pyvips.Image, size: tuple[float, float]) -> pyvips.Image:
        across, down = size[0] / pixels.width, size[1] / pixels.height
        if requested.centred and max(across, down) > 1:
            pixels = pixels.resize(min(1.0, across), vscale=min(1.0, down), kernel=requested.kernel)
            return _centred(pixels, (max(1.0, across), max(1.0, down)), planned.scaled)
        return pixels.resize(across, vscale=down, kernel=requested.kernel)

    def scale_exactly(pixels: pyvips.Image) -> pyvips.Image:
        # Factors that are not rounded to whole pixels keep the exact proportions; libvips distributes the remaining
        # fraction of a pixel over both edges.
        scaled = scale_to(pixels, planned.exact)
        return scaled if (scaled.width, scaled.height) == planned.scaled else scale_to(pixels, planned.scaled)

    return scale_exactly(image) if requested.kernel == "nearest" else premultiplied(image, scale_exactly)


def _centred(image: pyvips.Image, factors: tuple[float, float], size: Size) -> pyvips.Image:
    """Return the image, enlarged so that its edges, and not its first pixels, coincide with those of the result."""
    across, down = factors
    return image.affine(
        [across, 0, 0, down], interpolate=pyvips.Interpolate.new("bicubic"), extend="copy",
        idx=(across - 1) / 2 / across, idy=(down - 1) / 2 / down, oarea=[0, 0, *size],
    )  # fmt: skip
