"""WebP (RFC 9649)."""

from __future__ import annotations

from typing import Any

from imaging.formats.format import (
    Content,
    Decoder,
    Encoder,
    EncodingOptions,
    Format,
    Image,
    Lazy,
    MetadataCarrier,
    SaverOptions,
    keeps_color,
)

_QUALITY = 80
_first_images = iter((True,))
_encode_still = Lazy[bytes | None]("imaging.codecs.webp_write", "encode_still")
_ALPHA_EFFORT, _LARGE_ALPHA = 5, 400_000
"""The largest effort for a lossy image with an alpha channel and more bytes than this: with one step more, the encoder
searches the channel for up to 23 seconds per megapixel, and nothing can stop it."""
_CANVAS_BYTES = 8
"""Bytes per pixel of two canvases: one for what the decoder returns, one for the animation."""


def _decoder_memory(header: Image, original: bytes) -> float:
    # Lossless pixels are decoded before they are scaled, and so is the alpha channel of lossy ones.
    is_whole = header.hasalpha() or b"VP8L" in original[12:4096]
    return 4.8 * header.width * header.height if is_whole else 0


def _loaded_memory(decoder: int, pixels: int, stored: int) -> int:
    canvases = _CANVAS_BYTES * pixels
    return decoder + canvases if pixels < stored else max(decoder, canvases)


def _options(output: EncodingOptions, content: Content) -> SaverOptions:
    options: SaverOptions = {"effort": 2 if output.effort is None else round(output.effort * 0.6)}
    if output.lossless:
        return options | {"lossless": True}
    if content.alpha and content.size > _LARGE_ALPHA:
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


def _uninterruptible_seconds(output: EncodingOptions, frames: int, graphic: bool) -> float:
    """Return the time for one frame of an animation, the last pass over lossless pixels, or sharpening the colour."""
    if frames > 1:
        return (2.0 if (output.effort or 0) >= 7 else 0.5) / frames
    if output.lossless:
        return 0.3
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
