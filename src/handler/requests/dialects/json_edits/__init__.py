"""Base64 JSON in the path, as AWS's image handler writes it, and the same edits in presets and `ALWAYS`.

`/` + base64, standard or URL-safe, padded or not, of
`{"bucket"?, "key", "edits"?, "outputFormat"?, "effort"?, "headers"?}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import NoReturn

import msgspec

from handler.requests.dialects.json_edits.edits import Meaning, read
from imaging import InvalidParameter

HEADERS = (
    "cache-control",
    "expires",
    "last-modified",
    "content-disposition",
    "content-language",
    "x-robots-tag",
    "link",
    "vary",
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOP = ("bucket", "key", "edits", "outputFormat", "effort", "headers")


class JsonRequest(msgspec.Struct, frozen=True):
    """What a JSON path says."""

    key: str
    bucket: str = ""
    meaning: Meaning = msgspec.field(default_factory=Meaning)
    headers: dict[str, str] = msgspec.field(default_factory=dict)


def decode(path: str) -> JsonRequest | None:
    """What a decoded path (without its leading slash) says in JSON; None when it is not in this language."""
    if not path.startswith(("e", "I", "C")):
        return None
    try:
        text = base64.b64decode(_standard(path), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    try:
        params = loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(params, dict) or "key" not in params:
        return None
    return _sorted(params)


def loads(text: str) -> object:
    """Parse JSON in which no name stands twice, no number is infinite and all text is Unicode; ValueError,
    RecursionError.
    """
    params = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_constant, parse_float=_number)
    if _SURROGATE.search(text):
        refuse_lone_surrogates(params)
    return params


def refuse_lone_surrogates(params: object) -> None:
    """Half a character can be written in JSON, but no store, header or answer can hold it. InvalidParameter."""
    try:
        json.dumps(params, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidParameter("JSON", "Unicode text", "a lone surrogate") from None
    except RecursionError:
        raise InvalidParameter("JSON", "of a depth that can be read", "objects within objects") from None


def _standard(path: str) -> str:
    text = path.replace("-", "+").replace("_", "/").rstrip("=")
    return text + "=" * (-len(text) % 4)


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    params = dict(pairs)
    if len(params) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidParameter(twice, "given once in a JSON object", "twice")
    return params


def _number(digits: str) -> float | int:
    """`90.0` is as whole as `90`."""
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _no_constant(name: str) -> NoReturn:
    raise InvalidParameter("JSON", "finite numbers", name)


def _sorted(params: dict[str, object]) -> JsonRequest:
    for name, value in params.items():
        if name not in _TOP:
            raise InvalidParameter(name, "one of " + ", ".join(_TOP), value)
    meaning = read(
        params.get("edits"), "edits", output_format=params.get("outputFormat") or None, effort=params.get("effort")
    )
    return JsonRequest(
        key=_text(params, "key"),
        bucket=_text(params, "bucket") if params.get("bucket") is not None else "",
        meaning=meaning,
        headers=_headers(params.get("headers")),
    )


def _text(params: Mapping[str, object], name: str) -> str:
    value = params[name]
    if not isinstance(value, str) or not value:
        raise InvalidParameter(name, "text", value)
    return value


def _headers(params: object) -> dict[str, str]:
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise InvalidParameter("headers", "an object", params)
    headers: dict[str, str] = {}
    for name, value in params.items():
        if str(name).lower() not in HEADERS:
            raise InvalidParameter(f"headers.{name}", "one of " + ", ".join(HEADERS), value)
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > 1000:
            raise InvalidParameter(f"headers.{name}", "text in printable ASCII, at most 1000 characters", value)
        if str(name).lower() in {each.lower() for each in headers}:
            raise InvalidParameter(f"headers.{name}", "given once, however it is capitalised", value)
        headers[str(name)] = value
    return headers
