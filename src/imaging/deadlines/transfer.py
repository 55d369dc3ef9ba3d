"""Sends values between this process and an isolated one: pickled, with the pixels of pyvips images before the pickle.

What an isolated process sends is not trusted, because a hostile file may have taken over its decoder. Only the types
that are listed here are unpickled, sizes are checked against a bound, and errors are rebuilt from their types' names.
"""

from __future__ import annotations

import pickle
import socket
import struct
import time
from typing import Any

import pyvips

from imaging import errors
from imaging.errors import FeatureError
from imaging.picture import SAMPLE_BYTES

_FRAME = struct.Struct("=cQ")
_IMAGE, _STRIP, _PICKLE = b"I", b"S", b"P"
"""The kinds of frames: an image of so many bytes, some of its rows, and a pickled value.

The value refers to the images before it by their number.
"""
_STRIP_BYTES = 4_000_000
"""Pixels are sent in strips of about that size, so that a sequential image is never in memory as a whole."""
_ANSWERS = frozenset(
    {("imaging.picture", "ImageHeader"), ("imaging.picture", "Picture"), ("imaging.picture", "PalettePixels")}
)
_METADATA = "-data"
_COMPLEX_BYTES = 16
"""Bytes of one sample of libvips' complex formats, at most."""


class TransferError(RuntimeError):
    """The other process sent something that is not allowed, or the connection failed."""


class ProcessEnded(TransferError):
    """The other process ended."""


class Channel:
    """One end of a socket between two processes."""

    def __init__(self, end: socket.socket, until: float = float("inf"), limit: int = 2**62) -> None:
        """Wait for the other process `until` that time of the monotonic clock, and accept at most `limit` bytes."""
        self._socket = end
        self._until = until
        self._left = limit

    def send(self, value: object) -> None:
        """Send a value. Raises TransferError and TimeoutError."""
        chunks = _Chunks()
        pickler = _Pickler(chunks, protocol=5)
        pickler.dump(value)
        try:
            for image in pickler.images:
                self._send_pixels(image)
            self._send(_FRAME.pack(_PICKLE, sum(map(len, chunks.parts))))
            for part in chunks.parts:
                self._send(part)
        except TimeoutError:
            raise
        except OSError as error:
            raise TransferError(str(error)) from None

    def receive(self, *, trusted: bool = False) -> Any:
        """Return the next value. Raises TransferError and TimeoutError."""
        pixels: list[_Pixels] = []
        while (frame := _FRAME.unpack(self._read(_FRAME.size)))[0] != _PICKLE:
            kind, size = frame
            if kind == _IMAGE:
                self._count(size)
                pixels.append(_Pixels(bytearray(size)))
            elif kind == _STRIP and pixels and size <= len(pixels[-1].content) - pixels[-1].filled:
                start, pixels[-1].filled = pixels[-1].filled, pixels[-1].filled + size
                self._fill(memoryview(pixels[-1].content)[start : start + size])
            else:
                raise TransferError(f"a frame of kind {kind!r} and {size} bytes")
        content = self._read(frame[1])
        try:
            return _Unpickler(content, pixels, trusted=trusted).load()
        except Exception as error:
            if trusted:
                raise
            raise TransferError(f"{type(error).__name__}: {error}") from None

    def _send_pixels(self, image: Any) -> None:
        size = image.width * image.height * image.bands * SAMPLE_BYTES.get(str(image.format), _COMPLEX_BYTES)
        rows = max(1, _STRIP_BYTES * image.height // max(size, 1))
        for top in range(0, image.height, rows):
            strip = image.crop(0, top, image.width, min(rows, image.height - top)).write_to_memory()
            if not top:
                self._send(_FRAME.pack(_IMAGE, size))
            self._send(_FRAME.pack(_STRIP, len(strip)))
            self._send(strip)

    def _send(self, content: Any) -> None:
        self._wait()
        self._socket.sendall(content)

    def _count(self, size: int) -> None:
        if size > self._left:
            raise TransferError(f"{size} bytes where {self._left} are allowed")
        self._left -= size

    def _read(self, size: int) -> bytearray:
        self._count(size)
        content = bytearray(size)
        self._fill(memoryview(content))
        return content

    def _fill(self, view: memoryview) -> None:
        at = 0
        while at < len(view):
            self._wait()
            try:
                got = self._socket.recv_into(view[at:])
            except TimeoutError:
                raise
            except OSError as error:
                raise TransferError(str(error)) from None
            if not got:
                raise ProcessEnded("the other process has ended")
            at += got

    def _wait(self) -> None:
        if self._until == float("inf"):
            return
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def error_parts(error: FeatureError) -> tuple[str, tuple[object, ...], dict[str, object]]:
    """Return the name of an error's type, its arguments and its attributes, which are sent."""
    return type(error).__name__, error.args, vars(error)


def error_of(name: str, args: tuple[object, ...], state: dict[str, object]) -> FeatureError:
    """Return the error that was sent, if it is one of `imaging.errors`. Raises TransferError."""
    kind = getattr(errors, name, None)
    if not (isinstance(kind, type) and issubclass(kind, FeatureError)):
        raise TransferError(f"an error of type {name!r}")
    error: FeatureError = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


class _Pixels:
    """The pixels of one image, as far as they have been received."""

    def __init__(self, content: bytearray) -> None:
        self.content = content
        self.filled = 0


class _Chunks:
    """A file to write to that keeps the written parts without copying them."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, part: Any) -> int:
        content = part if isinstance(part, bytes) else bytes(part)
        self.parts.append(content)
        return len(content)


class _Reader:
    """A file to read from that does not copy its content as a whole."""

    def __init__(self, content: bytearray) -> None:
        self._content = memoryview(content)
        self._at = 0

    def read(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        return bytes(self._content[start : self._at])

    def readline(self) -> bytes:
        end = bytes(self._content[self._at :]).find(b"\n")
        return self.read(end + 1 if end >= 0 else len(self._content) - self._at)


class _Pickler(pickle.Pickler):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.images: list[Any] = []

    def persistent_id(self, value: Any) -> object:
        if not isinstance(value, pyvips.Image):
            return None
        image: Any = value
        self.images.append(image)
        shape = (image.width, image.height, image.bands, image.format)
        blobs = {name: bytes(image.get(name)) for name in image.get_fields() if name.endswith(_METADATA)}
        return len(self.images) - 1, shape, image.interpretation, blobs


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytearray, pixels: list[_Pixels], *, trusted: bool) -> None:
        super().__init__(_Reader(content))
        self._pixels = pixels
        self._trusted = trusted

    def find_class(self, module: str, name: str) -> Any:
        if self._trusted or (module, name) in _ANSWERS:
            return super().find_class(module, name)
        raise TransferError(f"an answer that names {module}.{name}")

    def persistent_load(self, value: Any) -> Any:
        number, shape, interpretation, blobs = value
        pixels = self._pixels[number]
        if pixels.filled < len(pixels.content):
            raise TransferError(f"{pixels.filled} of {len(pixels.content)} bytes of an image")
        image: Any = pyvips.Image.new_from_memory(pixels.content, *shape)
        image = image.copy(interpretation=interpretation)
        for name, blob in blobs.items():
            if not name.endswith(_METADATA):
                raise TransferError(f"metadata that is named {name!r}")
            image.set_type(pyvips.GValue.blob_type, name, blob)
        return image
