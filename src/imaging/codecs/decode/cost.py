"""What decoding will take, reckoned from the header: memory, and time in which nothing can stop it.

The figures per pixel are measured; `python -m bench.memory` prints them beside the real peaks.
"""

from __future__ import annotations

import math

import pyvips

from imaging.codecs.decode.tiff import strip_rows
from imaging.picture import ImageHeader, SourceFormat

_BASE = 12_000_000
_PROCESS = 40_000_000
"""A process of its own, which has libheif."""
_ROWS = 2800
"""Rows of the loaded picture that libvips' threads, line caches and the resize hold between them, at the most."""
_SUBSAMPLED = {"4:4:4": 3.0, "4:2:2": 2.0, "4:4:0": 2.0, "4:2:0": 1.5, "4:1:1": 1.5}


def decoder_memory(kind: SourceFormat, image: pyvips.Image, original: bytes) -> int:
    """Bytes that the decoder holds for one frame, however much it is shrunk on load."""
    pixels = image.width * image.height
    sample = 1 if image.format == "uchar" else 2
    heif = 12 if image.hasalpha() else 9
    per_pixel: float = {"avif": 20 if sample == 1 else 26, "heif": heif, "gif": 8}.get(kind, 0)
    if kind == "jpeg" and image.get_typeof("interlaced"):
        # Coefficients of two bytes for the whole picture.
        subsampling = str(image.get("jpeg-chroma-subsample")) if image.bands == 3 else ""
        per_pixel = 2 * _SUBSAMPLED.get(subsampling, image.bands)
    elif kind == "png" and image.get_typeof("interlaced"):
        per_pixel = image.bands * sample
    elif kind == "webp":
        # Lossless pixels are unpacked before they are scaled, and so is the alpha channel of lossy ones.
        per_pixel = 4.8 if image.hasalpha() or b"VP8L" in original[12:4096] else 0
    elif kind == "tiff":
        rows = min(strip_rows(original), image.height)
        # Numbers of other kinds are looked through before they are brought to 8 bits.
        held = 0 if image.format in ("uchar", "ushort") else 4 * pixels * image.bands
        return rows * image.width * image.bands * sample + held
    return round(pixels * per_pixel) + (_PROCESS if kind == "heif" else 0)


def uninterruptible_seconds(source: ImageHeader) -> float:
    """A generous guess at the seconds of decoding that libvips cannot be told to stop; infinite where nobody knows.

    Drawings and HEIC are decoded where they can be killed, whatever they take.
    """
    return 0.0 if source.format in ("svg", "heif") else source.decoder_seconds


def decoder_seconds(kind: SourceFormat, image: pyvips.Image) -> float:
    """Seconds in which one frame's decoder cannot be told to stop, at about half the speed of one core here."""
    megapixels = image.width * image.height / 1e6
    whole = image.get_typeof("interlaced") or kind in ("webp", "avif")
    speed = {"jpeg": 10, "png": 8, "webp": 8, "avif": 3}.get(kind, math.inf)
    return megapixels / speed if whole else 0.0


_SECONDS: dict[SourceFormat, float] = {
    "jpeg": 0.01, "png": 0.02, "webp": 0.02, "gif": 0.01, "avif": 0.04, "heif": 0.08, "tiff": 0.02, "bmp": 0.01,
    "ico": 0.02,
}  # fmt: skip
"""Of one processor, for a megapixel."""


def decoding_seconds(source: ImageHeader, frames: int) -> float:
    """About how long the frames' decoder works on one processor; a drawing's has bounds of its own."""
    return _SECONDS.get(source.format, 0.0) * source.width * source.height * frames / 1e6


def decoding_memory(source: ImageHeader, loaded: tuple[int, int], frames: int) -> int:
    """Bytes that the process will need beside what it has, to decode the frames and stream them through a resize.

    `loaded` is width and height of one frame as the decoder gives it, after its shrink-on-load.
    """
    width, height = loaded
    pixels, stored = width * height, source.width * source.height
    row = width * source.bands
    # 16-bit rows are cut to 8 bits before they come to the resize.
    streamed = row * min(_ROWS + (1000 if source.bits > 8 else 0), 2 * height * frames)
    held = row * height * (frames if frames > 1 else int(source.orientation > 2))
    decoder = source.decoder_memory
    if source.format == "webp":
        # One canvas for what the decoder gives, one for the animation.
        decoder = decoder + 8 * pixels if pixels < stored else max(decoder, 8 * pixels)
    elif source.format == "svg":
        decoder = round(decoder * pixels / stored)
    return _BASE + source.size + streamed + held + decoder
