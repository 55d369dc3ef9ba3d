"""What decoding and encoding will take: memory, and time in which nothing can stop them.

The figures of each format are in its record. They are measured; `python -m bench.memory` prints those of decoding
beside real peaks.
"""

from __future__ import annotations

import pyvips
from msgspec import structs

from imaging.context import MEGA
from imaging.formats import encoder_of, format_by_name
from imaging.formats.format import FormatName
from imaging.params.output import Output
from imaging.picture import ImageHeader

_BASE = 12_000_000
_ROWS = 2800
"""Rows of the loaded image that libvips' threads, line caches and the resize hold together, at most."""
_TRIES = 6
"""Approximate number of encodings until one fits into `maxBytes`."""
_MARGIN = 2
"""For images that are harder to encode than the measured ones, and for slower machines."""


def decoder_memory(kind: FormatName, header: pyvips.Image, original: bytes) -> int:
    """Return the bytes that the decoder holds for one frame, however much it is shrunk on load."""
    return round(format_by_name(kind).decoder.memory(header, original))


def decoder_seconds(kind: FormatName, header: pyvips.Image) -> float:
    """Return the seconds in which one frame's decoder cannot be stopped, at about half the speed of one core."""
    return format_by_name(kind).decoder.uninterruptible_seconds(header)


def uninterruptible_decoding_seconds(source: ImageHeader) -> float:
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


def uninterruptible_encoding_seconds(
    chosen: FormatName, output: Output, pixels: int, frames: int, *, graphic: bool
) -> float:
    """Return how long an encoder may work on the pixels of all frames before libvips can stop it."""
    seconds = encoder_of(chosen).uninterruptible_seconds(output, frames, graphic)
    return _MARGIN * _tries(output) * seconds * pixels / MEGA


def encoding_seconds(chosen: FormatName, output: Output, pixels: int, *, alpha: bool = False) -> float:
    """Return how long an encoder works on the pixels of all frames, on one processor, over all its attempts.

    bench/COSTS.md shows the declared figures beside measured ones. An alpha channel counts as one of noise; pixels that
    are harder to encode than the measured ones take at most `_MARGIN` times as long.
    """
    encoder = encoder_of(chosen)
    seconds = encoder.seconds(output) + (encoder.alpha_seconds(output, pixels) if alpha else 0.0)
    return _tries(output) * seconds * pixels / MEGA


def limit_effort(chosen: FormatName, output: Output, pixels: int) -> Output:
    """Return the output with the requested effort, or less where an encoder is too slow for so many pixels."""
    max_effort = encoder_of(chosen).max_effort
    if max_effort is None or output.effort is None:
        return output
    return structs.replace(output, effort=max_effort(output.effort, pixels / MEGA))


def encoder_memory(chosen: FormatName, output: Output, pixels: int, *, alpha: bool = False) -> int:
    """Return the bytes that an encoder holds in addition to the image."""
    return encoder_of(chosen).memory(output, pixels, alpha)


def _tries(output: Output) -> int:
    return _TRIES if output.max_bytes else 1
