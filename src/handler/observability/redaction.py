"""Remove signatures, tokens and other secrets from URLs and messages before they are logged, also encoded ones.

The name of a secret is kept and its value is replaced by an ellipsis. A value that shows a secret only when it is
decoded, such as the URL in `url=` of `/_api/explain`, is logged decoded and redacted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from handler.requests import dialects
from handler.requests.dialects.dialect import HIDDEN, Dialect, Redaction

_ROUNDS = 16
"""How many times a text may be percent-encoded; a text that is encoded more often is hidden as a whole."""
_LONGEST_CACHED = 40
_PLAIN = re.compile(r"[A-Za-z0-9._,~!/:()-]*")
"""A text that cannot hold a secret: it has no escape, no name with a value and no user."""
# The other patterns are strings, so that `re` compiles them at their first use, which few processes reach.
_WORDS = (
    r"signature|token|secret|passw|passphrase|pwd|proof|credential|authorization|api[-_.]?key|access[-_.]?key"
    r"|private[-_.]?key|jwt|hmac|session[-_.]?id"
)
_SECRET_NAME = rf"(?is:.*(?:{_WORDS}).*|sig|auth)"
_SECRET_PAIR = rf"(?ia)(?<![\w.-])([\w.-]*(?:{_WORDS})[\w.-]*|sig|auth)=[^&;#\s\"'<>]+"
_USER = r"(?<=//)[^/?#@\s]+(?=@)"


_configured: list[Dialect] = []
"""Dialects whose settings say more about their secrets, such as how long a signature is."""


def learn(chosen: Sequence[Dialect]) -> None:
    """Redact what the settings of these dialects make a secret, beside what is one in every deployment."""
    own = [dialect for dialect in chosen if dialect.knows_secrets]
    _configured[:] = own
    _functions.cache_clear()


class _Functions(NamedTuple):
    """The functions of all dialects that have some, by what they redact."""

    path: tuple[Callable[[str], str], ...]
    address: tuple[Callable[[str], str], ...]
    message: tuple[Callable[[str], str], ...]


@cache
def _functions() -> _Functions:
    redactions = [dialect.redaction for dialect in (*dialects.DIALECTS, *_configured)]
    usual = Redaction()
    return _Functions(
        *(
            tuple(function for each in redactions if (function := getattr(each, name)) is not getattr(usual, name))
            for name in _Functions._fields
        )
    )


def redact_address(raw_path: str, raw_query: str = "") -> str:
    """Return the path and query of a URL without secrets."""
    for redact in _functions().path:
        raw_path = redact(raw_path)
    pairs = "&".join(map(_redact_pair, raw_query.split("&")))
    return _redact_value(raw_path) + (f"?{pairs}" if raw_query else "")


def redact_text(text: str) -> str:
    """Return a message without the values of secrets that it quotes from a URL."""
    redacted = text
    for redact in _functions().message:
        redacted = redact(redacted)
    return _redact_plain(redacted) if "=" in text or "%" in text else redacted


def _redact_pair(text: str) -> str:
    """Redact one `name=value` of a query."""
    name, equals, value = text.partition("=")
    if equals and value and (_is_known_secret(name) if len(name) <= _LONGEST_CACHED else _is_secret(name)):
        return f"{name}={HIDDEN}"
    return f"{name}={_redact_value(value)}" if equals and _redact_value(name) == name else _redact_value(text)


def _redact_value(text: str) -> str:
    """Redact a text that may be or hold a URL. A text without a secret is returned unchanged, escapes included."""
    if _PLAIN.fullmatch(text):
        return _redact_dialects(text)
    plain = _decode(text)
    if plain is None:
        return HIDDEN
    redacted = _redact_plain(plain)
    return text if redacted == plain else quote(redacted, safe="/:,()" + HIDDEN).replace(quote(HIDDEN), HIDDEN)


def _redact_plain(text: str) -> str:
    """Redact a decoded text: signed path segments, users of URLs, and values whose names are those of secrets."""
    text = re.sub(_USER, HIDDEN, _redact_dialects(text))
    return re.sub(_SECRET_PAIR, rf"\1={HIDDEN}", text)


def _redact_dialects(text: str) -> str:
    """Redact the secrets that dialects write in paths, in a decoded text."""
    for redact in _functions().address:
        text = redact(text)
    return text


@lru_cache(1024)
def _is_known_secret(name: str) -> bool:
    return _is_secret(name)


def _is_secret(name: str) -> bool:
    plain = _decode(name)
    return plain is None or re.fullmatch(_SECRET_NAME, plain) is not None


def _decode(text: str) -> str | None:
    """Return a text without any escape, or None if it is encoded too often."""
    for _ in range(_ROUNDS):
        plain = unquote(text, errors="backslashreplace") if "%" in text else text
        if plain == text:
            return plain
        text = plain
    return None
