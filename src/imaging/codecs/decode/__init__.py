"""Decode a file: its format, the cost of decoding it, and its pixels upright in sRGB, 8 bits per band.

`inspect` reads the header alone. `decode` opens the pixels, which libvips computes when they are used. Damage may be
noticed only then, so `source_at_fault` surrounds all code that uses pixels.
"""

from imaging.codecs.cost import decoding_memory, decoding_seconds
from imaging.codecs.cost import uninterruptible_decoding_seconds as uninterruptible_seconds
from imaging.codecs.decode.color import is_stored_as_shown
from imaging.codecs.decode.decoder import decode, loaded_size, source_at_fault
from imaging.codecs.decode.header import at_resolution, inspect, read_header

__all__ = [
    "at_resolution",
    "decode",
    "decoding_memory",
    "decoding_seconds",
    "inspect",
    "is_stored_as_shown",
    "loaded_size",
    "read_header",
    "source_at_fault",
    "uninterruptible_seconds",
]
