"""Thumbor's paths, and the part of them that AWS's image handler takes.

`/signature or unsafe/[meta/][trim…/][crop/][fit-in/][size/][alignments/][smart/][filters:…/]key`: behind a signature
that verifies, or behind `unsafe`, every word and filter has Thumbor's own meaning. Without either, a path that begins
with `fit-in`, a size, a crop, `filters:` or `s3:` is AWS's, and its filters mean what they mean there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from features import Output, Step

UNSAFE = "unsafe"
_OF_AWS = re.compile(r"(?:fit-in/|filters:|s3:|[0-9]+x[0-9]+[:/])")
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{27}=")
"""URL-safe base64 of the 20 bytes of HMAC-SHA1."""


class Said(msgspec.Struct, frozen=True):
    """What a path says, checked."""

    key: str
    steps: tuple[Step, ...]
    output: Output
    bucket: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    webp: Output | None = None
    """The output in its place where AUTO_WEBP is on and the client takes WebP."""


class PathSignature(msgspec.Struct, frozen=True):
    """What stands in the place of a signature, and what it would cover."""

    given: str
    forms: tuple[str, ...]
    """Ways to write the rest of the path; each decodes to the same path, so that no two paths share one."""


def signature_of(path: str, raw_path: str) -> PathSignature | None:
    """The first segment of a decoded path, if it looks like a signature; `raw_path` is as it stands in the URL."""
    given, slash, rest = path.removeprefix("/").partition("/")
    if not slash or not _SIGNATURE.fullmatch(given):
        return None
    raw_rest = raw_path.removeprefix("/").partition("/")[2]
    forms = (raw_rest, rest) if "%" not in rest else (raw_rest,)
    return PathSignature(given, forms)


def redacted(raw_path: str) -> str:
    """The path as a log may hold it: a signature is a secret as long as it is valid."""
    from urllib.parse import unquote  # noqa: PLC0415 - few paths have escapes in their first segment

    head, slash, rest = raw_path[1:].partition("/")
    given, within, more = (unquote(head) if "%" in head else head).partition("/")
    covered = f"{more}{slash}{rest}" if within else rest
    return f"{raw_path[:1]}…/{covered}" if covered and _SIGNATURE.fullmatch(given) else raw_path


def read(path: str, *, signed: bool = False) -> Said | None:
    """What a decoded path (without its leading slash) says; None when it is not in this language.

    `signed`: its first segment is a signature, which was verified. Raises InvalidParameter.
    """
    head, slash, rest = path.partition("/")
    whole = bool(slash) and (signed or head == UNSAFE)
    if not whole and not _OF_AWS.match(path):
        return None
    from handler.dialects.thumbor import reading  # noqa: PLC0415 - most paths are keys

    return reading.whole(rest) if whole else reading.aws_part(path)
