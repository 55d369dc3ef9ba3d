"""What an answer is made of: the original and the objects that the steps name, asked for but not yet read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from handler.errors import PayloadTooLarge
from handler.ports import DetectionInput, ObjectInfo, Objects, StoredObject
from handler.requests.image_request import ImageRequest, named
from imaging import Limits, ObjectRef


class _Once:
    """An object whose bytes may be wanted twice: by those who look at it, and by the run."""

    def __init__(self, stored: StoredObject) -> None:
        self.info = stored.info
        self._stored = stored
        self._body: bytes | None = None

    def read(self) -> bytes:
        if self._body is None:
            self._body = self._stored.read()
        return self._body

    @property
    def subject(self) -> DetectionInput:
        return DetectionInput(tag_of(self.info.ref), self.info.etag, self.info.ref.key, self.read)


class Inputs(msgspec.Struct, frozen=True):
    """The original, or the bytes that came with the request, and the objects by their names."""

    original: bytes | _Once
    named: Mapping[ObjectRef, _Once] = msgspec.field(default_factory=dict)

    @property
    def infos(self) -> list[ObjectInfo]:
        original = [] if isinstance(self.original, bytes) else [self.original.info]
        return original + [stored.info for stored in self.named.values()]

    @property
    def posted(self) -> str:
        """What names an original that came with the request."""
        return hashlib.sha256(self.original).hexdigest() if isinstance(self.original, bytes) else ""

    @property
    def detection_inputs(self) -> list[DetectionInput]:
        """What may be looked at, the original first."""
        original = self.original
        if isinstance(original, bytes):
            first = DetectionInput("posted", self.posted, "the posted picture", lambda: original)
        else:
            first = original.subject
        return [first, *(stored.subject for stored in self.named.values())]

    def read(self) -> tuple[bytes, dict[ObjectRef, bytes]]:
        original = self.original if isinstance(self.original, bytes) else self.original.read()
        return original, {ref: stored.read() for ref, stored in self.named.items()}


def fetch_inputs(request: ImageRequest, objects: Objects, limits: Limits) -> Inputs:
    """Ask for the objects side by side. HandlerError for what cannot be had, or is too large together."""
    refs = list(dict.fromkeys(named(request.steps)))
    if len(refs) > limits.overlays:
        raise PayloadTooLarge(f"a request may name {limits.overlays} pictures beside its own, got {len(refs)}")
    inputs = _asked_for(request, refs, objects)
    size = sum(info.size for info in inputs.infos)
    if refs and size > limits.input_bytes:
        raise PayloadTooLarge(
            f"the {len(refs) + 1} files of one request may have {limits.input_bytes} bytes together, got {size}"
        )
    return inputs


def _asked_for(request: ImageRequest, refs: list[ObjectRef], objects: Objects) -> Inputs:
    if isinstance(request.source, bytes):
        return Inputs(request.source, {ref: _Once(objects.get(ref)) for ref in refs})
    if not refs:
        return Inputs(_Once(objects.get(request.source)))
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only overlays need it

    with ThreadPoolExecutor(max_workers=len(refs) + 1) as pool:
        original, *others = map(_Once, pool.map(objects.get, [request.source, *refs]))
    return Inputs(original, dict(zip(refs, others, strict=True)))


def tag_of(ref: ObjectRef) -> str:
    """The name under which the CDN withdraws whatever an object went into: 32 hex digits."""
    return hashlib.sha256(f"{ref.bucket}/{ref.key}".encode()).hexdigest()[:32]
