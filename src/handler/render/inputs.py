"""The inputs of one result: the original and the objects that steps name, requested from their stores but not read."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import msgspec

from handler.core.errors import PayloadTooLarge, UpstreamError
from handler.core.ports import DetectionInput, ObjectInfo, ObjectReader, StoredObject
from handler.requests.image_request import ImageRequest, list_objects
from imaging import Limits, ObjectRef

if TYPE_CHECKING:
    from imaging import Context, OriginalStream, Output, PixelCache, Rendered, Report, Step

STREAMED_FROM = 500_000
"""Bytes from which on an original is decoded while it arrives. Of a smaller one too little is left to wait for."""


class _CachedObject:
    """An object whose bytes are read once, although both a detector and the run may need them."""

    is_remote = False
    """Its bytes are yielded at once, when all have been read."""

    def __init__(self, objects: ObjectReader, ref: ObjectRef) -> None:
        """Request the object. HandlerError if it cannot be read."""
        self._objects = objects
        self._ref = ref
        self._stored = objects.get(ref)
        self.info = self._stored.info
        self._body: bytes | None = None
        self._is_streamed = False

    def read(self, head: Sequence[bytes] = ()) -> bytes:
        if self._body is None:
            self._body = self._read_again() if self._is_streamed else self._stored.read(head)
        return self._body

    def blocks(self) -> Generator[bytes]:
        yield self.read()

    def open_stream(self) -> OriginalStream | None:
        """Return the bytes as they arrive; None if they have been read, or if nothing is gained by it.

        That is so for few bytes, and for a file on this machine, which is read without waiting.
        """
        if self._body is not None or self.info.size < STREAMED_FROM or not self._stored.is_remote:
            return None
        from imaging import OriginalStream  # noqa: PLC0415 - of large originals alone

        self._is_streamed = True
        return OriginalStream(self.info.size, self._stored.blocks(), self._read_rest, self.read)

    def _read_rest(self, head: Sequence[bytes]) -> bytes:
        self._body = self._stored.read(head)
        return self._body

    def _read_again(self) -> bytes:
        """Request the object once more, and return its bytes. UpstreamError if it has been replaced in between."""
        stored = self._objects.get(self._ref)
        if stored.info.etag != self.info.etag:
            raise UpstreamError(
                f"`{self._ref.key}` was replaced while it was read: try again", status=HTTPStatus.SERVICE_UNAVAILABLE
            )
        return stored.read()

    @property
    def detection_input(self) -> DetectionInput:
        return DetectionInput(tag_of(self.info.ref), self.info.etag, self.info.ref.key, self.read)

    @property
    def tags(self) -> tuple[str, ...]:
        """The cache tag of the object."""
        return (tag_of(self.info.ref),)


class OverlayObject(Protocol):
    """An object that is laid over the original: one from a store, or the image at an address."""

    @property
    def info(self) -> ObjectInfo: ...
    @property
    def tags(self) -> tuple[str, ...]:
        """The cache tags of all that it is made of."""
        ...

    @property
    def detection_input(self) -> DetectionInput:
        """What detectors look at."""
        ...

    def read(self) -> bytes:
        """Return the bytes of the image."""
        ...


class ReadOnce:
    """Reads each object once, for several requests that need the same objects."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects
        self._read: dict[ObjectRef, _CachedObject] = {}

    def get(self, ref: ObjectRef) -> StoredObject:
        """Return an object, which is requested from its source the first time only."""
        if ref not in self._read:
            self._read[ref] = _CachedObject(self._objects, ref)
        return self._read[ref]


class Inputs(msgspec.Struct, frozen=True):
    """The original, or the bytes of an inline image, and the named objects."""

    original: bytes | _CachedObject
    named: Mapping[ObjectRef, OverlayObject] = msgspec.field(default_factory=dict)

    @property
    def infos(self) -> list[ObjectInfo]:
        """What the stores know of each object, the original first; an inline image is not one of them."""
        original = [] if isinstance(self.original, bytes) else [self.original.info]
        return original + [stored.info for stored in self.named.values()]

    @property
    def tags(self) -> tuple[str, ...]:
        """The cache tags of all that goes in, the original's first."""
        original = () if isinstance(self.original, bytes) else self.original.tags
        return tuple(dict.fromkeys((*original, *(tag for stored in self.named.values() for tag in stored.tags))))

    @property
    def inline_hash(self) -> str:
        """SHA-256 of an inline image in hex digits; empty for an original from a store."""
        return hashlib.sha256(self.original).hexdigest() if isinstance(self.original, bytes) else ""

    @property
    def detection_input(self) -> DetectionInput:
        """The original, for detectors."""
        original = self.original
        if isinstance(original, bytes):
            return DetectionInput("posted", self.inline_hash, "the posted image", lambda: original, is_inline=True)
        return original.detection_input

    def open_original(self) -> bytes | OriginalStream:
        """Return the bytes of the original, or the stream in which they arrive."""
        stream = None if isinstance(self.original, bytes) else self.original.open_stream()
        return self.read_original() if stream is None else stream

    def draw_from(
        self, pixels: PixelCache, steps: Sequence[Step], output: Output, context: Context
    ) -> Rendered | Report | None:
        """Return the result from pixels of the original that are kept; None where they cannot be used."""
        original = self.original
        if isinstance(original, bytes):
            return None
        key = (tag_of(original.info.ref), original.info.etag)
        return pixels.run(key, original.read, steps, output, context)

    def read_original(self) -> bytes:
        """Return the bytes of the original."""
        return self.original if isinstance(self.original, bytes) else self.original.read()

    def read_named(self) -> dict[ObjectRef, bytes]:
        """Return the bytes of the named objects."""
        return {ref: stored.read() for ref, stored in self.named.items()}


def fetch_inputs(
    request: ImageRequest, objects: ObjectReader, limits: Limits, rendered: Mapping[ObjectRef, OverlayObject]
) -> Inputs:
    """Request all objects at the same time. HandlerError for one that cannot be read, or if they are too large.

    `rendered` are the overlays that are images at addresses.
    """
    refs = list(dict.fromkeys(list_objects(request.steps)))
    # Images at addresses count as what they are made of.
    count = len(set(request.stored_objects)) if rendered else len(refs)
    if count > limits.overlays:
        raise PayloadTooLarge(f"a request may name {limits.overlays} images besides its own, got {count}")
    inputs = _request_objects(request, [ref for ref in refs if ref not in rendered], objects)
    inputs = msgspec.structs.replace(inputs, named={**inputs.named, **rendered})
    size = sum(info.size for info in inputs.infos)
    if refs and size > limits.input_bytes:
        raise PayloadTooLarge(
            f"the {len(refs) + 1} files of one request may have {limits.input_bytes} bytes together, got {size}"
        )
    return inputs


def _request_objects(request: ImageRequest, refs: list[ObjectRef], objects: ObjectReader) -> Inputs:
    if isinstance(request.source, bytes):
        return Inputs(request.source, {ref: _CachedObject(objects, ref) for ref in refs})
    if not refs:
        return Inputs(_CachedObject(objects, request.source))
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only overlays need it

    with ThreadPoolExecutor(max_workers=len(refs) + 1) as pool:
        original, *others = pool.map(partial(_CachedObject, objects), [request.source, *refs])
    return Inputs(original, dict(zip(refs, others, strict=True)))


def tag_of(ref: ObjectRef) -> str:
    """Return the cache tag of an object, 32 hex digits: a purge by it finds every result that the object went into."""
    return hashlib.sha256(f"{ref.bucket}/{ref.key}".encode()).hexdigest()[:32]
