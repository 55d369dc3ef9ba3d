"""WebP (RFC 9649)."""

from __future__ import annotations

from typing import Any

from imaging.formats.content import Content, EncodingOptions, keeps_color
from imaging.formats.format import Decoder, Encoder, Format, Image, Lazy, MetadataCarrier, SaverOptions

_QUALITY = 80
_first_images = iter((True,))
_encode_still = Lazy[bytes | None]("imaging.codecs.webp_write", "encode_still")
_ALPHA_EFFORT, _LARGE_ALPHA = 5, 25_000
"""The largest of libwebp's efforts for a lossy image with an alpha channel and more pixels than this. With one step
more, the encoder searches a channel of noise for 33 seconds per megapixel up to this size and for 73 at 100,000 pixels,
and nothing can stop it."""
_ALPHA_SECONDS = (0.08, 0.08, 0.08, 0.13, 0.13, 0.2, 35.0)
"""Seconds per megapixel that a lossy image's alpha channel of noise takes, by libwebp's effort."""
_LOSSLESS_ALPHA_SECONDS = (0.0, 0.0, 0.0, 1.2, 1.2, 2.0, 2.0)
"""The same for a lossless image. Noise of two levels takes longest."""
_CANVAS_BYTES = 8
"""Bytes per pixel of two canvases: one for what the decoder returns, one for the animation."""


def _decoder_memory(header: Image, original: bytes) -> float:
    # Lossless pixels are decoded before they are scaled, and so is the alpha channel of lossy ones.
    is_whole = header.hasalpha() or b"VP8L" in original[12:4096]
    return 4.8 * header.width * header.height if is_whole else 0


def _loaded_memory(decoder: int, pixels: int, stored: int) -> int:
    canvases = _CANVAS_BYTES * pixels
    return decoder + canvases if pixels < stored else max(decoder, canvases)


def _effort(output: EncodingOptions) -> int:
    """Return libwebp's effort, from 0 to 6."""
    return 2 if output.effort is None else round(output.effort * 0.6)


def _options(output: EncodingOptions, content: Content) -> SaverOptions:
    options: SaverOptions = {"effort": _effort(output)}
    if output.lossless:
        return options | {"lossless": True}
    if content.alpha and content.pixels > _LARGE_ALPHA:
        options["effort"] = min(options["effort"], _ALPHA_EFFORT)
    quality = output.fixed_quality or _QUALITY
    # At effort 2, one step less makes the bytes of libwebp's usual effort 4.
    eased = quality if output.effort is not None or quality == 100 else max(1, quality - 1)
    # The encoder always halves the colour resolution; where it matters, it takes time to keep the edges.
    return options | {"Q": eased, "smart_subsample": keeps_color(output, graphic=content.graphic)}


def _save_still(image: Image, options: SaverOptions, deadline: Any) -> bytes | None:
    # libvips writes the first image of a process: to import ctypes takes longer than it saves.
    if options.get("lossless") or options.get("smart_subsample") or image.bands < 3 or next(_first_images, False):
        return None
    return _encode_still(image, quality=options["Q"], effort=options["effort"], deadline=deadline)


def _seconds(output: EncodingOptions) -> float:
    if output.lossless:
        return 1.0
    return 0.055 if (output.effort or 0) <= 4 else 0.26


def _alpha_seconds(output: EncodingOptions, pixels: int) -> float:
    effort = _effort(output)
    if output.lossless:
        return _LOSSLESS_ALPHA_SECONDS[effort]
    return _ALPHA_SECONDS[min(effort, _ALPHA_EFFORT) if pixels > _LARGE_ALPHA else effort]


def _uninterruptible_seconds(output: EncodingOptions, frames: int, graphic: bool) -> float:
    """Return the time for one frame of an animation, the last pass over lossless pixels, or sharpening the colour."""
    if frames > 1:
        return (2.0 if (output.effort or 0) >= 7 else 0.5) / frames
    if output.lossless:
        return 1.0 if _effort(output) > 2 else 0.3
    return 0.25 * keeps_color(output, graphic=graphic)


FORMAT = Format(
    name="webp",
    extensions=("webp",),
    signatures=(b"RIFF",),
    matches=lambda original: original[8:12] == b"WEBP",
    decoder=Decoder(
        loader="webpload_source",
        seconds=0.02,
        memory=_decoder_memory,
        loaded_memory=_loaded_memory,
        uninterruptible_seconds=lambda header: header.width * header.height / 8e6,
        animated=True,
        reduction=lambda shrink, frames, is_same_format: shrink if frames == 1 else 1.0,  # noqa: ARG005 - the shape of all
        load_options=lambda reduction: {"scale": 1 / reduction} if reduction > 1 else {},
        check_parts=Lazy("imaging.codecs.decode.parts", "check_webp"),
        is_head=Lazy("imaging.codecs.decode.webp_stream", "is_webp_head"),
        read_head=Lazy("imaging.codecs.decode.webp_stream", "read_webp_head"),
        read_stream=Lazy("imaging.codecs.decode.webp_stream", "read_webp_stream"),
        read_still=Lazy("imaging.codecs.decode.webp_stream", "read_webp_still"),
    ),
    encoder=Encoder(
        save="webpsave_buffer",
        save_still=_save_still,
        options=_options,
        seconds=_seconds,
        alpha_seconds=_alpha_seconds,
        uninterruptible_seconds=_uninterruptible_seconds,
        # The alpha channel is compressed without losses.
        memory=lambda output, pixels, alpha: (36 if output.lossless or alpha else 6) * pixels,
        default_quality=_QUALITY,
        scored=True,
        lossless=True,
        animated=True,
        max_side=16_383,
    ),
    metadata=MetadataCarrier(),
    strip=Lazy("imaging.codecs.containers.webp", "strip"),
    photo_density=0.02,
    embeddable=True,
)
