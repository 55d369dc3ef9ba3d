"""Bytes to picture: what the file is, what decoding it would cost, and its pixels upright in sRGB, 8 bits a band.

`inspect` reads the header alone. `decode` opens the pixels, which libvips computes only when somebody pulls them, so a
damaged file may show only then: `source_at_fault` goes around whatever pulls.
"""

from imaging.codecs.decode.cost import decoding_memory, decoding_seconds, uninterruptible_seconds
from imaging.codecs.decode.decoder import decode, loaded_size, source_at_fault
from imaging.codecs.decode.header import inspect, source_of

__all__ = [
    "decode",
    "decoding_memory",
    "decoding_seconds",
    "inspect",
    "loaded_size",
    "source_at_fault",
    "source_of",
    "uninterruptible_seconds",
]
