"""The canonical form of a URL: the text that is signed (docs/signing.md).

Every URL has exactly one canonical form, and two URLs with different meanings never have the same one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote_to_bytes

from handler.core.errors import BadRequest

Pairs = tuple[tuple[str, str], ...]

SIGNATURE = "signature"
EXPIRES = "expires"
WRAPPED = "/_p/"
SIGNED = "/_s/"
"""Instead of WRAPPED, if the CDN has verified the signature and moved it from the query into a header."""
EXPIRING = "/_x/"
"""Instead of SIGNED, if the CDN has moved `expires` too, and checks it at each request."""
AWS = "aws"
"""The word in IGNORED_PARAMETERS for every name that AWS's image handler does not know."""
AWS_NAMES = frozenset(("format", "fit", "width", "height", "rotate", "flip", "flop", "grayscale", "greyscale"))
"""The names of its `query-param-mapper.ts`."""
IGNORED_BY_DEFAULT = "utm_*,fbclid,gclid"

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ADDRESS = re.compile(r"(https?://[^/?#]+)?(/[^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
_ENCODED = "percent-encoded UTF-8"


class IgnoredParameters:
    """Query parameters that are left out of the signature, of the cache key and of the request."""

    def __init__(self, patterns: str = IGNORED_BY_DEFAULT, is_known: Callable[[str], bool] = lambda _: True) -> None:
        """Parse comma-separated names, in which `*` stands for any text.

        A lone `*` means every name for which `is_known` returns False, and `aws` every name but those of AWS's image
        handler. Raises ValueError for a pattern that matches `signature` or `expires`.
        """
        names = [name for name in (part.strip() for part in patterns.split(",")) if name]
        self._all_unknown = "*" in names or AWS in names
        self._is_known = AWS_NAMES.__contains__ if AWS in names else is_known
        globs = (".*".join(map(re.escape, name.split("*"))) for name in names if name not in ("*", AWS))
        self._pattern = re.compile("|".join(globs) or r"(?!)", re.DOTALL)
        for name in (SIGNATURE, EXPIRES):
            if self._pattern.fullmatch(name):
                raise ValueError(f"names that leave `{name}` alone, got {patterns}")

    def __contains__(self, name: str) -> bool:
        if name in (SIGNATURE, EXPIRES):
            return False
        return self._pattern.fullmatch(name) is not None or (self._all_unknown and not self._is_known(name))

    def without(self, pairs: Iterable[tuple[str, str]]) -> Pairs:
        """Return the pairs whose names are not ignored."""
        return tuple(pair for pair in pairs if pair[0] not in self)


def split_query(raw_query: str, ignored: IgnoredParameters | None = None) -> Pairs:
    """Return the names and values of a query string, decoded once; `+` is a space.

    Ignored names are left out, whatever their values are. Raises BadRequest for a name or value that is not
    percent-encoded UTF-8, and for a name that occurs twice.
    """
    found: list[tuple[str, str]] = []
    for part in filter(None, raw_query.split("&")):
        raw_name, _, raw_value = part.replace("+", " ").partition("=")
        name = _decoded(raw_name)
        if name is None:
            raise _unreadable(raw_name, "a name of " + _ENCODED, _shown(raw_name))
        if ignored is not None and name in ignored:
            continue
        value = _decoded(raw_value)
        if value is None:
            raise _unreadable(name, _ENCODED, _shown(raw_value))
        found.append((name, value))
    return unrepeated(found)


def split_address(address: str) -> tuple[str, str, str]:
    """Return origin (empty for a path alone), path and query of a URL, without decoding them. Raises BadRequest."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise BadRequest(
            f"the address must be a path that begins with a slash, or an http(s) URL, got {address[:60]!a}"
        )
    return match[1] or "", match[2], match[3] or ""


def unrepeated(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return the pairs. Raises BadRequest for a name that occurs twice."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise _unreadable(name, "given once", "it twice")
        found[name] = value
    return tuple(found.items())


def decode_path(raw_path: str) -> str:
    """Return the path of a URL, decoded exactly once; `+` stays a plus. Raises BadRequest for what is not UTF-8."""
    path = _decoded(raw_path)
    if path is None:
        raise BadRequest(f"the path must be {_ENCODED}, got {_shown(raw_path)}")
    if not path.startswith("/"):
        raise BadRequest(f"the path must begin with a slash, got {_shown(raw_path)}")
    return path


def unwrap(path: str) -> str:
    """Return the raw path of the viewer's URL, which the CDN sends as `/_p/` and base64url. Raises BadRequest.

    Call it only for requests that have the CDN's secret.
    """
    wrapped = path.removeprefix(WRAPPED)
    try:
        raw = base64.b64decode(wrapped + "=" * (-len(wrapped) % 4), altchars=b"-_", validate=True)
        # One path has one wrapping: no stray bits after the last byte.
        if base64.urlsafe_b64encode(raw).rstrip(b"=") == wrapped.encode() and raw.startswith(b"/"):
            return raw.decode()
    except (binascii.Error, ValueError):
        pass  # The exception below covers every path that is not wrapped correctly.
    raise BadRequest(f"the path must be {WRAPPED} and the base64url of a path, got {_shown(path)}")


def canonical(path: str, pairs: Iterable[tuple[str, str]] = ()) -> str:
    """Return the canonical form of a decoded path and decoded pairs, without `signature`."""
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs if name != SIGNATURE)
    query = "&".join(f"{name}={value}" for name, value in encoded)
    return encode_path(path) + ("?" + query if query else "")


def encode_path(path: str) -> str:
    """Return a decoded path, encoded as in the canonical form."""
    return quote(path, safe="/")


def _decoded(raw: str) -> str | None:
    """Return the text decoded once; None for broken escapes and for what is not UTF-8."""
    if _BROKEN_ESCAPE.search(raw):
        return None
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeError:
        return None


def _unreadable(name: str, expected: str, got: str) -> BadRequest:
    where = name if len(name) <= 40 else name[:39] + "…"
    return BadRequest(f"`{where}` must be {expected}, got {got}", code="QueryParameterParsingError")


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:59] + "...")
