"""AVIF (AV1 in the HEIF container, ISO/IEC 23008-12)."""

from __future__ import annotations

from typing import Any

from imaging.formats.content import Content, EncodingOptions
from imaging.formats.format import Decoder, Encoder, Format, FormatName, Image, Lazy, MetadataCarrier, SaverOptions

_BRANDS = frozenset({b"avif", b"avis"})
_QUALITY = 50
_SECONDS = (0.1, 0.3, 0.8, 1.1, 4.3, 4.3, 4.9, 12, 18, 21, 45)
"""Per megapixel, by effort from 0 to 10."""
_USUAL_EFFORT = 3
_SEQUENCE_SPEED = 7
"""Of 0 to 10, where libaom encodes each frame for itself and its predecessor only; bench/ANIMATIONS.md has figures."""
_EFFORT_SECONDS = 10
"""What an effort above the usual one may take: every client that may ask for an image may ask for effort 10."""


_save_sequence = Lazy[bytes]("imaging.codecs.animations.avif_write", "save_sequence")


def brands(original: bytes) -> frozenset[bytes]:
    """Return the brands of an ISO base media file, the major one among them."""
    if original[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(original[:4], "big"), 512)
    return frozenset(original[at : at + 4] for at in (8, *range(16, end, 4)))


def identify(header: Image) -> FormatName:
    """Return the format of a HEIF container by its codec, because files may list the brands of the other one."""
    return "heif" if header.get("heif-compression") == "hevc" else "avif"


def _options(output: EncodingOptions, content: Content) -> SaverOptions:
    if content.frames > 1:
        return _sequence_options(output)
    effort = 3 if output.effort is None else round(output.effort * 0.9)
    options: SaverOptions = {"compression": "av1", "bitdepth": 8, "effort": effort}
    if output.lossless:
        return options | {"lossless": True}
    is_subsampled = output.chroma_subsampling == "4:2:0"
    return options | {"Q": output.fixed_quality or _QUALITY, "subsample_mode": "on" if is_subsampled else "off"}


def _sequence_options(output: EncodingOptions) -> SaverOptions:
    return {
        "quality": output.fixed_quality or _QUALITY,
        "speed": _SEQUENCE_SPEED if output.effort is None else 10 - output.effort,
        "subsampling": "4:2:0" if output.chroma_subsampling == "4:2:0" else "4:4:4",
    }


def _save(image: Image, *, keep: str, **options: Any) -> bytes:
    if "speed" in options:
        return _save_sequence(image, keep=keep, **options)
    return bytes(image.heifsave_buffer(keep=keep, **options))


def _seconds(output: EncodingOptions) -> float:
    return _SECONDS[_USUAL_EFFORT if output.effort is None else output.effort]


def _max_effort(effort: int, megapixels: float) -> int:
    while effort > _USUAL_EFFORT and _SECONDS[effort] * megapixels > _EFFORT_SECONDS:
        effort -= 1
    return effort


FORMAT = Format(
    name="avif",
    extensions=("avif",),
    matches=lambda original: not _BRANDS.isdisjoint(brands(original)),
    decoder=Decoder(
        loader="heifload_source",
        seconds=0.04,
        memory=lambda header, _original: header.width * header.height * (20 if header.format == "uchar" else 26),
        uninterruptible_seconds=lambda header: header.width * header.height / 3e6,
        check_parts=Lazy("imaging.codecs.decode.parts", "check_boxes"),
        read_color_space=Lazy("imaging.codecs.decode.heif_color", "read_color_space"),
        identify=identify,
        animated=True,
        read_animation=Lazy("imaging.codecs.animations.avif_boxes", "read_animation"),
        read_frames=Lazy("imaging.codecs.animations.avif_read", "decode_sequence"),
    ),
    encoder=Encoder(
        save=_save,
        options=_options,
        seconds=_seconds,
        uninterruptible_seconds=lambda output, _frames, _graphic: _seconds(output),
        memory=lambda _output, pixels, _alpha: 35 * pixels,
        max_effort=_max_effort,
        default_quality=_QUALITY,
        scored=True,
        lossless=True,
        lossless_frames=False,
        animated=True,
    ),
    metadata=MetadataCarrier(),
    strip=Lazy("imaging.codecs.containers.avif", "strip"),
    photo_density=0.0,
)
