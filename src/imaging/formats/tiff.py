"""TIFF 6.0 and BigTIFF."""

from __future__ import annotations

from imaging.formats.content import Content, EncodingOptions
from imaging.formats.format import Decoder, Encoder, Format, Image, Lazy, MetadataCarrier, SaverOptions

_strip_rows = Lazy[int]("imaging.codecs.decode.tiff", "strip_rows")
_is_measured = Lazy[bool]("imaging.codecs.decode.tiff", "is_measured")


def _decoder_memory(header: Image, original: bytes) -> float:
    rows = min(_strip_rows(original), header.height)
    sample = 1 if header.format == "uchar" else 2
    # The range of measurements and of other numbers is looked for before they are brought to 8 bits.
    is_scaled = header.format not in ("uchar", "ushort") or (header.format == "ushort" and _is_measured(original))
    held = 4 * header.width * header.height * header.bands if is_scaled else 0
    return rows * header.width * header.bands * sample + held  # type: ignore[no-any-return]  # pyvips' fields


def _options(output: EncodingOptions, content: Content) -> SaverOptions:
    # JPEG inside a TIFF has no alpha channel.
    if output.fixed_quality is not None and not output.lossless and not content.alpha:
        return {"compression": "jpeg", "Q": output.fixed_quality}
    return {"compression": "deflate", "predictor": "horizontal"}


FORMAT = Format(
    name="tiff",
    extensions=("tiff", "tif"),
    signatures=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    decoder=Decoder(
        loader="tiffload_source",
        seconds=0.02,
        memory=_decoder_memory,
        # The library's own limit of 50 MB refuses a camera's TIFF; memory is checked before decoding instead.
        load_options=lambda _reduction: {"unlimited": True},
        check_parts=Lazy("imaging.codecs.decode.tiff", "check_parts"),
    ),
    encoder=Encoder(
        save="tiffsave_buffer",
        options=_options,
        seconds=lambda _output: 0.065,
        memory=lambda _output, pixels, _alpha: 3 * pixels,
        lossless=True,
        deep=True,
        pages=True,
    ),
    metadata=MetadataCarrier(is_exif_block=True, add_metadata=Lazy("imaging.codecs.metadata", "into_tiff")),
)
