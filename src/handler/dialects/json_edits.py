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

from features import MEDIA_TYPES, InvalidParameter, Output, by_name, feature_names, main_field, spellings

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
_FORMATS = ("jpeg", "jpg", "png", "webp", "avif", "gif", "tiff", "heif")


class JsonRequest(msgspec.Struct, frozen=True):
    """A JSON path, sorted by whom it concerns, not yet checked."""

    key: str
    bucket: str = ""
    edits: dict[str, object] = msgspec.field(default_factory=dict)
    output: dict[str, object] = msgspec.field(default_factory=dict)
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
        said = loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or "key" not in said:
        return None
    return _sorted(said)


def loads(text: str) -> object:
    """Parse JSON in which no name stands twice, no number is infinite and all text is Unicode; ValueError,
    RecursionError.
    """
    said = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_constant)
    if _SURROGATE.search(text):
        refuse_lone_surrogates(said)
    return said


def refuse_lone_surrogates(said: object) -> None:
    """Half a character can be written in JSON, but no store, header or answer can hold it. InvalidParameter."""
    try:
        json.dumps(said, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidParameter("JSON", "Unicode text", "a lone surrogate") from None
    except RecursionError:
        raise InvalidParameter("JSON", "of a depth that can be read", "objects within objects") from None


def _standard(path: str) -> str:
    text = path.replace("-", "+").replace("_", "/").rstrip("=")
    return text + "=" * (-len(text) % 4)


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    said = dict(pairs)
    if len(said) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidParameter(twice, "given once in a JSON object", "twice")
    return said


def _no_constant(name: str) -> NoReturn:
    raise InvalidParameter("JSON", "finite numbers", name)


def _sorted(said: dict[str, object]) -> JsonRequest:
    for name, value in said.items():
        if name not in _TOP:
            raise InvalidParameter(name, "one of " + ", ".join(_TOP), value)
    edits, output = split(said.get("edits", {}))
    for top, option in (("outputFormat", "format"), ("effort", "effort")):
        if said.get(top) is not None:
            output.setdefault(option, said[top])
    return JsonRequest(
        key=_text(said, "key"),
        bucket=_text(said, "bucket") if said.get("bucket") is not None else "",
        edits=edits,
        output=output,
        headers=_headers(said.get("headers")),
    )


def _text(said: Mapping[str, object], name: str) -> str:
    value = said[name]
    if not isinstance(value, str) or not value:
        raise InvalidParameter(name, "text", value)
    return value


def _headers(said: object) -> dict[str, str]:
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        raise InvalidParameter("headers", "an object", said)
    headers: dict[str, str] = {}
    for name, value in said.items():
        if str(name).lower() not in HEADERS:
            raise InvalidParameter(f"headers.{name}", "one of " + ", ".join(HEADERS), value)
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > 1000:
            raise InvalidParameter(f"headers.{name}", "text in printable ASCII, at most 1000 characters", value)
        if str(name).lower() in {each.lower() for each in headers}:
            raise InvalidParameter(f"headers.{name}", "given once, however it is capitalised", value)
        headers[str(name)] = value
    return headers


def split(edits: object) -> tuple[dict[str, object], dict[str, object]]:
    """Edits in AWS's words, as features and output in ours; a cut before the resize is `crop`, after it `extract`."""
    if edits is None:
        return {}, {}
    if not isinstance(edits, Mapping):
        raise InvalidParameter("edits", "an object", edits)
    steps: dict[str, object] = {}
    output: dict[str, object] = {}
    for name, value in edits.items():
        if name in _FORMATS and isinstance(value, Mapping):
            _format(output, name, value)
        elif name == "toFormat":
            output["format"] = value
        elif name in ("extract", "crop"):
            steps[_box(list(edits), name)] = value
        elif name == "overlayWith":
            steps["watermark"] = _overlay(value)
        elif name in spellings(Output) and name not in feature_names():
            output[spellings(Output)[name].name] = value
        else:
            steps[name] = _colour_of(name, value)
    return steps, output


def _colour_of(name: str, value: object) -> object:
    """sharp's `tint: {r, g, b}` is one colour, not three parameters."""
    main = main_field(by_name(name).params) if name in feature_names() else None
    is_colour = isinstance(value, Mapping) and value and set(value) <= {"r", "g", "b", "alpha"}
    return {main.name: value} if main and is_colour else value


def _box(names: list[str], name: str) -> str:
    """AWS cuts before the resize where the box is named before it, else after."""
    late = "resize" in names and names.index("resize") < names.index(name)
    return "extract" if late else "crop"


def _format(output: dict[str, object], name: str, options: Mapping[str, object]) -> None:
    known = "jpeg" if name in ("jpg", "heif") else name
    if known not in MEDIA_TYPES:
        raise InvalidParameter(f"edits.{name}", "one of " + ", ".join(_FORMATS), options)
    output.setdefault("format", known)
    for option, value in options.items():
        if option not in spellings(Output):
            raise InvalidParameter(f"edits.{name}.{option}", "one of " + ", ".join(spellings(Output)), value)
        output[spellings(Output)[option].name] = value


def _overlay(value: object) -> dict[str, object]:
    """`overlayWith` in `watermark`'s words: alpha 0 is opaque there, ratios are percent, options lie a level deeper."""
    if not isinstance(value, Mapping):
        raise InvalidParameter("edits.overlayWith", "an object", value)
    names = {"bucket": "bucket", "key": "key", "wRatio": "width", "hRatio": "height"}
    said: dict[str, object] = {}
    for name, part in value.items():
        if name == "alpha":
            said["opacity"] = 100 - _percent("edits.overlayWith.alpha", part)
        elif name == "options":
            if not isinstance(part, Mapping):
                raise InvalidParameter("edits.overlayWith.options", "an object", part)
            said.update({str(option): content for option, content in part.items() if content not in (None, "")})
        elif name not in names:
            raise InvalidParameter(
                f"edits.overlayWith.{name}", "one of " + ", ".join((*names, "alpha", "options")), part
            )
        elif part not in (None, ""):
            said[names[name]] = _percent(f"edits.overlayWith.{name}", part) if name.endswith("Ratio") else part
    return said


def _percent(where: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if not 0 <= number <= 100:
        raise InvalidParameter(where, "a number from 0 to 100", value)
    return number
