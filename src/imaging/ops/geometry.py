"""Boxes, background colours and bounds that the geometric features share."""

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
"""Pixels of the reduced copy on which the most interesting part of a larger image is searched."""

_WINDOW_WORK = 1_000_000_000
"""Pixels times rows of a sliding window, which take about 15 s of one processor; libvips is slow to stop them."""


_VISIBLE = 25
"""Lowest level of alpha, a tenth, that counts as visible."""


class PixelBox(NamedTuple):
    """A rectangle in a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, picture: Picture) -> Picture:
        """Return the picture with each frame cropped to this rectangle."""
        if (self.width, self.height) == (picture.width, picture.height):
            return picture
        part = picture.each_frame(lambda frame: frame.crop(*self))
        return part.with_view(self, (picture.width, picture.height))


def visible_box(picture: Picture) -> PixelBox:
    """Return the rectangle around what is visible in any frame; the whole image if nothing is.

    The last band decides: the alpha channel, or a mask.
    """
    boxes = [
        frame[frame.bands - 1].find_trim(threshold=_VISIBLE, background=[0], line_art=True) for frame in picture.split()
    ]
    found = [(left, top, left + width, top + height) for left, top, width, height in boxes if width and height]
    if not found:
        return PixelBox(0, 0, picture.width, picture.height)
    left, top = (min(box[side] for box in found) for side in (0, 1))
    right, bottom = (max(box[side] for box in found) for side in (2, 3))
    return PixelBox(left, top, right - left, bottom - top)


def round_half_up(number: float) -> int:
    """Return the nearest whole number; halves are rounded up, as in libvips and JavaScript."""
    return math.floor(number + 0.5)


def refuse_larger(field: str, size: Size, frames: int, context: Context) -> None:
    """Raise TooLarge where frames of that size exceed the limits; `field` is the parameter that asks for them."""
    limits = context.limits
    if max(size) > limits.result_side or size[0] * size[1] * frames > limits.result_pixels:
        each = f" in {frames} frames" if frames > 1 else ""
        raise TooLarge(
            f"`{field}` must leave a picture of at most {limits.result_side} pixels a side and {limits.result_pixels} "
            f"in all, got {size[0]} x {size[1]}{each}"
        )


def refuse_wider_window(field: str, rows: int, picture: Picture, context: Context, *, work: float) -> None:
    """Raise InvalidParameter where a sliding window of so many rows would take too long for the picture.

    `work` is its cost for each pixel, in rows of a sliding histogram. Without a deadline nothing is refused.
    """
    pixels = picture.width * picture.height * picture.frames
    if not math.isinf(context.deadline.at) and pixels * work > _WINDOW_WORK:
        raise InvalidParameter(field, f"small enough for {pixels} pixels: resize them first, or take less", rows)


def on_background(image: pyvips.Image, color: Color) -> tuple[pyvips.Image, list[float]]:
    """Return the image with the bands that the colour needs, and the colour as levels of that image."""
    if image.bands < 3 and not color.grey:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    if color.alpha < 1 and not image.hasalpha():
        image = image.addalpha()
    return image, to_levels(image, color)


def premultiply_levels(image: pyvips.Image, levels: list[float]) -> list[float]:
    """Return the levels of a colour premultiplied by its alpha, as libvips takes backgrounds in affine and rotate."""
    if not image.hasalpha():
        return levels
    share = levels[-1] / (255 * level_scale(image))
    return [*(level * share for level in levels[:-1]), levels[-1]]


def to_levels(image: pyvips.Image, color: Color) -> list[float]:
    """Return the colour as levels of the image, one for each of its bands."""
    red, green, blue = color.rgb
    colours = [red, green, blue] if image.bands > 2 else [0.2126 * red + 0.7152 * green + 0.0722 * blue]
    alpha = [color.alpha * 255] if image.hasalpha() else []
    return [level * level_scale(image) for level in (*colours, *alpha)]


def level_scale(image: pyvips.Image) -> float:
    """Return how many levels of the image one level of 8 bits is: 257 for an image of 16 bits."""
    return 257.0 if image.format == "ushort" else 1.0


def embed_in_canvas(image: pyvips.Image, corner: tuple[int, int], size: Size, color: Color) -> pyvips.Image:
    """Return a canvas of that size and colour, with the image's left and top at `corner`."""
    image, background = on_background(image, color)
    return image.embed(*corner, *size, extend="background", background=background)


def find_crop_memory(position: CropPosition) -> int:
    """Return the most bytes that `find_crop` takes: libvips counts colours with alpha in tables of 65,536 levels."""
    return {"entropy": 150_000_000, "attention": 20_000_000}.get(str(position), 0)


def find_crop(picture: Picture, size: Size, position: CropPosition) -> tuple[int, int]:
    """Return left and top of the most interesting box of `size` in the first frame of a materialized picture.

    A large picture is reduced first; the position is then exact to a few pixels.
    """
    room = (picture.width, picture.height)
    scale = min(1.0, math.sqrt(_SEARCHED / (room[0] * room[1])))
    reduced = picture.image.crop(0, 0, *room).resize(scale)
    across = max(1, min(round_half_up(size[0] * scale), reduced.width))
    down = max(1, min(round_half_up(size[1] * scale), reduced.height))
    found = reduced.smartcrop(across, down, interesting=str(position))
    left, top = round_half_up(-found.xoffset / scale), round_half_up(-found.yoffset / scale)
    return (min(left, room[0] - size[0]), min(top, room[1] - size[1]))
