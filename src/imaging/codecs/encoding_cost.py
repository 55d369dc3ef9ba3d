"""What encoding will take, as measured on detailed photographs: memory, and time in which nothing can stop it."""

from __future__ import annotations

from msgspec import structs

from imaging.codecs.encoders import STORED_BYTES, sharpens_color
from imaging.context import MEGA
from imaging.params.output import Format, Output

_AVIF_SECONDS = (0.1, 0.3, 0.8, 1.1, 4.3, 4.3, 4.9, 12, 18, 21, 45)
"""By effort, 0 to 10."""
_USUAL_EFFORT = 3
_EFFORT_SECONDS = 10
"""What effort above the usual may cost: whoever may ask for a picture may ask for effort 10."""
_TRIES = 6
"""Encodings until one fits into `maxBytes`, about."""
_TRELLIS = 7
"""Effort from which on a JPEG is quantised by trellis and a PNG or a WebP searched through."""
_GIF_FAST = 5
_MARGIN = 2
"""For worse pictures and slower machines."""


def uninterruptible_seconds(chosen: Format, output: Output, pixels: int, frames: int, *, graphic: bool) -> float:
    """How long an encoder may work on the pixels of all frames without a moment in which libvips can stop it."""
    tries = _TRIES if output.max_bytes else 1
    return _MARGIN * tries * _seconds(chosen, output, frames, graphic=graphic) * pixels / MEGA


def encoding_seconds(chosen: Format, output: Output, pixels: int) -> float:
    """How long an encoder works on the pixels of all frames, on one processor, as often as it is tried."""
    tries = _TRIES if output.max_bytes else 1
    return tries * _whole_seconds(chosen, output) * pixels / MEGA


def _whole_seconds(chosen: Format, output: Output) -> float:
    """For a megapixel of a detailed photograph; bench/COSTS.md has them beside measured ones."""
    effort = output.effort or 0
    if chosen == "avif":
        return _AVIF_SECONDS[_USUAL_EFFORT if output.effort is None else output.effort]
    if chosen == "gif":
        return 0.5 if effort <= _GIF_FAST else 1.4
    if chosen == "jpeg":
        return 0.11 if effort >= _TRELLIS else 0.02
    if chosen == "webp":
        return 1.0 if output.lossless else 0.055 if effort <= 4 else 0.26
    if chosen == "png":
        palette = 2.2 if effort <= _TRELLIS else 3.8
        return palette if _has_palette(output) else 0.35 if effort >= _TRELLIS else 0.075
    return 0.065


def affordable(chosen: Format, output: Output, pixels: int) -> Output:
    """The output with as much of the asked effort as a picture of that size is worth; AVIF alone is that slow."""
    effort = output.effort
    if chosen != "avif" or effort is None:
        return output
    while effort > _USUAL_EFFORT and _AVIF_SECONDS[effort] * pixels / MEGA > _EFFORT_SECONDS:
        effort -= 1
    return structs.replace(output, effort=effort)


def encoder_memory(chosen: Format, output: Output, pixels: int, *, alpha: bool = False) -> int:
    """Bytes that an encoder holds beside the picture."""
    per_pixel = {"avif": 35, "gif": 15, "jpeg": 6, "png": 2, "webp": 6, "tiff": 3}[chosen]
    if chosen == "webp" and (output.lossless or alpha):
        # The alpha channel is compressed without losses.
        per_pixel = 36
    elif chosen == "png" and _has_palette(output):
        per_pixel = 24
    elif chosen == "png" and output.effort is None:
        # The stored file, its pixels by themselves, as they are packed, and packed.
        return per_pixel * pixels + 4 * min(4 * pixels, STORED_BYTES)
    return per_pixel * pixels


def _seconds(chosen: Format, output: Output, frames: int, *, graphic: bool) -> float:
    """For a megapixel."""
    effort = output.effort or 0
    if chosen == "avif":
        return _AVIF_SECONDS[_USUAL_EFFORT if output.effort is None else output.effort]
    if chosen == "gif":
        return 0.8 if effort <= 5 else 2.0
    if chosen == "jpeg":
        return 0.12 if effort >= 7 else 0.03 * output.progressive
    if chosen == "webp":
        return _webp_seconds(output, frames, graphic=graphic)
    return 1.8 if chosen == "png" and _has_palette(output) else 0.0


def _webp_seconds(output: Output, frames: int, *, graphic: bool) -> float:
    """For one frame of an animation, the last pass over lossless pixels, or the sharpening of colour."""
    if frames > 1:
        return (2.0 if (output.effort or 0) >= 7 else 0.5) / frames
    if output.lossless:
        return 0.3
    return 0.25 * sharpens_color(output, graphic=graphic)


def _has_palette(output: Output) -> bool:
    return bool(output.palette or output.colors or output.max_bytes)
