"""Write lossy WebP with the libwebp that Pillow's wheel brings. The files are those of libvips, byte for byte."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import pyvips

from imaging.codecs.pillow_libraries import open_library
from imaging.context import Deadline

_ENCODER_ABI = 0x020F
_PRESET = 0
"""WEBP_PRESET_DEFAULT."""
_IMPORTS = {3: "WebPPictureImportRGB", 4: "WebPPictureImportRGBA"}
"""What converts pixels of so many bands."""
_FUNCTIONS = (
    "WebPConfigInitInternal", "WebPPictureInitInternal", "WebPMemoryWriterInit", "WebPMemoryWrite",
    "WebPEncode", "WebPMemoryWriterClear", "WebPPictureFree",
)  # fmt: skip
_PROGRESS_HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


class _Config(ctypes.Structure):
    """WebPConfig."""

    _fields_ = (
        ("lossless", ctypes.c_int), ("quality", ctypes.c_float), ("method", ctypes.c_int), ("more", ctypes.c_int * 18),
        ("thread_level", ctypes.c_int), ("rest", ctypes.c_int * 7),
    )  # fmt: skip


class _Picture(ctypes.Structure):
    """WebPPicture."""

    _fields_ = (
        ("use_argb", ctypes.c_int), ("colorspace", ctypes.c_int), ("width", ctypes.c_int), ("height", ctypes.c_int),
        ("planes", ctypes.c_void_p * 3), ("strides", ctypes.c_int * 2), ("alpha", ctypes.c_void_p),
        ("alpha_stride", ctypes.c_int), ("pad1", ctypes.c_uint32 * 2), ("argb", ctypes.c_void_p),
        ("argb_stride", ctypes.c_int), ("pad2", ctypes.c_uint32 * 3), ("writer", ctypes.c_void_p),
        ("custom", ctypes.c_void_p), ("extra_type", ctypes.c_int), ("extra", ctypes.c_void_p),
        ("stats", ctypes.c_void_p), ("error", ctypes.c_int), ("progress_hook", _PROGRESS_HOOK),
        ("user_data", ctypes.c_void_p), ("pad3", ctypes.c_uint32 * 3), ("pad4", ctypes.c_void_p * 2),
        ("pad5", ctypes.c_uint32 * 8), ("memory", ctypes.c_void_p * 2), ("pad6", ctypes.c_void_p * 2),
    )  # fmt: skip


class _Writer(ctypes.Structure):
    """WebPMemoryWriter."""

    _fields_ = (
        ("mem", ctypes.c_void_p), ("size", ctypes.c_size_t), ("max_size", ctypes.c_size_t), ("pad", ctypes.c_uint32)
    )  # fmt: skip


@cache
def _encoder() -> ctypes.CDLL | None:
    library = open_library("libwebp", *_FUNCTIONS, *_IMPORTS.values())
    if library is None:
        return None
    library.WebPConfigInitInternal.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_float, ctypes.c_int]
    for name in _IMPORTS.values():
        getattr(library, name).argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    is_known = library.WebPConfigInitInternal(ctypes.byref(_Config()), _PRESET, 75.0, _ENCODER_ABI)
    return library if is_known else None


def encode_still(image: Any, *, quality: int, effort: int, deadline: Deadline) -> bytes | None:
    """Return an image of red, green, blue and perhaps alpha, 8 bits each, as a lossy WebP without metadata.

    None where libvips must write it. Raises TimeExceeded, and pyvips.Error if the pixels cannot be computed.
    """
    library = _encoder()
    if library is None:
        return None
    config, picture, writer = _Config(), _Picture(), _Writer()
    library.WebPConfigInitInternal(ctypes.byref(config), _PRESET, quality, _ENCODER_ABI)
    library.WebPPictureInitInternal(ctypes.byref(picture), _ENCODER_ABI)
    library.WebPMemoryWriterInit(ctypes.byref(writer))
    config.method = effort
    # The alpha channel is compressed in a second thread: the same bytes, in about 0.85 of the time by the clock.
    config.thread_level = int(image.hasalpha())
    fields: dict[str, Any] = {
        "width": image.width, "height": image.height,
        "writer": ctypes.cast(library.WebPMemoryWrite, ctypes.c_void_p), "custom": ctypes.addressof(writer),
        "progress_hook": _PROGRESS_HOOK(_go_on_until(deadline)),
    }  # fmt: skip
    for name, value in fields.items():
        setattr(picture, name, value)
    try:
        if not _import_pixels(library, picture, image):
            return None
        is_whole = library.WebPEncode(ctypes.byref(config), ctypes.byref(picture))
        deadline.check()
        return ctypes.string_at(writer.mem, writer.size) if is_whole else None
    finally:
        library.WebPMemoryWriterClear(ctypes.byref(writer))
        library.WebPPictureFree(ctypes.byref(picture))


def _go_on_until(deadline: Deadline) -> Callable[[int, int], int]:
    def go_on(_percent: int, _picture: int) -> int:
        return int(deadline.left() > 0)

    return go_on


def _import_pixels(library: ctypes.CDLL, picture: _Picture, image: Any) -> bool:
    """Convert the pixels to the encoder's planes; return False where it has no memory for them."""
    levels = pyvips.ffi.from_buffer(image.write_to_memory())
    address = int(pyvips.ffi.cast("uintptr_t", levels))
    import_rows = getattr(library, _IMPORTS[image.bands])
    return bool(import_rows(ctypes.byref(picture), address, image.bands * image.width))
