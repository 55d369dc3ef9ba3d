"""What decoding will take, computed from the header: memory, and time in which nothing can stop it.

The figures of each format are in its record. They are measured; `python -m bench.memory` prints them beside real peaks.
"""

from __future__ import annotations

import pyvips

from imaging.formats import format_by_name
from imaging.formats.format import FormatName
from imaging.picture import ImageHeader

_BASE = 12_000_000
_ROWS = 2800
"""Rows of the loaded image that libvips' threads, line caches and the resize hold together, at most."""


def decoder_memory(kind: FormatName, header: pyvips.Image, original: bytes) -> int:
    """Return the bytes that the decoder holds for one frame, however much it is shrunk on load."""
    return round(format_by_name(kind).decoder.memory(header, original))


def decoder_seconds(kind: FormatName, header: pyvips.Image) -> float:
    """Return the seconds in which one frame's decoder cannot be stopped, at about half the speed of one core."""
    return format_by_name(kind).decoder.uninterruptible_seconds(header)


def uninterruptible_seconds(source: ImageHeader) -> float:
    """Return a generous estimate of the seconds of decoding that libvips cannot stop; infinite where it is unknown.

    It is 0 for what is decoded in a process that can be killed.
    """
    return 0.0 if format_by_name(source.format).decoder.isolated else source.decoder_seconds


def decoding_seconds(source: ImageHeader, frames: int) -> float:
    """Return about how long the decoder works on the frames on one processor; a drawing has limits of its own."""
    return format_by_name(source.format).decoder.seconds * source.width * source.height * frames / 1e6


def decoding_memory(source: ImageHeader, loaded: tuple[int, int], frames: int) -> int:
    """Return the bytes that the process will need in addition, to decode the frames and stream them through a resize.

    `loaded` is the width and height of one frame as the decoder returns it, after its shrink-on-load.
    """
    width, height = loaded
    pixels, stored = width * height, source.width * source.height
    row = width * source.bands
    # 16-bit rows are cut to 8 bits before they come to the resize.
    streamed = row * min(_ROWS + (1000 if source.bits > 8 else 0), 2 * height * frames)
    held = row * height * (frames if frames > 1 else int(source.orientation > 2))
    at_that_size = format_by_name(source.format).decoder.loaded_memory
    decoder = at_that_size(source.decoder_memory, pixels, stored) if at_that_size else source.decoder_memory
    return _BASE + source.size + streamed + held + decoder
