"""Thumbor's paths, and the part of them that AWS's image handler takes.

`/signature or unsafe/[meta/][trim…/][crop/][fit-in/][size/][alignments/][smart/][filters:…/]key`: behind a signature
that verifies, or behind `unsafe`, every word and filter has Thumbor's own meaning. Without either, a path that begins
with `fit-in`, a size, a crop, `filters:` or `s3:` is AWS's, and its filters mean what they mean there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from imaging import Output, Step

UNSAFE = "unsafe"
_OF_AWS = re.compile(r"(?:fit-in/|filters:|s3:|[0-9]+x[0-9]+[:/])")
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{27}=")
"""URL-safe base64 of the 20 bytes of HMAC-SHA1."""


class ParsedPath(msgspec.Struct, frozen=True):
    """What a path says, checked."""

    key: str
    steps: tuple[Step, ...]
    output: Output
    bucket: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    webp: Output | None = None
    """The output in its place where AUTO_WEBP is on and the client takes WebP."""


class PathSignature(msgspec.Struct, frozen=True):
    """The segment in the place of a signature, and the texts that it may be a signature of."""

    given: str
    forms: tuple[str, ...]
    """The rest of the path as it stands in the URL, and decoded. The one that the signature matches is what
    `read_signed` parses, so that nothing is read that was not signed.
    """


def signature_of(raw_path: str) -> PathSignature | None:
    """The first segment of a path as it stands in the URL, if it looks like a signature.

    An encoded slash (`%2F`) does not end a segment. The decoded rest is a form of its own only where it holds no
    percent sign, which would be another path's spelling, and where decoding it adds no slash, which would be another
    division into segments.
    """
    head, slash, rest = raw_path.removeprefix("/").partition("/")
    given = unquote(head) if "%" in head else head
    if not slash or not _SIGNATURE.fullmatch(given):
        return None
    decoded = unquote(rest)
    same = decoded == rest or "%" in decoded or decoded.count("/") != rest.count("/")
    return PathSignature(given, (rest,) if same else (rest, decoded))


def begins_with_signature(path: str) -> bool:
    """Whether the first segment of a decoded path looks like a signature."""
    head, slash, _ = path.removeprefix("/").partition("/")
    return bool(slash) and _SIGNATURE.fullmatch(head) is not None


def read(path: str) -> ParsedPath | None:
    """What a decoded path (without its leading slash) says; None when it is not in this language. InvalidParameter."""
    head, slash, rest = path.partition("/")
    is_unsafe = bool(slash) and head == UNSAFE
    if not is_unsafe and not _OF_AWS.match(path):
        return None
    from handler.requests.dialects.thumbor import mapping  # noqa: PLC0415 - most paths are keys

    return mapping.whole(rest) if is_unsafe else mapping.aws_part(path)


def read_signed(text: str) -> ParsedPath:
    """What the text behind a signature says, exactly as it was signed: escapes in it are decoded after it is taken
    apart, so that an encoded separator separates nothing. Raises InvalidParameter or NotFound.
    """
    from handler.requests.dialects.thumbor import mapping  # noqa: PLC0415 - most paths are keys

    return mapping.whole(text, encoded=True)
