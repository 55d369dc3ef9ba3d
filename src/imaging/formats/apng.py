"""APNG: a PNG of several frames (third edition), which has a name and a media type of its own."""

from __future__ import annotations

from typing import Any

from imaging.formats import png
from imaging.formats.content import Content, EncodingOptions
from imaging.formats.format import Decoder, Encoder, Format, Image, Lazy, MetadataCarrier, SaverOptions

_STILL, _STILL_ENCODER = png.FORMAT.decoder, png.ENCODER
_COMPRESSION = 6
"""The compression level without an effort: frames are compressed by libvips, not afterwards."""
_is_animated = Lazy[bool]("imaging.codecs.animations.apng_chunks", "is_animated")
_save_animation = Lazy[bytes]("imaging.codecs.animations.apng_write", "save_animation")


def _options(output: EncodingOptions, content: Content) -> SaverOptions:
    options = png.choose_options(output, content)
    return options | {"compression": _COMPRESSION} if output.effort is None else options


def _save(image: Image, *, keep: str, **options: Any) -> bytes:
    """Return an APNG; a single frame is an ordinary PNG, which is a file of this format as well."""
    if image.get_typeof("page-height"):
        return _save_animation(image, keep=keep, **options)
    return bytes(image.pngsave_buffer(keep=keep, **options))


FORMAT = Format(
    name="apng",
    extensions=("apng",),
    signatures=(png.SIGNATURE,),
    matches=lambda original: png.may_be_animated(original) and _is_animated(original),
    decoder=Decoder(
        loader=_STILL.loader,
        seconds=0.04,
        memory=lambda header, original: _STILL.memory(header, original) + 12 * header.width * header.height,
        uninterruptible_seconds=_STILL.uninterruptible_seconds,
        animated=True,
        prepare=_STILL.prepare,
        check_parts=Lazy("imaging.codecs.animations.apng_chunks", "check_parts"),
        read_color_space=_STILL.read_color_space,
        read_animation=Lazy("imaging.codecs.animations.apng_chunks", "read_animation"),
        read_frames=Lazy("imaging.codecs.animations.apng_read", "draw_frames"),
    ),
    encoder=Encoder(
        save=_save,
        options=_options,
        add_palette=_STILL_ENCODER.add_palette,
        seconds=lambda output: 2 * _STILL_ENCODER.seconds(output) + 0.05,
        # Each frame is a file of its own to libvips, which is not stopped between two of them.
        uninterruptible_seconds=lambda output, _frames, _graphic: 2 * _STILL_ENCODER.seconds(output) + 0.05,
        memory=lambda output, pixels, alpha: _STILL_ENCODER.memory(output, pixels, alpha) + 8 * pixels,
        palette_sizes=_STILL_ENCODER.palette_sizes,
        lossless=True,
        animated=True,
        still=False,
    ),
    metadata=MetadataCarrier(read_xmp=Lazy("imaging.codecs.decode.chunks", "xmp"), xmp_mark=b"XML:com.adobe.xmp"),
    strip=Lazy("imaging.codecs.containers.png", "strip"),
    shown=True,
    embeddable=True,
)
