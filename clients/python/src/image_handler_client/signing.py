"""Signs addresses: HMAC-SHA256 of the canonical form, in lower-case hex (docs/signing.md of the service)."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote_to_bytes

from image_handler_client.canonical import canonical

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def sign(path: str, secret: str, *, expires: datetime | timedelta | None = None) -> str:
    """Return path and query, in canonical form, with a signature and, where it is given, an expiry.

    `path` is a path with its query, percent-encoded. `expires` is a time with its zone, or how long the address is
    valid from now on. Raises ValueError for an empty secret, for what is no path, for broken escapes, for a name that
    occurs twice and for a time without a zone.
    """
    if not secret:
        raise ValueError("secret must not be empty")
    if not path.startswith("/"):
        raise ValueError(f"path must begin with a slash, got {path!r}")
    raw_path, _, raw_query = path.partition("#")[0].partition("?")
    pairs: dict[str, str] = {}
    for part in filter(None, raw_query.split("&")):
        name, _, value = part.replace("+", " ").partition("=")
        decoded = _decoded(name)
        if decoded in pairs:
            raise ValueError(f"{decoded} occurs twice in {path!r}")
        pairs[decoded] = _decoded(value)
    pairs.pop("signature", None)
    if expires is not None:
        pairs["expires"] = _stamp(expires)
    unsigned = canonical(_decoded(raw_path), pairs.items())
    signature = hmac.new(secret.encode(), unsigned.encode(), hashlib.sha256).hexdigest()
    return f"{unsigned}{'&' if pairs else '?'}signature={signature}"


def _decoded(text: str) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise ValueError(f"every % must begin an escape of two hex digits, got {text!r}")
    return unquote_to_bytes(text).decode()


def _stamp(expires: datetime | timedelta) -> str:
    at = datetime.now(timezone.utc) + expires if isinstance(expires, timedelta) else expires  # noqa: UP017 - Python 3.9
    if at.tzinfo is None:
        raise ValueError(f"expires must be a time with a zone, got {at}")
    return at.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")  # noqa: UP017 - Python 3.9
