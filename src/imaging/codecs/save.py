"""Write pixels with a format's encoder, and prepare them for it: bands, depth, and whether they are a drawing."""

from __future__ import annotations

from functools import partial
from typing import Any

import pyvips

from imaging.codecs.graphic_detection import is_graphic
from imaging.context import NO_DEADLINE, Deadline
from imaging.deadlines.vips_watchdog import watched
from imaging.formats import encoder_of
from imaging.formats.content import Content
from imaging.formats.format import Encoder, FormatName
from imaging.params.output import Output
from imaging.picture import Picture

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""


def fit_pixels(image: Image, encoder: Encoder, output: Output) -> Image:
    """Return the pixels with the bands and the depth that the format can store."""
    if image.format != "uchar" and not encoder.deep:
        image = image.colourspace("b-w" if image.bands < 3 else "srgb")
        image = image if image.format == "uchar" else image.cast("uchar")
    if not encoder.alpha and image.hasalpha():
        level = 257 if image.format == "ushort" else 1
        matte = output.matte.rgb if output.matte is not None else [255, 255, 255]
        if image.bands == 2 and matte != [matte[0]] * 3:
            image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
        image = image.flatten(background=[level * channel for channel in matte[: image.bands - 1]])
    return image


def hold_in_memory(picture: Picture, deadline: Deadline) -> tuple[Picture, bool]:
    """Return the image with its pixels computed, and whether they are those of a drawing."""
    image: Image = picture.image
    with watched(image, deadline):
        body = image.write_to_memory()
    drawn: Image = pyvips.Image.new_from_memory(body, image.width, image.height, image.bands, image.format)
    graphic = picture.frames == 1 and is_graphic(body, image.width, image.height, image.bands)
    return picture.with_image(drawn.copy(interpretation=image.interpretation)), graphic


def save(
    image: Image,
    chosen: FormatName,
    output: Output,
    *,
    graphic: bool,
    keep: str = "none",
    colours: int = 0,
    frames: int = 1,
    deadline: Deadline = NO_DEADLINE,
) -> bytes:
    """Return the encoded file of pixels that have the bands and the depth of the format.

    `keep` is the metadata of the image that stays: none, icc or all. `colours` is the size of the palette that the
    pixels are indexes into.
    """
    encoder = encoder_of(chosen)
    size = image.width * image.height * image.bands
    options = encoder.options(
        output, Content(graphic, image.hasalpha(), size, image.width * image.height, colours, frames)
    )
    if encoder.save_still and frames == 1 and keep == "none":
        still = encoder.save_still(image, options, deadline)
        if still is not None:
            return still
    saver = getattr(image, encoder.save) if isinstance(encoder.save, str) else partial(encoder.save, image)
    body = bytes(saver(keep=keep, **options))
    return encoder.finish(body, options) if encoder.finish else body
