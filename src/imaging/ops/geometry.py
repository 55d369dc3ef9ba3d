"""Boxes, backgrounds and bounds: what the geometric features share."""

from __future__ import annotations

import math
from typing import NamedTuple

import pyvips

from imaging.context import Context
from imaging.errors import InvalidParameter, TooLarge
from imaging.params.types import Color, CropPosition
from imaging.picture import Picture

Size = tuple[int, int]
"""Width and height in pixels."""

_SEARCHED = 1_000_000
"""Pixels beyond which the most interesting part is sought on a reduced copy."""

_WINDOW_WORK = 1_000_000_000
"""Pixels times rows of a window that moves over them: about 15 s of one processor, and libvips stops it late."""


class PixelBox(NamedTuple):
    """A part of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, picture: Picture) -> Picture:
        """This part of every frame."""
        if (self.width, self.height) == (picture.width, picture.height):
            return picture
        part = picture.each_frame(lambda frame: frame.crop(*self))
        return part.with_view(self, (picture.width, picture.height))


def round_half_up(number: float) -> int:
    """The nearest whole number; halves go up, as in libvips and JavaScript."""
    return math.floor(number + 0.5)


def refuse_larger(field: str, size: Size, frames: int, context: Context) -> None:
    """Raise TooLarge where frames of that size would be beyond the limits; `field` is what asks for them."""
    limits = context.limits
    if max(size) > limits.result_side or size[0] * size[1] * frames > limits.result_pixels:
        each = f" in {frames} frames" if frames > 1 else ""
        raise TooLarge(
            f"`{field}` must leave a picture of at most {limits.result_side} pixels a side and {limits.result_pixels} "
            f"in all, got {size[0]} x {size[1]}{each}"
        )


def refuse_wider_window(field: str, rows: int, picture: Picture, context: Context, *, work: float) -> None:
    """Raise InvalidParameter where a window of so many rows would never get done with the picture in time.

    `work` is what it costs for each pixel, in rows of a histogram that slides along.
    """
    pixels = picture.width * picture.height * picture.frames
    if not math.isinf(context.deadline.at) and pixels * work > _WINDOW_WORK:
        raise InvalidParameter(field, f"small enough for {pixels} pixels: resize them first, or take less", rows)


def on_background(image: pyvips.Image, color: Color) -> tuple[pyvips.Image, list[float]]:
    """The image with the bands that the colour needs, and the colour in the image's own numbers."""
    if image.bands < 3 and not color.grey:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    if color.alpha < 1 and not image.hasalpha():
        image = image.addalpha()
    return image, to_levels(image, color)


def premultiply_levels(image: pyvips.Image, levels: list[float]) -> list[float]:
    """The same colour with its channels weighed by its alpha, as libvips wants a background for affine and rotate."""
    if not image.hasalpha():
        return levels
    share = levels[-1] / (255 * level_scale(image))
    return [*(level * share for level in levels[:-1]), levels[-1]]


def to_levels(image: pyvips.Image, color: Color) -> list[float]:
    """The colour in the image's own numbers, a band each."""
    red, green, blue = color.rgb
    colours = [red, green, blue] if image.bands > 2 else [0.2126 * red + 0.7152 * green + 0.0722 * blue]
    alpha = [color.alpha * 255] if image.hasalpha() else []
    return [level * level_scale(image) for level in (*colours, *alpha)]


def level_scale(image: pyvips.Image) -> float:
    """What one of 255 levels is in the image's own numbers."""
    return 257.0 if image.format == "ushort" else 1.0


def embed_in_canvas(image: pyvips.Image, corner: tuple[int, int], size: Size, color: Color) -> pyvips.Image:
    """The image with its left and top at `corner` of a canvas of that size and colour."""
    image, background = on_background(image, color)
    return image.embed(*corner, *size, extend="background", background=background)


def find_crop_memory(position: CropPosition) -> int:
    """Bytes that `seek` takes, at the most: libvips counts colours with alpha in tables of 65,536 levels."""
    return {"entropy": 150_000_000, "attention": 20_000_000}.get(str(position), 0)


def find_crop(picture: Picture, size: Size, position: CropPosition) -> tuple[int, int]:
    """Left and top of the most interesting box of `size` in the first frame of a materialized picture."""
    room = (picture.width, picture.height)
    scale = min(1.0, math.sqrt(_SEARCHED / (room[0] * room[1])))
    reduced = picture.image.crop(0, 0, *room).resize(scale)
    across = max(1, min(round_half_up(size[0] * scale), reduced.width))
    down = max(1, min(round_half_up(size[1] * scale), reduced.height))
    found = reduced.smartcrop(across, down, interesting=str(position))
    left, top = round_half_up(-found.xoffset / scale), round_half_up(-found.yoffset / scale)
    return (min(left, room[0] - size[0]), min(top, room[1] - size[1]))
