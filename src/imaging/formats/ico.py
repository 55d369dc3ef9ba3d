"""ICO, which is read only: libvips' wheel has no loader for it, so Pillow decodes the pixels."""

from __future__ import annotations

from imaging.formats.format import Decoder, Format, Lazy

FORMAT = Format(
    name="ico",
    extensions=("ico",),
    signatures=(b"\0\0\x01\0",),
    # The signature is short, but an entry of the directory has a zero as its fourth byte.
    matches=lambda original: len(original) >= 22 and original[4:6] != b"\0\0" and original[9] == 0,
    decoder=Decoder(
        seconds=0.02,
        read_header=Lazy("imaging.codecs.decode.bitmaps", "read_ico_header"),
        read_pixels=Lazy("imaging.codecs.decode.bitmaps", "read_ico_pixels"),
    ),
    converted_to="png",
)
