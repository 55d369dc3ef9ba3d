"""Thumbor's paths, and the part of them that AWS's image handler takes.

`/signature or unsafe/[meta/][trim…/][crop/][fit-in/][size/][alignments/][smart/][filters:…/]key`: behind a signature
that verifies, or behind `unsafe`, every word and filter has Thumbor's own meaning. Without either, a path that begins
with `fit-in`, a size, a crop, `filters:` or `s3:` is AWS's, and its filters mean what they mean there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import unquote

from handler.auth.signature import PathSignature, PathSigning
from handler.requests.dialects.dialect import HIDDEN, STRICT, Dialect, Faults, Redaction
from handler.requests.parsed_request import ParsedRequest

UNSAFE = "unsafe"
_OF_AWS = re.compile(r"(?:fit-in/|filters:|s3:|[0-9]+x[0-9]+[:/])")
_OF_AWS_ANYWHERE = r"(?:\A|/)(?:fit-in/|filters:|s3:|[0-9]+x[0-9]+[:/])|\A(?:[0-9]+x|x[0-9]+)/"
"""In lenient mode: AWS looks for these segments behind folders too."""
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{27}=")
"""URL-safe base64 of the 20 bytes of HMAC-SHA1."""
# The others are texts: `re` compiles them when they are first needed, which for most functions is never.
_SIGNED_HEAD = r"(?s)\A(/+)(?:[A-Za-z0-9_-]|%(?:25)*+[0-9A-Fa-f]{2}){27}(?:=|%(?:25)*+3[Dd])(?:/|%(?:25)*+2[Ff])(?=.)"
"""A signature at the beginning of a path, however often its characters are percent-encoded."""
_SIGNED_SEGMENT = r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{27}=(?=/.)"
_SIGNATURE_IN_TEXT = r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{27}(?:=|%3[Dd])(?![A-Za-z0-9_=-])"


def find_signature(raw_path: str) -> PathSignature | None:
    """Return the first segment of a path as it is in the URL, if it looks like a signature.

    An encoded slash (`%2F`) does not end a segment. The texts that it may cover are the rest of the path as it is in
    the URL, and decoded. The decoded rest is a text of its own only where it holds no percent sign, which would be
    another path's spelling, and where decoding it adds no slash, which would be another division into segments.
    """
    head, slash, rest = raw_path.removeprefix("/").partition("/")
    given = unquote(head) if "%" in head else head
    if not slash or not _SIGNATURE.fullmatch(given):
        return None
    decoded = unquote(rest)
    same = decoded == rest or "%" in decoded or decoded.count("/") != rest.count("/")
    return PathSignature(given, (rest,) if same else (rest, decoded))


def begins_with_signature(path: str) -> bool:
    """Return whether the first segment of a decoded path looks like a signature."""
    head, slash, _ = path.removeprefix("/").partition("/")
    return bool(slash) and _SIGNATURE.fullmatch(head) is not None


def sign(path: str, secret: str) -> str:
    """Return the signature of what follows it in the path: URL-safe base64 of HMAC-SHA1."""
    return base64.urlsafe_b64encode(hmac.new(secret.encode(), path.encode(), hashlib.sha1).digest()).decode()


def parse(path: str, faults: Faults = STRICT) -> ParsedRequest | None:
    """Parse a decoded path without its leading slash; return None if it is in another dialect.

    Raises InvalidParameter or NotFound.
    """
    path = path.lstrip("/")
    head, slash, rest = path.partition("/")
    is_unsafe = bool(slash) and head == UNSAFE
    is_of_aws = re.search(_OF_AWS_ANYWHERE, path) if faults.is_lenient else _OF_AWS.match(path)
    if not is_unsafe and not is_of_aws:
        return None
    from handler.requests.dialects.thumbor import mapping  # noqa: PLC0415 - most paths are keys

    return mapping.interpret_path(rest, faults) if is_unsafe else mapping.interpret_aws_path(path, faults)


def parse_signed(text: str, faults: Faults = STRICT) -> ParsedRequest:
    """Parse the text behind a signature exactly as it was signed. Raises InvalidParameter or NotFound.

    Escapes in it are decoded after it is taken apart, so that an encoded separator separates nothing.
    """
    from handler.requests.dialects.thumbor import mapping  # noqa: PLC0415 - most paths are keys

    return mapping.interpret_path(text, faults, encoded=True)


def _serialize(request: ParsedRequest) -> tuple[str, ...]:
    from handler.requests.dialects.thumbor.path_writer import to_path  # noqa: PLC0415 - only `translate` writes URLs

    return (to_path(request),)


def _redact_path(raw_path: str) -> str:
    if "=" not in raw_path and "%" not in raw_path:
        return raw_path
    return re.sub(_SIGNED_HEAD, rf"\1{HIDDEN}/", raw_path)


def _redact_address(text: str) -> str:
    return re.sub(_SIGNED_SEGMENT, HIDDEN, text) if "=" in text else text


def _redact_message(text: str) -> str:
    return re.sub(_SIGNATURE_IN_TEXT, HIDDEN, text) if "=" in text or "%" in text else text


DIALECT = Dialect(
    name="thumbor",
    title="Thumbor",
    description="A path that begins with `unsafe` or a Thumbor signature is a Thumbor path. A path that begins with "
    "`fit-in`, a size, a crop, `filters:` or `s3:` is a Thumbor path as AWS's handler understands it.",
    parse=parse,
    serialize=_serialize,
    path_signing=PathSigning(find=find_signature, begins=begins_with_signature, sign=sign),
    parse_signed=parse_signed,
    redaction=Redaction(path=_redact_path, address=_redact_address, message=_redact_message),
)
