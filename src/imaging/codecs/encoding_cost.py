"""What encoding will take, as the formats' records declare it: memory, and time in which nothing can stop it."""

from __future__ import annotations

from msgspec import structs

from imaging.context import MEGA
from imaging.formats import encoder_of
from imaging.formats.format import FormatName
from imaging.params.output import Output

_TRIES = 6
"""Approximate number of encodings until one fits into `maxBytes`."""
_MARGIN = 2
"""For images that are harder to encode than the measured ones, and for slower machines."""


def uninterruptible_seconds(chosen: FormatName, output: Output, pixels: int, frames: int, *, graphic: bool) -> float:
    """Return how long an encoder may work on the pixels of all frames before libvips can stop it."""
    seconds = encoder_of(chosen).uninterruptible_seconds(output, frames, graphic)
    return _MARGIN * _tries(output) * seconds * pixels / MEGA


def encoding_seconds(chosen: FormatName, output: Output, pixels: int) -> float:
    """Return how long an encoder works on the pixels of all frames, on one processor, over all its attempts.

    bench/COSTS.md shows the declared figures beside measured ones.
    """
    return _tries(output) * encoder_of(chosen).seconds(output) * pixels / MEGA


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
