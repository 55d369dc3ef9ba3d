"""BMP. libvips' wheel has neither a loader nor a saver for it: Pillow decodes the pixels, and they are written here.

Source of the layout: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
"""

from __future__ import annotations

import struct

from imaging.formats.format import Decoder, Encoder, Format, Image, Lazy

_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
"""Sizes of the known headers."""
_FILE_HEADER = struct.Struct("<2sI4xI")
_INFO_HEADER = struct.Struct("<IiiHHIIiiII")
_MASKS = struct.pack("<IIII4s48x", 0xFF0000, 0xFF00, 0xFF, 0xFF000000, b"BGRs")
"""What BITMAPV4HEADER adds: the bits of red, green, blue and alpha, and sRGB as the colour space."""
_BI_RGB, _BI_BITFIELDS = 0, 3


def _save(image: Image, *, keep: str) -> bytes:  # noqa: ARG001 - the format has no place for metadata
    """Return a file of 24 bits per pixel, or of 32 with alpha, whose rows are stored from the top."""
    alpha = image.hasalpha()
    if image.bands < 3:
        image = image.colourspace("srgb")
    red, green, blue, *others = image.bandsplit()
    pixels = blue.bandjoin([green, red, *others[:1]]).write_to_memory()
    width, height, line = image.width, image.height, image.width * (4 if alpha else 3)
    # Each row takes a multiple of four bytes.
    if padding := bytes(-line % 4):
        rows = memoryview(pixels)
        pixels = b"".join(part for at in range(0, len(rows), line) for part in (rows[at : at + line], padding))
    masks = _MASKS if alpha else b""
    size, start = _INFO_HEADER.size + len(masks), _FILE_HEADER.size + _INFO_HEADER.size + len(masks)
    bits, compression = (32, _BI_BITFIELDS) if alpha else (24, _BI_RGB)
    # A negative height says that the first row is the top one.
    header = _INFO_HEADER.pack(size, width, -height, 1, bits, compression, len(pixels), 0, 0, 0, 0)
    return b"".join((_FILE_HEADER.pack(b"BM", start + len(pixels), start), header, masks, pixels))


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
    encoder=Encoder(
        save=_save,
        options=lambda _output, _content: {},
        seconds=lambda _output: 0.01,
        # The pixels, the rows with their padding, and the file.
        memory=lambda _output, pixels, alpha: 3 * pixels * (4 if alpha else 3),
        default_quality=0,
        lossless=True,
    ),
    converted_to="png",
)
