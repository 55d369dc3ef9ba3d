"""Decode a WebP by libwebp's incremental decoder, while it arrives or from a whole file.

libvips' loader waits for the end of the file, and its libwebp is a fifth slower. The library is the one that Pillow's
wheel brings, called through ctypes; where it is not found, libvips reads the file. Pixels are the same, because libvips
calls the same decoder.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, Protocol

import pyvips
from msgspec import structs

from imaging.codecs.pillow_libraries import open_library
from imaging.context import Deadline
from imaging.errors import DamagedSource
from imaging.formats import WEBP, format_by_name
from imaging.picture import ImageHeader

Image = Any
"""A pyvips image; its stubs give every field a union of types."""

_RIFF = struct.Struct("<4sI")
_FRAME = struct.Struct("<3s3sHH")
"""The frame header of VP8 (RFC 6386, 9.1): a tag, the start code, width and height, with two bits of scale each."""
_START_CODE = b"\x9d\x01\x2a"
_PLAIN_FLAGS = 0x20
"""The flag of VP8X (RFC 9649, 2.7) that a file may have here: an ICC profile. No alpha, animation, EXIF or XMP."""
_BLOCK = 1 << 16
"""Bytes of a whole file that are decoded before the deadline is looked at again."""
_ABI = 0x0209
_OK, _SUSPENDED = 0, 5
_RGB = 0
"""MODE_RGB."""


class _Pixels(ctypes.Structure):
    _fields_ = (("rgba", ctypes.c_void_p), ("stride", ctypes.c_int), ("size", ctypes.c_size_t))


class _Planes(ctypes.Structure):
    _fields_ = (("planes", ctypes.c_void_p * 4), ("strides", ctypes.c_int * 4), ("sizes", ctypes.c_size_t * 4))


class _Content(ctypes.Union):
    _fields_ = (("rgba", _Pixels), ("yuva", _Planes))


class _Buffer(ctypes.Structure):
    """WebPDecBuffer."""

    _fields_ = (
        ("colorspace", ctypes.c_int), ("width", ctypes.c_int), ("height", ctypes.c_int), ("is_external", ctypes.c_int),
        ("content", _Content), ("pad", ctypes.c_uint32 * 4), ("private_memory", ctypes.c_void_p),
    )  # fmt: skip


class _Options(ctypes.Structure):
    """WebPDecoderOptions."""

    _fields_ = (
        ("filters", ctypes.c_int * 2), ("crop", ctypes.c_int * 5), ("use_scaling", ctypes.c_int),
        ("scaled_width", ctypes.c_int), ("scaled_height", ctypes.c_int), ("use_threads", ctypes.c_int),
        ("dithering", ctypes.c_int * 3), ("pad", ctypes.c_uint32 * 5),
    )  # fmt: skip


class _Config(ctypes.Structure):
    """WebPDecoderConfig."""

    _fields_ = (("features", ctypes.c_int * 10), ("output", _Buffer), ("options", _Options))


@cache
def _library() -> ctypes.CDLL | None:
    """Return libwebp; None where Pillow's wheel has not brought it, or with another interface."""
    library = open_library("libwebp", "WebPInitDecoderConfigInternal", "WebPIDecode", "WebPIUpdate", "WebPIDelete")
    if library is None:
        return None
    library.WebPInitDecoderConfigInternal.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.WebPIDecode.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    library.WebPIDecode.restype = ctypes.c_void_p
    library.WebPIUpdate.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    library.WebPIDelete.argtypes = [ctypes.c_void_p]
    return library if library.WebPInitDecoderConfigInternal(ctypes.byref(_Config()), _ABI) else None


class Blocks(Protocol):
    """What gives the bytes of a file in their order, then none."""

    def next_block(self) -> memoryview: ...


class _Head(NamedTuple):
    """What stands before the pixels of a still, opaque, lossy WebP without metadata."""

    width: int
    height: int
    profile: bytes
    end: int
    """The size of the file as it is stated there."""


