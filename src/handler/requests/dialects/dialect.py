"""What the rest of the service uses of a URL dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from handler.auth.signature import PathSigning
from handler.config import Settings
from handler.core.ports import SecretSource
from handler.requests.parsed_request import ParsedRequest, Recipe
from imaging import InvalidParameter, ObjectRef

HIDDEN = "…"
"""What the log shows in the place of a secret."""


def _unchanged(text: str) -> str:
    return text


class Faults:
    """Collects the faults of an address that the service which it was written for ignores, clamps or repairs.

    A dialect reports each of them here. In strict mode the collector raises it; in lenient mode (COMPATIBILITY) it
    records it, and the dialect goes on without the faulty part or with the repaired one. So one parser serves both.
    """

    def __init__(self, *, is_lenient: bool = False) -> None:
        self.is_lenient = is_lenient
        """Whether faults are tolerated. A dialect reads it where strict mode reports no fault: where a path has
        another meaning in lenient mode, or where a repair comes before the check that strict mode makes later.
        """
        self.found: dict[str, InvalidParameter] = {}
        """The first tolerated fault of each part, by the name of the part."""

    def tolerate(self, error: InvalidParameter, part: str = "") -> None:
        """Raise the error in strict mode, and record it in lenient mode.

        `part` names what the caller then leaves out or repairs, if the error has a more general name.
        """
        if not self.is_lenient:
            raise error
        self.found.setdefault(part or error.name, error)

    @contextmanager
    def leave_out(self, part: str = "") -> Iterator[None]:
        """Tolerate an InvalidParameter that the block raises: what the block had to add is left out."""
        try:
            yield
        except InvalidParameter as error:
            self.tolerate(error, part)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts that were ignored or repaired, such as `filters:gifv`."""
        return tuple(self.found)


STRICT = Faults()
"""The collector that tolerates nothing."""


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """Functions that replace the secrets of a dialect, such as the signature in a path, by an ellipsis for the log."""

    path: Callable[[str], str] = _unchanged
    """Redacts the path of a request as it is in the URL, percent-encoded any number of times."""
    address: Callable[[str], str] = _unchanged
    """Redacts a decoded text that may contain addresses, such as the value of a query parameter."""
    message: Callable[[str], str] = _unchanged
    """Redacts a message that may quote a part of an address."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect with settings of its own is built from."""

    settings: Settings
    names: tuple[str, ...]
    """The names of the dialects that are accepted, in the order in which they are tried."""
    presets: Mapping[str, object]
    """The values of PRESETS by name, as they are written."""
    find_source: Callable[[str], ObjectRef | None]
    """Returns where the object of a URL is stored, such as `s3://bucket/key`; None if it is in none of the sources."""
    open_secret: Callable[[str, str, str], SecretSource | None]
    """Opens a field of a secret in Secrets Manager (by its ID) or in a file; None if neither is given."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One URL language: a record in the list `DIALECTS`."""

    name: str
    """The name in `DIALECTS`, in `translate?to=` and in the answer of `explain`."""
    title: str = ""
    """How pages for people call the dialect."""
    example: str = ""
    """A URL of the dialect, if DIALECTS must list it: `explain` tells by it whether it does."""
    description: str = ""
    """Sentences for the API reference: which paths are in this dialect."""
    parse: Callable[[str, Faults], ParsedRequest | None]
    """Parses a decoded path without its leading slash; returns None if the path is not in this dialect, and raises
    InvalidParameter or NotFound if it is, but invalid. It reports to `Faults` whatever the service that defines the
    dialect would ignore, clamp or repair.
    """
    serialize: Callable[[ParsedRequest], tuple[str, ...]]
    """Returns URLs that may express a request, the preferred one first; `translate` takes the first one that is parsed
    as the same key. What the dialect cannot express is left out.
    """
    parse_preset: Callable[[object, str], Recipe | None] | None = None
    """Parses a value of `PRESETS` or `ALWAYS`, given its name for messages; returns None for one of another dialect."""
    split_presets: Callable[[str], dict[str, str]] | None = None
    """Splits a value of PRESETS that is not JSON into presets of this dialect, by name. Raises ValueError."""
    reads_raw: bool = False
    """Whether `parse` gets the path as it is in the URL, percent-encoded."""
    claims_page: Callable[[str], bool] | None = None
    """Returns whether a decoded path that begins with `/_`, as the service's own pages do, is in this dialect."""
    reads_query: bool = False
    """Whether features and output options in query parameters belong to this dialect."""
    reads_rewritten: bool = True
    """Whether a path is parsed after REWRITE_MATCH_PATTERN was applied to it."""
    path_signing: PathSigning | None = None
    """How a signature in the path is found and computed, if the dialect has one."""
    parse_signed: Callable[[str, Faults], ParsedRequest] | None = None
    """Parses the text that such a signature covers, byte for byte."""
    redaction: Redaction = msgspec.field(default_factory=Redaction)
    knows_secrets: bool = False
    """Whether `configure` has returned another redaction than that of every deployment."""
    is_default: bool = True
    """Whether the dialect is accepted where DIALECTS is not set."""
    presets: Mapping[str, Recipe] = msgspec.field(default_factory=dict)
    """Presets that the dialect's own settings declare; those of PRESETS win."""
    configure: Callable[[Environment], Dialect] | None = None
    """Returns the dialect as the settings have it. Raises ValueError for a setting that is invalid."""
