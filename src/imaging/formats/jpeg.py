"""JPEG (ITU-T T.81)."""

from __future__ import annotations

from imaging.formats.content import Content, EncodingOptions, keeps_color
from imaging.formats.format import Decoder, Encoder, Format, Image, Lazy, MetadataCarrier, SaverOptions

_QUALITY = 80
_SUBSAMPLED_BELOW = 90
"""Quality from which on libvips itself keeps the full colour resolution."""
_TRELLIS = 7
"""Effort from which on the quantisation is optimised by trellis."""
_SAMPLES = {"4:4:4": 3.0, "4:2:2": 2.0, "4:4:0": 2.0, "4:2:0": 1.5, "4:1:1": 1.5}
"""Stored samples of each pixel, by chroma subsampling."""
_SUBSAMPLE_MODES = {"auto": "auto", "4:2:0": "on", "4:4:4": "off"}


def _decoder_memory(header: Image, _original: bytes) -> float:
    if not header.get_typeof("interlaced"):
        return 0
    # A progressive file needs coefficients of two bytes for the whole image.
    subsampling = str(header.get("jpeg-chroma-subsample")) if header.bands == 3 else ""
    return header.width * header.height * 2 * _SAMPLES.get(subsampling, float(header.bands))  # type: ignore[no-any-return]  # pyvips' fields


def _decoder_seconds(header: Image) -> float:
    megapixels: float = header.width * header.height / 1e6
    return megapixels / 10 if header.get_typeof("interlaced") else 0.0


def _reduction(shrink: float, _frames: int, *, is_same_format: bool) -> float:
    """Return which of the decoder's own reductions leaves enough pixels for the resize.

    It leaves twice as much for other formats than JPEG: that pays for the lower efforts of their encoders
    (bench/EFFORTS.md).
    """
    enough = max((step for step in (8, 4, 2) if step * (1 if is_same_format else 2) <= shrink), default=1)
    # If the decoder did nearly the whole reduction, its rounding would show.
    return enough // 2 if enough > 1 and int(shrink) == enough else enough


def _options(output: EncodingOptions, content: Content) -> SaverOptions:
    effort = 5 if output.effort is None else output.effort
    return {
        "Q": output.fixed_quality or _QUALITY,
        "interlace": output.progressive,
        "optimize_coding": effort > 0,
        "subsample_mode": "off"
        if keeps_color(output, graphic=content.graphic)
        else _SUBSAMPLE_MODES[output.chroma_subsampling],
        "trellis_quant": effort >= _TRELLIS,
        "overshoot_deringing": effort >= _TRELLIS,
        "optimize_scans": effort >= 9 and output.progressive,
    }


def _uninterruptible_seconds(output: EncodingOptions, _frames: int, _graphic: bool) -> float:
    return 0.12 if (output.effort or 0) >= _TRELLIS else 0.03 * output.progressive


FORMAT = Format(
    name="jpeg",
    extensions=("jpg", "jpeg"),
    signatures=(b"\xff\xd8\xff",),
    decoder=Decoder(
        loader="jpegload_source",
        seconds=0.01,
        memory=_decoder_memory,
        uninterruptible_seconds=_decoder_seconds,
        reduction=_reduction,
        load_options=lambda reduction: {"shrink": int(reduction)},
        check_parts=Lazy("imaging.codecs.decode.parts", "check_jpeg"),
        is_head=Lazy("imaging.codecs.decode.parts", "is_jpeg_head"),
        repair=Lazy("imaging.codecs.decode.repair", "repair_jpeg"),
        read_gain_map=Lazy("imaging.codecs.ultra_hdr.container", "read_gain_map"),
    ),
    encoder=Encoder(
        save="jpegsave_buffer",
        options=_options,
        seconds=lambda output: 0.11 if (output.effort or 0) >= _TRELLIS else 0.02,
        uninterruptible_seconds=_uninterruptible_seconds,
        memory=lambda _output, pixels, _alpha: 6 * pixels,
        default_quality=_QUALITY,
        scored=True,
        alpha=False,
        max_side=65_500,
        add_gain_map=Lazy("imaging.codecs.ultra_hdr.container", "add_gain_map"),
        subsamples=lambda output: (
            output.chroma_subsampling == "auto" and (output.fixed_quality or _QUALITY) < _SUBSAMPLED_BELOW
        ),
    ),
    metadata=MetadataCarrier(writes_iptc=True),
    strip=Lazy("imaging.codecs.containers.jpeg", "strip"),
    shown=True,
    photo_density=0.0,
    embeddable=True,
)
