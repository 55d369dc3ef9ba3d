"""The JSON of a path: base64, standard or URL-safe, padded or not, of
`{"bucket"?, "key", "edits"?, "outputFormat"?, "effort"?, "headers"?}`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import msgspec

from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.json_edits.edits import parse_edits
from handler.requests.dialects.json_edits.repairs import repair_object
from handler.requests.parsed_request import ParsedRequest
from handler.requests.strict_json import loads
from imaging import InvalidParameter, ObjectRef, suggest

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
"""Response headers that a path may set."""
_NAMES = ("bucket", "key", "edits", "outputFormat", "effort", "headers")
_MAX_HEADER_LENGTH = 1000


def parse_path(path: str, faults: Faults) -> ParsedRequest | None:
    """Parse a decoded path; return None if it is not base64 of a JSON object with a `key`. Raises InvalidParameter."""
    try:
        text = base64.b64decode(_to_standard_base64(path), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    try:
        params = loads(text, faults.tolerate)
    except (ValueError, RecursionError):
        return None
    if not isinstance(params, dict) or "key" not in params:
        return None
    for name, value in params.items():
        if name not in _NAMES:
            faults.tolerate(InvalidParameter(name, "one of " + ", ".join(_NAMES) + suggest(name, _NAMES), value))
    output_format = params.get("outputFormat") or None
    parsed = parse_edits(
        params.get("edits"), "edits", output_format=output_format, effort=params.get("effort"), faults=faults
    )
    key = _read_text(params, "key")
    bucket = _read_text(params, "bucket") if params.get("bucket") is not None else ""
    return msgspec.structs.replace(
        parsed, ref=ObjectRef(bucket, key), headers=_parse_headers(params.get("headers"), faults)
    )


def _to_standard_base64(path: str) -> str:
    """Return base64 in the standard alphabet, padded."""
    text = path.replace("-", "+").replace("_", "/").rstrip("=")
    return text + "=" * (-len(text) % 4)


def _read_text(params: Mapping[str, object], name: str) -> str:
    value = params[name]
    if not isinstance(value, str) or not value:
        raise InvalidParameter(name, "text that is not empty", value)
    return value


def _parse_headers(params: object, faults: Faults) -> dict[str, str]:
    """Return the response headers that a path sets. Raises InvalidParameter."""
    if faults.is_lenient:
        params = repair_object(params, "headers", faults)
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise InvalidParameter("headers", "an object", params)
    headers: dict[str, str] = {}
    for name, value in params.items():
        where = f"headers.{name}"
        if str(name).lower() not in HEADERS:
            faults.tolerate(InvalidParameter(where, "one of " + ", ".join(HEADERS) + suggest(name, HEADERS), value))
            continue
        if (
            not isinstance(value, str)
            or not value.isascii()
            or not value.isprintable()
            or len(value) > _MAX_HEADER_LENGTH
        ):
            expected = f"text in printable ASCII, at most {_MAX_HEADER_LENGTH} characters"
            faults.tolerate(InvalidParameter(where, expected, value))
            continue
        if str(name).lower() in {each.lower() for each in headers}:
            raise InvalidParameter(where, "given once, however it is capitalised", value)
        headers[str(name)] = value
    return headers
