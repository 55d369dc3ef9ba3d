"""Bytes to picture: what the file is, what decoding it would cost, and its pixels upright in sRGB, 8 bits a band.

`inspect` reads the header alone. `decode` opens the pixels, which libvips computes only when somebody pulls them, so a
damaged file may show only then: `source_at_fault` goes around whatever pulls.
"""

from features._decode._cost import uninterruptible_seconds
from features._decode._decode import decode, source_at_fault
from features._decode._header import inspect

__all__ = ["decode", "inspect", "source_at_fault", "uninterruptible_seconds"]
