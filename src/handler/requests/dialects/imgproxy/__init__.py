"""imgproxy's paths: `/signature/option:argument/…/plain/URL@extension`, or the URL in base64 with `.extension`.

A path is in this dialect if the signature of imgproxy in it is valid, or if it begins with `unsafe`, `insecure` or
another word for no signature. The language is that of imgproxy 4; `docs/migrate-from-imgproxy.md` describes the rest.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from handler.auth.canonical import encode_path
from handler.auth.signature import PathSignature
from handler.requests.dialects.dialect import HIDDEN, STRICT, Dialect, Environment, Faults, Redaction
from handler.requests.parsed_request import ParsedRequest, Recipe

if TYPE_CHECKING:
    from handler.requests.dialects.imgproxy.configuration import Configuration

_UNSIGNED = ("unsafe", "insecure", "_", "-")
"""First segments that many sites write where signatures are off."""
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{2,43}")
_OPTION = r"([a-z_-]+):"
"""A name before a separator, as at the beginning of an option."""
_FOLLOWED = r"(?=/+(?:[A-Za-z0-9_-]{1,40}(?::|%3A)|(?:[^/\s]{1,80}/)?plain/|[A-Za-z0-9_=-]{16,}))"
"""What follows a signature: an option, a preset, or a source."""
_MIN_LENGTH = 22
"""The characters of the shortest signature that may stand before anything else than an option."""
_SIGNED_HEAD = (
    r"\A(/+(?:[^/]{1,40}/+){0,2}?)(?!insecure/)"
    rf"(?:[A-Za-z0-9_-]{{43}}=*(?=/)|[A-Za-z0-9_-]{{{_MIN_LENGTH},43}}=*{_FOLLOWED}"
    r"|[A-Za-z0-9_-]{8,21}(?=/+(?!filters)[a-z_-]{1,40}(?::|%3A)))"
)
"""A signature, perhaps behind a prefix; a short one only before an option, which Thumbor's filters are not."""
_SIGNED_SEGMENT = rf"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{{43}}=*{_FOLLOWED}"


def _split(path: str, prefix: str = "") -> tuple[str, str]:
    """Return the first segment behind a prefix and what follows it; both are empty without the prefix."""
    path = path.lstrip("/")
    if not path.startswith(prefix):
        return "", ""
    head, _, rest = path.removeprefix(prefix).lstrip("/").partition("/")
    return head, rest


def _configure(environment: Environment) -> Dialect:
    from handler.requests.dialects.imgproxy.configure import configure  # noqa: PLC0415 - where the dialect is on

    return configure(DIALECT, environment)


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
        from handler.requests.dialects.imgproxy.interpret import parse_unsigned_info  # noqa: PLC0415 - as below

        return parse_unsigned_info(head, rest, configuration, faults)
    from handler.requests.dialects.imgproxy.interpret import parse_unsigned  # noqa: PLC0415 - most paths are keys

    return parse_unsigned(head, rest, configuration, faults)


def _is_unmistakable(rest: str, configuration: Configuration | None) -> bool:
    """Return whether what follows a first segment can only be a path of this dialect: it begins with an option."""
    separator = configuration.separator if configuration is not None else ":"
    name, found, _ = rest.partition("/")[0].replace("%3A", ":").partition(separator)
    if not found or re.fullmatch(r"[a-z_-]{1,40}", name) is None:
        return False
    from handler.requests.dialects.imgproxy.handlers import is_option  # noqa: PLC0415 - most paths are keys

    return is_option(name)


def parse_signed(text: str, faults: Faults = STRICT, *, configuration: Configuration | None = None) -> ParsedRequest:
    """Parse the text behind a signature exactly as it was signed. Raises InvalidURL, NotFound or Forbidden."""
    from handler.requests.dialects.imgproxy.interpret import parse_rest  # noqa: PLC0415 - most paths are keys

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
    from handler.requests.dialects.imgproxy.path import mend  # noqa: PLC0415 - where the dialect is on

    texts = [mend(rest)]
    if "%" in rest and encode_path(decoded := unquote(rest)) == rest:
        texts.append(mend(decoded))
    return PathSignature(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), tuple(dict.fromkeys(texts)))


def begins_with_signature(path: str, *, length: int, prefix: str = "") -> bool:
    """Return whether the first segment of a decoded path looks like a signature of that many letters."""
    head, rest = _split(path, prefix)
    return bool(rest) and len(head) == length and _SIGNATURE.fullmatch(head) is not None


def _claims_page(path: str) -> bool:
    return path.startswith("/_/")


def _parse_preset(preset: object, where: str) -> Recipe | None:
    """Parse a preset that is written as options, such as `rs:fill:300:200/q:80`. Raises InvalidParameter."""
    if not isinstance(preset, str) or not _is_unmistakable(preset, None):
        return None
    from handler.requests.dialects.imgproxy.interpret import parse_preset  # noqa: PLC0415 - few presets are options

    return parse_preset(preset, where)


def _split_presets(value: str) -> dict[str, str]:
    from handler.requests.dialects.imgproxy.configuration import read_presets  # noqa: PLC0415 - few presets are options

    return read_presets("PRESETS, which is not a JSON object,", value)


def _serialize(request: ParsedRequest) -> tuple[str, ...]:
    from handler.requests.dialects.imgproxy.serialize import to_paths  # noqa: PLC0415 - only `translate` writes URLs

    return to_paths(request)


def _redact_path(raw_path: str) -> str:
    # Every request asks this, and compiling the pattern takes a cold start a millisecond.
    is_possible = raw_path.count("/") > 1 and (
        ":" in raw_path or "%" in raw_path or any(len(segment) >= _MIN_LENGTH for segment in raw_path.split("/"))
    )
    return re.sub(_SIGNED_HEAD, rf"\1{HIDDEN}", raw_path) if is_possible else raw_path


def _redact_address(text: str) -> str:
    return re.sub(_SIGNED_SEGMENT, HIDDEN, text) if len(text) > 45 and "/" in text else text


DIALECT = Dialect(
    name="imgproxy",
    title="imgproxy",
    example="/insecure/w:1/plain/a.jpg",
    description="A path that begins with a signature of imgproxy, `unsafe` or `insecure` is a path of imgproxy, if "
    "DIALECTS lists this language, and before Thumbor's.",
    parse=parse,
    serialize=_serialize,
    parse_preset=_parse_preset,
    split_presets=_split_presets,
    reads_raw=True,
    reads_rewritten=False,
    parse_signed=parse_signed,
    configure=_configure,
    claims_page=_claims_page,
    redaction=Redaction(path=_redact_path, address=_redact_address, message=_redact_address),
    is_default=False,
)
