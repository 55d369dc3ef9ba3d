"""A format that nothing here knows: farbfeld, 16 bits of red, green, blue and alpha (tools.suckless.org/farbfeld).

`test_added_format.py` copies this file into a copy of the source and registers it there. It is an example of a format
that libvips neither reads nor writes, so its record brings functions of its own.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from imaging.formats.format import Decoder, Encoder, Format, Image, Loading

if TYPE_CHECKING:
    from imaging.picture import ImageHeader

_SIGNATURE = b"farbfeld"
_HEAD = struct.Struct(">8sII")
_PIXEL_BYTES = 8


def _read_header(original: bytes, _page: int | None, _limits: Any, _deadline: Any) -> ImageHeader:
    from imaging.picture import ImageHeader

    _, width, height = _HEAD.unpack_from(original)
    return ImageHeader(
        "farbfeld", width, height, len(original), alpha=True, bands=4, decoder_memory=width * height * _PIXEL_BYTES
    )


def _read_pixels(loading: Loading) -> Image:
    import pyvips

    width, height = loading.size
    rows = bytearray(loading.original[_HEAD.size :])
    rows[::2], rows[1::2] = rows[1::2], rows[::2]
    return pyvips.Image.new_from_memory(rows, width, height, 4, "ushort").copy(interpretation="rgb16")


def _save(image: Image, *, keep: str) -> bytes:
    image = image.colourspace("rgb16")
    image = image if image.hasalpha() else image.bandjoin(65535)
    rows = bytearray(image.cast("ushort").write_to_memory())
    rows[::2], rows[1::2] = rows[1::2], rows[::2]
    return _HEAD.pack(_SIGNATURE, image.width, image.height) + bytes(rows)


FORMAT = Format(
    name="farbfeld",
    extensions=("ff",),
    signatures=(_SIGNATURE,),
    decoder=Decoder(
        read_header=_read_header,
        read_pixels=_read_pixels,
        check_parts=lambda original, _limits: (
            len(original) >= _HEAD.size + _PIXEL_BYTES * _HEAD.unpack_from(original)[1] * _HEAD.unpack_from(original)[2]
        ),
    ),
    encoder=Encoder(
        save=_save,
        options=lambda _output, _content: {},
        seconds=lambda _output: 0.01,
        memory=lambda _output, pixels, _alpha: 2 * _PIXEL_BYTES * pixels,
        lossless=True,
        deep=True,
    ),
)
