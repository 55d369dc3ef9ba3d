"""Conversions by the lcms that Pillow's wheel brings, called through ctypes.

libvips' own lcms gives the same pixels. But libvips sets a conversion up again for each image, which takes 2 ms, and
converts a quarter slower.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import pyvips

from imaging.codecs.pillow_libraries import open_library

_RGB_8 = 4 << 16 | 3 << 3 | 1
"""TYPE_RGB_8: red, green and blue, a byte each."""
_FUNCTIONS = ("cmsOpenProfileFromMem", "cmsCloseProfile", "cmsCreateTransform", "cmsDeleteTransform", "cmsDoTransform")
_PERCEPTUAL, _NO_CACHE = 0, 0x40
"""Without the cache of the last pixel, threads may share a conversion."""


class Conversion:
    """The conversion of pixels from one profile to sRGB."""

    def __init__(self, library: ctypes.CDLL, transform: int) -> None:
        self._library, self._transform = library, transform

    def apply(self, image: Any) -> Any:
        """Return an image of red, green and blue, a byte each, in sRGB and in memory."""
        levels = bytearray(image.write_to_memory())
        first = ctypes.byref(ctypes.c_char.from_buffer(levels))
        self._library.cmsDoTransform(self._transform, first, first, len(levels) // 3)
        converted: Any = pyvips.Image.new_from_memory(levels, image.width, image.height, 3, "uchar")
        return converted.copy(interpretation="srgb", xres=image.xres, yres=image.yres)

    def __del__(self) -> None:
        self._library.cmsDeleteTransform(self._transform)


def open_conversion(profile: bytes) -> Conversion | None:
    """Return the conversion from a profile; None where the library is missing or cannot use the profile."""
    library = _lcms()
    if library is None:
        return None
    srgb = bytes(pyvips.Operation.call("profile_load", "srgb"))
    profiles = [library.cmsOpenProfileFromMem(each, len(each)) for each in (profile, srgb)]
    try:
        transform = all(profiles) and library.cmsCreateTransform(
            profiles[0], _RGB_8, profiles[1], _RGB_8, _PERCEPTUAL, _NO_CACHE
        )
        return Conversion(library, transform) if transform else None
    finally:
        for each in filter(None, profiles):
            library.cmsCloseProfile(each)


@cache
def _lcms() -> ctypes.CDLL | None:
    library = open_library("liblcms2", *_FUNCTIONS)
    if library is None:
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    library.cmsOpenProfileFromMem.argtypes = [ctypes.c_char_p, number]
    library.cmsOpenProfileFromMem.restype = pointer
    library.cmsCloseProfile.argtypes = [pointer]
    library.cmsCreateTransform.argtypes = [pointer, number, pointer, number, number, number]
    library.cmsCreateTransform.restype = pointer
    library.cmsDeleteTransform.argtypes = [pointer]
    library.cmsDoTransform.argtypes = [pointer, pointer, pointer, number]
    library.cmsDoTransform.restype = None
    return library
