"""The results of rendering an ImageRequest, and the protocol of the result cache."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeAlias

import msgspec

from handler.requests.image_request import Conditions, ImageRequest
from imaging import Deadline

REPORT = "application/json"
"""Media type of a result that is not an image: `info`, palettes and the like."""
VARIES = "-v"
"""Suffix of a sent ETag where another `Accept` could have had another result."""


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
