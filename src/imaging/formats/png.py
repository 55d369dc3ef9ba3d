"""PNG (third edition); an animated one has a record of its own."""

from __future__ import annotations

import math

from imaging.formats.content import Content, EncodingOptions
from imaging.formats.format import MEGA, Decoder, Encoder, Format, Image, Lazy, MetadataCarrier, SaverOptions

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTHS = (1, 2, 4, 8)
"""Bits of an index into a palette."""
_STORED = 0
"""The compression level at which libvips stores the pixels uncompressed; they are compressed afterwards, in memory."""
_STORED_BYTES = 8 * MEGA
"""Bytes of pixels that are compressed so; those of larger images are compressed row by row."""
_TRELLIS = 7
"""Effort from which on the compression searches through many variants."""
_is_animated = Lazy[bool]("imaging.codecs.animations.apng_chunks", "is_animated")
_pack = Lazy[bytes]("imaging.codecs.png_chunks", "compress_pixels")


def may_be_animated(original: bytes) -> bool:
    """Return whether the chunk of an animation could stand before the pixels: few other files need a closer look."""
    return original.find(b"acTL", 8, original.find(b"IDAT", 8)) >= 0


def _has_palette(output: EncodingOptions) -> bool:
    return bool(output.palette or output.colors)


def _decoder_memory(header: Image, _original: bytes) -> float:
    if not header.get_typeof("interlaced"):
        return 0
    return header.width * header.height * header.bands * (1 if header.format == "uchar" else 2)  # type: ignore[no-any-return]  # pyvips' fields


def _decoder_seconds(header: Image) -> float:
    megapixels: float = header.width * header.height / 1e6
    return megapixels / 8 if header.get_typeof("interlaced") else 0.0


def choose_options(output: EncodingOptions, content: Content) -> SaverOptions:
    effort, palette = output.effort, bool(output.palette or output.colors)
    # Filters help photographs and harm flat colours; ISA-L compresses filtered rows well.
    options: SaverOptions = {
        "interlace": output.progressive,
        "compression": (6 if content.graphic else 2) if effort is None else max(1, min(effort, 9)),
        "filter": "none" if content.graphic or palette else "avg",
    }
    if content.colours:
        return options | {"bitdepth": next(bits for bits in _DEPTHS if content.colours <= 1 << bits)}
    if palette:
        bits = max(depth for depth in _DEPTHS if depth <= int(math.log2(output.colors or 256)))
        return options | {"palette": True, "bitdepth": bits, "effort": 7 if effort is None else max(1, effort)}
    if effort is None and not content.graphic and content.size <= _STORED_BYTES:
        options["compression"] = _STORED
    return options


def _finish(body: bytes, options: SaverOptions) -> bytes:
    return _pack(body) if options["compression"] == _STORED else body


def _seconds(output: EncodingOptions) -> float:
    effort = output.effort or 0
    if _has_palette(output):
        return 2.2 if effort <= _TRELLIS else 3.8
    return 0.35 if effort >= _TRELLIS else 0.075


def _memory(output: EncodingOptions, pixels: int, _alpha: bool) -> int:
    if _has_palette(output):
        return 24 * pixels
    if output.effort is None:
        # The stored file, its pixels alone, the same while they are compressed, and compressed.
        return 2 * pixels + 4 * min(4 * pixels, _STORED_BYTES)
    return 2 * pixels


ENCODER = Encoder(
    save="pngsave_buffer",
    options=choose_options,
    finish=_finish,
    add_palette=Lazy("imaging.codecs.palette_png", "add_palette"),
    seconds=_seconds,
    uninterruptible_seconds=lambda output, _frames, _graphic: 1.8 if _has_palette(output) else 0.0,
    memory=_memory,
    palette_sizes=(256, 16, 4, 2),
    lossless=True,
)

FORMAT = Format(
    name="png",
    extensions=("png",),
    signatures=(SIGNATURE,),
    matches=lambda original: not may_be_animated(original) or not _is_animated(original),
    decoder=Decoder(
        loader="pngload_source",
        seconds=0.02,
        memory=_decoder_memory,
        uninterruptible_seconds=_decoder_seconds,
        prepare=Lazy("imaging.codecs.decode.chunks", "remove_texts"),
        open_stream=Lazy("imaging.codecs.decode.inflate", "open_decompressed"),
        check_parts=Lazy("imaging.codecs.decode.parts", "check_png"),
        repair=Lazy("imaging.codecs.decode.repair", "repair_png"),
        read_color_space=Lazy("imaging.codecs.decode.png_color", "read_color_space"),
    ),
    encoder=ENCODER,
    metadata=MetadataCarrier(read_xmp=Lazy("imaging.codecs.decode.chunks", "xmp"), xmp_mark=b"XML:com.adobe.xmp"),
    strip=Lazy("imaging.codecs.containers.png", "strip"),
    shown=True,
    opaque_as="jpeg",
    embeddable=True,
)
