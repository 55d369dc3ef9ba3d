"""Images and colours behind a cut-out."""

from __future__ import annotations

import pyvips

from imaging.codecs.open_image import open_image
from imaging.context import Context, ObjectRef
from imaging.params.color import Color

Size = tuple[int, int]


def plain_backdrop(color: Color, size: Size) -> pyvips.Image:
    """Return a colour in that size, with alpha only if it is not opaque."""
    levels = color.rgba if color.alpha < 1 else color.rgb
    plain = (pyvips.Image.black(*size, bands=len(levels)) + levels).cast("uchar")
    return plain.copy(interpretation="srgb")


def load_backdrop(ref: ObjectRef, size: Size, context: Context, parameter: str, got: object) -> pyvips.Image:
    """Return the first frame of an object, scaled and cropped to fill that size, with its pixels in memory.

    Raises InvalidParameter of `parameter` if it cannot be read.
    """

    def shrink_of(full: Size) -> float:
        return min(own / target for own, target in zip(full, size, strict=True))

    expected = "a colour, or the key of an image"
    with open_image(
        ref, context, shrink_of, name="backdrop", parameter=parameter, expected=expected, got=got
    ) as picture:
        return render_in_memory(fill_size(picture.image, size))


def fill_size(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Return the image in sRGB, scaled and cropped in its middle to that size."""
    filled = image.thumbnail_image(size[0], height=size[1], size="both", crop="centre", no_rotate=True)
    return filled.colourspace("srgb")


def render_in_memory(image: pyvips.Image) -> pyvips.Image:
    """Return the image with its pixels computed, because they are read more than once."""
    pixels = image.write_to_memory()
    drawn = pyvips.Image.new_from_memory(pixels, image.width, image.height, image.bands, image.format)
    return drawn.copy(interpretation=image.interpretation)


def lay_over(behind: pyvips.Image, frame: pyvips.Image) -> pyvips.Image:
    """Return the frame over the background, with alpha only if the background has alpha."""
    return behind.composite2(frame, "over").cast("uchar")[: behind.bands]
