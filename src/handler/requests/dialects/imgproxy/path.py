"""Takes a path apart: options, source and extension. The source is imgproxy's handlers/path.go and options/parser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from handler.core.errors import InvalidURL
from handler.requests.dialects.imgproxy.arguments import decode_base64

PLAIN = "plain"
ENCRYPTED = "enc"
PIPELINE = "-"
"""The segment that begins the next pipeline."""
_MERGED_SLASHES = re.compile(r"/plain/(\S+):/([^/])")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_OLD_TYPES = frozenset(("fit", "fill", "fill-down", "force", "auto"))


class ImgproxyPath(NamedTuple):
    """A path behind its signature."""

    options: list[list[str]]
    """The segments before the source, split at the separator."""
    source: str
    """The decoded URL of the original."""
    extension: str
    """The format that is requested behind the source, empty if no format is."""
    encrypted: str = ""
    """The source as it is written, if it is encrypted; `source` is empty if it cannot be decrypted."""


def mend(rest: str) -> str:
    """Return the path behind the signature, without what proxies break in it: the text that is signed.

    They encode colons of the options, and merge the two slashes of a plain source.
    """
    head, plain, tail = f"/{rest}".partition("/plain/")
    mended = _MERGED_SLASHES.sub(_split_slashes, head.replace("%3A", ":") + plain + tail)
    return mended.lstrip("/")


def _split_slashes(found: re.Match[str]) -> str:
    slashes = ":///" if found[1] == "local" else "://"
    return f"/plain/{found[1]}{slashes}{found[2]}"


def split_path(
    rest: str,
    separator: str,
    *,
    only_presets: bool = False,
    has_filename: bool = False,
    decrypt: Callable[[str], str | None] | None = None,
) -> ImgproxyPath:
    """Take apart a mended path behind its signature. Raise InvalidURL for one that has no source."""
    segments = rest.removeprefix("/").split("/")
    if segments[0] in _OLD_TYPES:
        raise InvalidURL("path", f"options with names, as in rs:{segments[0]}:300:200", segments[0])
    if only_presets:
        options, source = [[*segments[0].split(separator)]], segments[1:]
    else:
        is_option = [separator in segment or segment == PIPELINE for segment in segments]
        count = next((at for at, found in enumerate(is_option) if not found), len(segments))
        options, source = [segment.split(separator) for segment in segments[:count]], segments[count:]
    return ImgproxyPath(options, *_read_source(source, has_filename=has_filename, decrypt=decrypt))


def _read_source(
    segments: list[str], *, has_filename: bool, decrypt: Callable[[str], str | None] | None
) -> tuple[str, str, str]:
    """Return the URL of the original, the extension behind it, and the URL's encrypted form if it has one."""
    if segments[:1] == [PLAIN] and len(segments) > 1:
        return *_read_plain("/".join(segments[1:])), ""
    if not any(segments):
        raise InvalidURL("source", "given behind the options, as plain/… or in base64", "")
    if has_filename and len(segments) > 1:
        segments = segments[:-1]
    if decrypt is not None and segments[0] == ENCRYPTED and len(segments) > 1:
        text, _, extension = "".join(segments[1:]).partition(".")
        return decrypt(text) or "", extension, text
    return *_read_base64("".join(segments)), ""


def _read_plain(text: str) -> tuple[str, str]:
    parts = text.split("@")
    if len(parts) > 2:
        raise InvalidURL("source", "one with at most one @, before the extension: write others as %40", text)
    try:
        if _BROKEN_ESCAPE.search(parts[0]):
            raise ValueError
        source = unquote_to_bytes(parts[0]).decode()
    except ValueError:
        raise InvalidURL("source", "percent-encoded UTF-8", parts[0]) from None
    if not source:
        raise InvalidURL("source", "given behind plain/", "")
    return source, parts[1] if len(parts) == 2 else ""


def _read_base64(text: str) -> tuple[str, str]:
    parts = text.split(".")
    source = decode_base64(parts[0]) if len(parts) <= 2 else None
    if source:
        return source, parts[1] if len(parts) == 2 else ""
    raise InvalidURL("source", "plain/ and a URL, or a URL in URL-safe base64", text)
