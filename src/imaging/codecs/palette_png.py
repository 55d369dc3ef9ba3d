"""Write a PNG with a given palette: libvips writes palettes only if it has computed them itself."""

from __future__ import annotations

from imaging.codecs.png_chunks import SIGNATURE, chunk

_HEADER_ENDS = 33
"""After the signature and the first chunk, which is always IHDR."""
_INDEXED = 3


def add_palette(grey: bytes, colours: bytes) -> bytes:
    """Return a grey PNG with its levels turned into indexes into a palette of red, green and blue."""
    header = bytearray(grey[16:29])
    header[9] = _INDEXED
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"PLTE", colours) + grey[_HEADER_ENDS:]