def _parse(head: bytes) -> _Head | None:
    """Return the head, None if it is incomplete or that of another kind of WebP."""
    end = 8 + _RIFF.unpack_from(head)[1] if len(head) >= _RIFF.size else 0
    at, profile, canvas = 12, b"", None
    while at + 8 + _FRAME.size <= len(head):
        kind, length = _RIFF.unpack_from(head, at)
        start, at = at + 8, at + 8 + length + length % 2
        if kind == b"VP8 ":
            tag, code, width, height = _FRAME.unpack_from(head, start)
            size = width & 0x3FFF, height & 0x3FFF
            # Nothing may follow on the pixels: it would be EXIF, whose orientation counts, or damage.
            is_plain = code == _START_CODE and not tag[0] & 1 and canvas in (None, size) and at == end and min(size)
            return _Head(*size, profile, end) if is_plain else None
        if kind == b"VP8X" and length == 10 and canvas is None and not head[start] & ~_PLAIN_FLAGS:
            canvas = tuple(1 + int.from_bytes(head[start + side : start + side + 3], "little") for side in (4, 7))
        elif kind == b"ICCP" and length and canvas is not None and not profile and head[20] & _PLAIN_FLAGS:
            profile = head[start : start + length]
        else:
            return None
    return None


def is_webp_head(head: bytes) -> bool:
    """Return whether the first bytes of a WebP reach the pixels, and these can be decoded while they arrive."""
    return _parse(head) is not None and _library() is not None


def read_webp_head(head: bytes, size: int) -> ImageHeader | None:
    """Return the header of a file of that size, as libvips would; None if the file does not end where it says."""
    found = _parse(head)
    if found is None or found.end != size:
        return None
    source = ImageHeader(WEBP.name, found.width, found.height, size, profile=bool(found.profile))
    # Opaque and lossy pixels are scaled while they are decoded, so the decoder holds nothing more.
    return structs.replace(source, decoder_seconds=format_by_name(WEBP.name).decoder.uninterruptible_seconds(source))


def read_webp_stream(stream: Blocks, head: bytes, scale: float, deadline: Deadline) -> Image:
    """Return the pixels, reduced by the factor `scale`. Raises DamagedSource where the file is not a whole WebP."""
    found = _parse(head)
    if found is None:
        raise _damaged("the head of the WebP has changed")
    file = bytearray(found.end)

    def receive() -> Iterator[int]:
        received = 0
        while block := stream.next_block()[: found.end - received]:
            file[received : received + len(block)] = block
            received += len(block)
            yield received

    return _read(found, ctypes.byref(ctypes.c_char.from_buffer(file)), receive(), scale, deadline)


def read_webp_still(original: bytes, scale: float, deadline: Deadline) -> Image | None:
    """Return the pixels of a still, opaque, lossy WebP without EXIF, reduced by the factor `scale`.

    None for any other WebP, and for a damaged one: libvips knows what is wrong with it.
    """
    found = _parse(original)
    if found is None or found.end != len(original) or _library() is None:
        return None
    sizes = range(_BLOCK, found.end + _BLOCK, _BLOCK)
    try:
        return _read(found, original, (min(size, found.end) for size in sizes), scale, deadline)
    except DamagedSource:
        return None


def _read(found: _Head, file: Any, sizes: Iterator[int], scale: float, deadline: Deadline) -> Image:
    """Return the pixels of a file in memory, of which one size after the other is known."""
    width, height = (max(1, round(side * scale)) for side in (found.width, found.height))
    pixels = bytearray(3 * width * height)
    first = ctypes.c_char.from_buffer(pixels)
    content = _Content(rgba=_Pixels(ctypes.addressof(first), 3 * width, len(pixels)))
    config = _Config(
        # All that is not named here is 0, as WebPInitDecoderConfig leaves it.
        output=_Buffer(colorspace=_RGB, is_external=1, content=content),
        options=_Options(use_scaling=int(scale != 1), scaled_width=width, scaled_height=height, use_threads=1),
    )
    _decode(config, file, sizes, deadline)
    image: Image = pyvips.Image.new_from_memory(pixels, width, height, 3, "uchar").copy(interpretation="srgb")
    if found.profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", found.profile)
    return image


def _decode(config: _Config, file: Any, sizes: Iterator[int], deadline: Deadline) -> None:
    library = _library()
    decoder = library.WebPIDecode(None, 0, ctypes.byref(config)) if library else None
    if library is None or not decoder:
        raise _damaged("libwebp is missing, or has no memory")
    try:
        status = _SUSPENDED
        while status == _SUSPENDED and (size := next(sizes, 0)):
            deadline.check()
            # WebPIAppend would copy all that it may still need of the file for each block: of a file with several
            # partitions all of it, so that 40 MB took seconds.
            status = library.WebPIUpdate(decoder, file, size)
        if status != _OK:
            raise _damaged(f"libwebp's status is {status}")
    finally:
        library.WebPIDelete(decoder)


def _damaged(detail: str) -> DamagedSource:
    return DamagedSource("the picture cannot be decoded", detail=detail)
