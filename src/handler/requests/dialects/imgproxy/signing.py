"""imgproxy's signatures: HMAC-SHA256 under a key, over a salt and the path, cut to some bytes, in URL-safe base64."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from functools import partial

import msgspec

from handler.auth.signature import Sign
from handler.core.errors import UpstreamError
from handler.core.ports import SecretSource
from handler.requests.dialects.dialect import HIDDEN, Redaction

FULL_SIZE = 32
"""The bytes of a signature that is not cut."""


class KeyPairs(msgspec.Struct, frozen=True):
    """Pairs of a key and a salt, each a comma-separated list in hexadecimal digits; a `SecretSource`."""

    keys: SecretSource
    salts: SecretSource

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        """Return each pair as `key:salt`; the lists of one version of the secret belong together."""
        keys, salts = self.keys.values(refresh=refresh), self.salts.values(refresh=refresh)
        try:
            return tuple(pair for lists in zip(keys, salts, strict=False) for pair in join_pairs(*lists))
        except ValueError as error:
            raise UpstreamError(
                "the keys of imgproxy cannot be read", code="SecretUnavailable", detail=str(error)
            ) from None


class FixedText(msgspec.Struct, frozen=True):
    """A secret that a setting holds itself; a `SecretSource`."""

    text: str

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:  # noqa: ARG002 - the value never changes
        """Return the value."""
        return (self.text,)


def join_pairs(keys: str, salts: str) -> list[str]:
    """Return `key:salt` for each pair of two lists. Raise ValueError unless these are hexadecimal and of one length."""
    split = [[part.strip() for part in text.split(",")] for text in (keys, salts)]
    if len(split[0]) != len(split[1]):
        raise ValueError(
            f"IMGPROXY_KEY and IMGPROXY_SALT must have as many entries, got {len(split[0])} and {len(split[1])}"
        )
    for name, parts in zip(("IMGPROXY_KEY", "IMGPROXY_SALT"), split, strict=True):
        try:
            if not all(bytes.fromhex(part) for part in parts):
                raise ValueError
        except ValueError:
            # The value is a secret, so the message does not show it.
            raise ValueError(f"{name} must be hexadecimal digits, or a comma-separated list of them") from None
    return [f"{key}:{salt}" for key, salt in zip(*split, strict=True)]


def signature_length(size: int) -> int:
    """Return the letters of a signature of that many bytes."""
    return -(-size * 4 // 3)


def short_redaction(length: int, prefix: str) -> Redaction:
    """Return what hides signatures of that many letters, which only their place tells from other words."""
    signed = rf"[A-Za-z0-9_-]{{{length}}}=*(?=/+[^/])"
    # Words that stand for no signature hide nothing, and many of them are in messages.
    other = r"(?!(?:unsafe|insecure)/)"
    head = re.compile(rf"\A(/+{re.escape(prefix)}/*(?:info/+)?){other}{signed}")
    anywhere = re.compile(rf"(?<=/){other}{signed}")

    def redact_path(text: str) -> str:
        return head.sub(rf"\1{HIDDEN}", text)

    def redact_text(text: str) -> str:
        return anywhere.sub(HIDDEN, text) if "/" in text else text

    return Redaction(path=redact_path, address=redact_text, message=redact_text)


def signer(size: int) -> Sign:
    """Return the function that makes signatures of that many bytes."""
    return partial(sign, size=size)


def sign(text: str, secret: str, size: int = FULL_SIZE) -> str:
    """Return the signature of a path behind it, which has no leading slash, with a pair of a key and a salt."""
    key, _, salt = secret.partition(":")
    digest = hmac.new(bytes.fromhex(key), bytes.fromhex(salt) + b"/" + text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:size]).rstrip(b"=").decode()
