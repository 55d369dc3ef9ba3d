"""BMP, which is read only: libvips' wheel has no loader for it, so Pillow decodes the pixels."""

from __future__ import annotations

import struct

from imaging.formats.format import Decoder, Format, Lazy

_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
"""Sizes of the known headers."""

FORMAT = Format(
    name="bmp",
    extensions=("bmp",),
    signatures=(b"BM",),
    matches=lambda original: len(original) >= 26 and struct.unpack_from("<I", original, 14)[0] in _HEADERS,
    decoder=Decoder(
        seconds=0.01,
        read_header=Lazy("imaging.codecs.decode.bitmaps", "read_bmp_header"),
        read_pixels=Lazy("imaging.codecs.decode.bitmaps", "read_bmp_pixels"),
    ),
    converted_to="png",
)
