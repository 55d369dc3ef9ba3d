"""Writes the address of an image as the service's own language has it: `/key?feature.parameter=value`.

The address is in the canonical form that is signed (docs/signing.md of the service): every client writes the same
address for the same key and options, so that caches hold one copy of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from image_handler_client.canonical import canonical

_AMBIGUOUS = re.compile(
    r"[_/]"  # a page of the service, such as /_health
    r"|(?:unsafe|insecure|meta|fit-in)/"
    r"|[0-9]+x[0-9]+/"
    r"|[A-Za-z0-9_=+-]{20,}/"  # what may be a signature
    r"|e[wy][A-Za-z0-9+/=_-]*\Z"  # base64 of what begins with `{`
    r"|[^:]*:"  # a filter, or another address
)
"""A key of this form may be read as a path of another URL language, unless it stands behind `/_key/`."""
_STEPS = "steps"


def image_path(key: str, options: Mapping[str, object] | None = None) -> str:
    """Return path and query of an image.

    `key` is the name of the object, not encoded; one slash before it is dropped. `options` maps names of features and
    parameters to values: `{"width": 300, "blur": 3, "flip": True, "watermark": {"key": "logo.png"}}`. A nested mapping
    holds the parameters of a feature, a list of mappings those of a feature that is applied several times, and
    `steps` a list of edits that are applied in its order. Any other list is written with commas, and None leaves an
    option out. Raises ValueError for an empty key and TypeError for a value of another type.
    """
    key = key.removeprefix("/")
    if not key:
        raise ValueError("key must be the name of an object, got an empty text")
    path = ("/_key/" if _AMBIGUOUS.match(key) else "/") + key
    return canonical(path, _pairs(options or {}))


def _pairs(options: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        if name == _STEPS and not prefix and not isinstance(value, str):
            yield name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        elif isinstance(value, Mapping):
            if prefix:
                raise TypeError(f"{prefix}{name} must be text, a number, a bool or a list, got a mapping")
            yield from _pairs(value, f"{name}.")
        elif isinstance(value, (list, tuple)) and value and not prefix and isinstance(value[0], Mapping):
            for number, element in enumerate(value):
                yield from _pairs(element, f"{name}.{number}.")
        elif value is not None:
            yield prefix + name, _text(prefix + name, value)


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return f"{value:.12g}" if isinstance(value, float) else str(value)
    if isinstance(value, (list, tuple)):
        return ",".join(_text(name, item) for item in value)
    raise TypeError(f"{name} must be text, a number, a bool, a list or a mapping, got {type(value).__name__}")
