"""What a log may hold of an address or a message: no signature, token or other secret, however it is nested or encoded.

Names of secrets are kept and their values replaced by an ellipsis. What holds a secret only once it is decoded, such as
an address in `url=` of `/_api/explain`, is shown decoded and without it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote

HIDDEN = "…"
_ROUNDS = 16
"""How often something may be encoded; what is encoded more often is hidden as a whole."""
_LONGEST_CACHED = 40
_PLAIN = re.compile(r"[A-Za-z0-9._,~!/:()-]*")
"""What cannot hold a secret: nothing is encoded, and nothing has a name or a user."""
# The others are texts: `re` compiles them when they are first needed, which for most functions is never.
_WORDS = (
    r"signature|token|secret|passw|passphrase|pwd|proof|credential|authorization|api[-_.]?key|access[-_.]?key"
    r"|private[-_.]?key|jwt|hmac|session[-_.]?id"
)
_SECRET_NAME = rf"(?is:.*(?:{_WORDS}).*|sig|auth)"
_SECRET_PAIR = rf"(?ia)(?<![\w.-])([\w.-]*(?:{_WORDS})[\w.-]*|sig|auth)=[^&;#\s\"'<>]+"
_SIGNED_HEAD = r"(?s)\A(/+)(?:[A-Za-z0-9_-]|%(?:25)*+[0-9A-Fa-f]{2}){27}(?:=|%(?:25)*+3[Dd])(?:/|%(?:25)*+2[Ff])(?=.)"
"""Thumbor's signature at the beginning of a path, however often its characters are percent-encoded."""
_SIGNED_SEGMENT = r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{27}=(?=/.)"
_SIGNATURE_IN_TEXT = r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{27}(?:=|%3[Dd])(?![A-Za-z0-9_=-])"
_USER = r"(?<=//)[^/?#@\s]+(?=@)"


def redact_address(raw_path: str, raw_query: str = "") -> str:
    """A path and a query as they stand in the URL, without secrets."""
    path = raw_path if _PLAIN.fullmatch(raw_path) else re.sub(_SIGNED_HEAD, rf"\1{HIDDEN}/", raw_path)
    pairs = "&".join(map(_pair, raw_query.split("&")))
    return _value(path) + (f"?{pairs}" if raw_query else "")


def redact_text(text: str) -> str:
    """A message without the values of secrets that it quotes from an address."""
    return _without_secrets(re.sub(_SIGNATURE_IN_TEXT, HIDDEN, text)) if "=" in text or "%" in text else text


def _pair(text: str) -> str:
    name, equals, value = text.partition("=")
    if equals and value and (_is_known_secret(name) if len(name) <= _LONGEST_CACHED else _is_secret(name)):
        return f"{name}={HIDDEN}"
    return f"{name}={_value(value)}" if equals and _value(name) == name else _value(text)


def _value(text: str) -> str:
    """What may be or hold an address, as it stands unless it holds a secret."""
    if _PLAIN.fullmatch(text):
        return text
    plain = _decoded(text)
    if plain is None:
        return HIDDEN
    redacted = _without_secrets(plain)
    return text if redacted == plain else quote(redacted, safe="/:,()" + HIDDEN).replace(quote(HIDDEN), HIDDEN)


def _without_secrets(text: str) -> str:
    text = re.sub(_USER, HIDDEN, re.sub(_SIGNED_SEGMENT, HIDDEN, text))
    return re.sub(_SECRET_PAIR, rf"\1={HIDDEN}", text)


@lru_cache(1024)
def _is_known_secret(name: str) -> bool:
    return _is_secret(name)


def _is_secret(name: str) -> bool:
    plain = _decoded(name)
    return plain is None or re.fullmatch(_SECRET_NAME, plain) is not None


def _decoded(text: str) -> str | None:
    """The text without any escape; None where it is encoded too often."""
    for _ in range(_ROUNDS):
        plain = unquote(text, errors="backslashreplace") if "%" in text else text
        if plain == text:
            return plain
        text = plain
    return None
