"""What the rest of the service uses of a URL dialect."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from handler.auth.signature import PathSigning
from handler.requests.parsed_request import ParsedRequest, Recipe

HIDDEN = "…"
"""What the log shows in the place of a secret."""


def _unchanged(text: str) -> str:
    return text


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """Functions that replace the secrets of a dialect, such as the signature in a path, by an ellipsis for the log."""

    path: Callable[[str], str] = _unchanged
    """Redacts the path of a request as it is in the URL, percent-encoded any number of times."""
    address: Callable[[str], str] = _unchanged
    """Redacts a decoded text that may contain addresses, such as the value of a query parameter."""
    message: Callable[[str], str] = _unchanged
    """Redacts a message that may quote a part of an address."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One URL language: a record in the list `DIALECTS`."""

    name: str
    """The name in `DIALECTS`, in `translate?to=` and in the answer of `explain`."""
    description: str = ""
    """Sentences for the API reference: which paths are in this dialect."""
    parse: Callable[[str], ParsedRequest | None]
    """Parses a decoded path without its leading slash; returns None if the path is not in this dialect, and raises
    InvalidParameter or NotFound if it is, but invalid.
    """
    serialize: Callable[[ParsedRequest], tuple[str, ...]]
    """Returns URLs that may express a request, the preferred one first; `translate` takes the first one that is parsed
    as the same key. What the dialect cannot express is left out.
    """
    parse_preset: Callable[[object, str], Recipe | None] | None = None
    """Parses a value of `PRESETS` or `ALWAYS`, given its name for messages; returns None for one of another dialect."""
    reads_query: bool = False
    """Whether features and output options in query parameters belong to this dialect."""
    reads_rewritten: bool = True
    """Whether a path is parsed after REWRITE_MATCH_PATTERN was applied to it."""
    path_signing: PathSigning | None = None
    """How a signature in the path is found and computed, if the dialect has one."""
    parse_signed: Callable[[str], ParsedRequest] | None = None
    """Parses the text that such a signature covers, byte for byte."""
    redaction: Redaction = msgspec.field(default_factory=Redaction)
    is_default: bool = True
    """Whether the dialect is accepted where DIALECTS is not set."""
