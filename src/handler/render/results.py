"""The results of rendering an ImageRequest, and the protocol of the result cache."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeAlias

import msgspec

from handler.core.ports import StoredObject
from handler.requests.image_request import Conditions, ImageRequest
from handler.requests.parsed_request import CANVAS_SOURCE
from imaging import MEDIA_TYPES, Deadline, Rendered

REPORT = "application/json"
"""Media type of a result that is not an image: `info`, palettes and the like."""
VARIES = "-v"
"""Suffix of a sent ETag where another `Accept` could have had another result."""
FORMAT_NAMES = {media_type: name for name, media_type in MEDIA_TYPES.items()}
"""Names of formats by media type."""
IMAGE_HEADER = "X-Image-"
"""Begins the headers with what is known of an image; they end with a name of IMAGE_FACTS."""
IMAGE_FACTS = {
    "format": "Format of the image, such as `webp`",
    "width": "Width of the image in pixels",
    "height": "Height of the image in pixels",
    "frames": "Number of frames of the image; 1 for a still image",
    "original-format": "Format of the original",
    "original-width": "Width of the original in pixels, once it is upright",
    "original-height": "Height of the original in pixels, once it is upright",
    "original-frames": "Number of frames or pages of the original",
    "original-bytes": "Size of the original in bytes",
}
"""What is known of an image: metadata of a stored result, and after `X-Image-` headers of an answer."""


class ResultFacts(msgspec.Struct, frozen=True):
    """What is known of a result before anything is decoded, and is sent or stored with it."""

    etag: str
    """Unquoted; it names the stored result too."""
    last_modified: datetime
    negotiated: bool = False
    """Whether another `Accept` could have had another result."""
    cache_control: str = ""
    """The strictest Cache-Control of the objects that went in."""
    tags: tuple[str, ...] = ()
    """Cache tags, one for each object that went in."""
    is_cacheable: bool = True
    """False if the next request may have another result, so that this one must not be stored anywhere."""

    @property
    def validator(self) -> str:
        """The ETag as clients get it. When one sends it back, its suffix tells whether a 304 has `Vary: Accept`."""
        return self.etag + (VARIES if self.negotiated else "")


class RenderedResult(msgspec.Struct, frozen=True):
    """A finished image, or a report in JSON."""

    facts: ResultFacts
    body: bytes
    media_type: str
    width: int = 0
    height: int = 0
    image_facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    """By the names in IMAGE_FACTS; a result that was stored by an older version has fewer of them."""
    stored: StoredObject | None = None
    """The object from which the body is read while it is sent; `body` is empty then."""

    @classmethod
    def of_image(cls, facts: ResultFacts, image: Rendered, request: ImageRequest) -> RenderedResult:
        """Return the result that is this image."""
        image_facts = {
            "format": FORMAT_NAMES[image.media_type], "width": image.width, "height": image.height,
            "frames": image.frames,
        }  # fmt: skip
        if isinstance(request.source, bytes) or request.source.bucket != CANVAS_SOURCE:
            original = image.source
            width, height = original.upright
            image_facts |= {
                "original-format": original.format, "original-width": width, "original-height": height,
                "original-frames": original.frames, "original-bytes": original.size,
            }  # fmt: skip
        texts = {name: str(value) for name, value in image_facts.items()}
        return cls(facts, image.body, image.media_type, image.width, image.height, texts)


class NotModified(msgspec.Struct, frozen=True):
    """The client has the result already."""

    facts: ResultFacts


class Offloaded(msgspec.Struct, frozen=True):
    """The result is too large for an answer and is stored in the results bucket instead."""

    facts: ResultFacts
    location: str
    """The address to read it from."""
    max_age: int
    """Seconds for which a redirect to that address may be cached; 0: not at all."""


class Delegated(msgspec.Struct, frozen=True):
    """The result is expensive to render: the model function has to do it."""


Result: TypeAlias = RenderedResult | NotModified | Offloaded | Delegated


class ResultCache(Protocol):
    """Stores finished results; `size` is the size of all inputs in bytes."""

    def lookup(self, request: ImageRequest, facts: ResultFacts, size: int) -> RenderedResult | Offloaded | None:
        """Return the stored result that has these facts, or None."""
        ...

    def store(
        self, request: ImageRequest, result: RenderedResult, size: int, deadline: Deadline
    ) -> RenderedResult | Offloaded:
        """Store a result if that saves work and time is left; return it, offloaded if it is too large to be sent."""
        ...


def not_modified(conditions: Conditions, facts: ResultFacts, request: ImageRequest) -> NotModified | None:
    """Return NotModified if the client has the result already.

    RFC 9110, 13.2.2: If-Modified-Since counts only where If-None-Match is absent.
    """
    tags: set[str] = set()
    if conditions.none_match:
        tags = {tag.strip().removeprefix("W/").strip('"') for tag in conditions.none_match.split(",")}
        if not tags & {"*", facts.etag, facts.etag + VARIES}:
            return None
    elif conditions.modified_since is None or facts.last_modified.replace(microsecond=0) > conditions.modified_since:
        return None
    # A 304 names `Vary` as the 200 did. The suffix of the client's ETag tells; without a matching ETag (`*` or a date)
    # `Accept` may have counted wherever the request names no format of its own.
    may_vary = facts.negotiated or request.output.format in (None, "original")
    varies = facts.etag + VARIES in tags or (may_vary and facts.etag not in tags)
    return NotModified(msgspec.structs.replace(facts, negotiated=varies))
