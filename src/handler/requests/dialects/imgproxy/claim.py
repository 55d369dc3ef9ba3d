"""Which paths and presets are in imgproxy's language: by a signature, by a word for none, or by their first option."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote

from handler.auth.canonical import encode_path
from handler.auth.signature import PathSignature
from handler.requests.dialects.dialect import STRICT, Faults
from handler.requests.dialects.imgproxy.configuration import Configuration
from handler.requests.dialects.imgproxy.handlers import is_option
from handler.requests.dialects.imgproxy.interpret import parse_preset, parse_rest, parse_unsigned, parse_unsigned_info
from handler.requests.dialects.imgproxy.path import mend
from handler.requests.parsed_request import ParsedRequest, Recipe

_UNSIGNED = ("unsafe", "insecure", "_", "-")
"""First segments that many sites write where signatures are off."""
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{2,43}")


def _split(path: str, prefix: str = "") -> tuple[str, str]:
    """Return the first segment behind a prefix and what follows it; both are empty without the prefix."""
    path = path.lstrip("/")
    if not path.startswith(prefix):
        return "", ""
    head, _, rest = path.removeprefix(prefix).lstrip("/").partition("/")
    return head, rest


def parse(path: str, faults: Faults = STRICT, *, configuration: Configuration | None = None) -> ParsedRequest | None:
    """Parse a path as it is in the URL, whose signature is not verified; return None for one of another dialect.

    Raises InvalidURL or NotFound for an invalid path, and Forbidden for one that is not allowed.
    """
    head, rest = _split(path, configuration.prefix if configuration is not None else "")
    is_info = head == "info"
    if is_info:
        head, rest = _split(rest)
    is_alone = configuration is not None and configuration.is_alone
    if not head or not rest or not (head in _UNSIGNED or is_alone or _is_unmistakable(rest, configuration)):
        return None
    if is_info:
        return parse_unsigned_info(head, rest, configuration, faults)
    return parse_unsigned(head, rest, configuration, faults)


def _is_unmistakable(rest: str, configuration: Configuration | None) -> bool:
    """Return whether what follows a first segment can only be a path of this dialect: it begins with an option."""
    separator = configuration.separator if configuration is not None else ":"
    name, found, _ = rest.partition("/")[0].replace("%3A", ":").partition(separator)
    if not found or re.fullmatch(r"[a-z_-]{1,40}", name) is None:
        return False
    return is_option(name)


def parse_signed(text: str, faults: Faults = STRICT, *, configuration: Configuration | None = None) -> ParsedRequest:
    """Parse the text behind a signature exactly as it was signed. Raises InvalidURL, NotFound or Forbidden."""
    return parse_rest(text, configuration, faults)


def find_signature(raw_path: str, *, prefix: str = "") -> PathSignature | None:
    """Return the first segment of a path as it is in the URL, if it may be a signature, and the texts it may cover.

    They are the rest of the path as it is in the URL and, where that is encoded as this service encodes a path that a
    gateway has decoded, the decoded rest. Bits of the last letter that belong to no byte are dropped, as Go does.
    """
    head, rest = _split(raw_path, prefix)
    if not rest or not _SIGNATURE.fullmatch(head):
        return None
    try:
        digest = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except binascii.Error:
        return None
    texts = [mend(rest)]
    if "%" in rest and encode_path(decoded := unquote(rest)) == rest:
        texts.append(mend(decoded))
    return PathSignature(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), tuple(dict.fromkeys(texts)))


def begins_with_signature(path: str, *, length: int, prefix: str = "") -> bool:
    """Return whether the first segment of a decoded path looks like a signature of that many letters."""
    head, rest = _split(path, prefix)
    return bool(rest) and len(head) == length and _SIGNATURE.fullmatch(head) is not None


def parse_own_preset(preset: object, where: str) -> Recipe | None:
    """Parse a preset that is written as options, such as `rs:fill:300:200/q:80`. Raises InvalidParameter."""
    if not isinstance(preset, str) or not _is_unmistakable(preset, None):
        return None
    return parse_preset(preset, where)
