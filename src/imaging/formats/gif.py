"""GIF (GIF89a)."""

from __future__ import annotations

import math

from imaging.formats.content import Content, EncodingOptions
from imaging.formats.format import Decoder, Encoder, Format, Lazy, MetadataCarrier, SaverOptions

_FAST = 5
"""The highest effort that is fast."""


def _options(output: EncodingOptions, _content: Content) -> SaverOptions:
    effort = 3 if output.effort is None else max(1, output.effort)
    return {"effort": effort, "interlace": output.progressive, "bitdepth": int(math.log2(output.colors or 256))}


FORMAT = Format(
    name="gif",
    extensions=("gif",),
    signatures=(b"GIF87a", b"GIF89a"),
    decoder=Decoder(
        loader="gifload_source",
        seconds=0.01,
        memory=lambda header, _original: 8 * header.width * header.height,
        animated=True,
        check_parts=Lazy("imaging.codecs.decode.gif", "check_parts"),
        amend=Lazy("imaging.codecs.decode.gif", "clear_undrawn"),
    ),
    encoder=Encoder(
        save="gifsave_buffer",
        options=_options,
        seconds=lambda output: 0.5 if (output.effort or 0) <= _FAST else 1.4,
        uninterruptible_seconds=lambda output, _frames, _graphic: 0.8 if (output.effort or 0) <= _FAST else 2.0,
        memory=lambda _output, pixels, _alpha: 15 * pixels,
        palette_sizes=(128, 64, 32, 16, 8, 4, 2),
        animated=True,
        max_side=65_535,
    ),
    metadata=MetadataCarrier(
        read_xmp=Lazy("imaging.codecs.containers.gif", "read_xmp"),
        xmp_mark=b"XMP DataXMP",
        add_metadata=Lazy("imaging.codecs.containers.gif", "add_metadata"),
    ),
    strip=Lazy("imaging.codecs.containers.gif", "strip"),
    shown=True,
    embeddable=True,
)
