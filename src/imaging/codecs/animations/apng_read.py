"""Decode an APNG: each frame as a PNG of its own by libvips, and the canvas as the frames draw it."""

from __future__ import annotations

import struct
from typing import Any

import pyvips

from imaging.codecs.animations.apng_chunks import OVER, TO_BACKGROUND, TO_PREVIOUS, Frame, read_frames
from imaging.codecs.decode.chunks import chunks
from imaging.codecs.decode.loaders import load
from imaging.codecs.png_chunks import SIGNATURE, chunk
from imaging.context import Context
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource
from imaging.formats import PNG
from imaging.formats.format import Loading

Image = Any
"""A pyvips image; its stubs give every field a union of types."""
_PROFILE = "icc-profile-data"
_KEPT = (b"PLTE", b"tRNS")
_SIZE = struct.Struct(">II")


def draw_frames(loading: Loading) -> Image:
    """Return all frames, one below the other, or the one frame that is loaded. Raises DamagedSource, TimeExceeded."""
    original, context, size = loading.original, loading.context, loading.size
    header = load(original, PNG.name, tolerant=True)
    canvas = pyvips.Image.black(*size, bands=4).copy(interpretation="srgb").copy_memory()
    shown: list[Image] = []
    for number, frame in enumerate(read_frames(original)):
        context.deadline.check()
        before = canvas
        canvas = _drawn(canvas, _pixels(original, frame, context), frame)
        if loading.page is None or loading.page == number:
            shown.append(canvas)
        if number == loading.page:
            break
        if frame.disposal == TO_BACKGROUND or (frame.disposal == TO_PREVIOUS and not number):
            clear = pyvips.Image.black(frame.width, frame.height, bands=4).copy(interpretation="srgb")
            canvas = canvas.insert(clear, frame.left, frame.top).copy_memory()
        elif frame.disposal == TO_PREVIOUS:
            canvas = before
    if not shown:
        raise DamagedSource("the picture is damaged or cut off", detail="an APNG without the frame")
    # A file that was cut off shows its last frame for those that are missing.
    shown += shown[-1:] * (loading.frames - len(shown)) if loading.page is None else []
    drawn = pyvips.Image.arrayjoin(shown, across=1) if len(shown) > 1 else shown[0]
    drawn = drawn[:3] if drawn[3].min() == 255 else drawn
    drawn = drawn.copy()
    if header.bands >= 3 and header.get_typeof(_PROFILE):
        drawn.set_type(pyvips.GValue.blob_type, _PROFILE, header.get(_PROFILE))
    return drawn


def _pixels(original: bytes, frame: Frame, context: Context) -> Image:
    """Return the pixels of one frame in red, green, blue and alpha, in memory."""
    png = [SIGNATURE]
    for kind, start, end in chunks(original):
        if kind == b"IHDR":
            png.append(chunk(kind, _SIZE.pack(frame.width, frame.height) + original[start + 16 : end - 4]))
        elif kind in _KEPT:
            png.append(original[start:end])
        elif kind == b"IDAT":
            break
    png += [chunk(b"IDAT", original[start:end]) for start, end in frame.data]
    image = load(b"".join([*png, chunk(b"IEND", b"")]), PNG.name, tolerant=context.limits.tolerate_truncated)
    image = image.colourspace("srgb")
    image = image if image.hasalpha() else image.bandjoin(255)
    with watched(image, context.deadline):
        drawn: Image = image.cast("uchar").copy_memory().copy()
    drawn.remove("vips-sequential")
    return drawn


def _drawn(canvas: Image, pixels: Image, frame: Frame) -> Image:
    """Return the canvas with a frame on it, in memory. Raises DamagedSource where it reaches past an edge."""
    if frame.left + frame.width > canvas.width or frame.top + frame.height > canvas.height:
        raise DamagedSource("the picture is damaged", detail="a frame reaches past the canvas")
    if frame.blending == OVER:
        below = canvas.crop(frame.left, frame.top, frame.width, frame.height)
        alpha = pixels[3]
        # Neither opaque nor clear pixels are rounded.
        blended = below.cast("float").composite2(pixels.cast("float"), "over").rint().cast("uchar")
        pixels = (alpha == 255).ifthenelse(pixels, (alpha == 0).ifthenelse(below, blended))
    return canvas.insert(pixels, frame.left, frame.top).copy_memory()
