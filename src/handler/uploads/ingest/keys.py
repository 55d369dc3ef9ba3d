"""The keys of uploaded originals: those that clients choose, and those made by the template UPLOAD_KEY."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import cache

from handler.core.errors import BadRequest
from handler.storage.sources.keys import MAX_KEY_BYTES, is_invalid, needs_boto
from imaging import FORMATS, MEDIA_TYPES

DEFAULT_TYPE = "application/octet-stream"
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")
_UNUSUAL = re.compile(r"[^\w.-]+")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_MAX_STEM = 80
"""Characters of a file's name in a key that is made of it."""


def check_key(key: str, field: str = "key") -> str:
    """Return the key, or the beginning of a key, that a client has chosen in a field.

    Raise BadRequest if it is not one that every store can have.
    """
    if is_invalid(key) or needs_boto(key):
        message = (
            f"`{field}` must have 1 to {MAX_KEY_BYTES} bytes in UTF-8 without control characters, and none of its "
            f"segments may be empty, `.` or `..`; got {key[:60]!a}"
        )
        raise BadRequest(message)
    return key


def check_template(template: str) -> str:
    """Return a template of keys. Raise ValueError unless its placeholders are known and `{uuid}` is one of them."""
    names = _PLACEHOLDER.findall(template)
    unknown = [name for name in names if name not in _VALUES]
    rest = _PLACEHOLDER.sub("x", template)
    if unknown or "uuid" not in names or set("{}") & set(rest) or is_invalid(rest) or needs_boto(rest):
        placeholders = ", ".join(f"{{{name}}}" for name in _VALUES)
        raise ValueError(f"a key with {{uuid}} in it; its placeholders are {placeholders}")
    return template


def make_key(template: str, name: str, content_type: str, now: datetime) -> str:
    """Return a new key. `name` is the name of the file on the client's side and may be empty."""
    return _PLACEHOLDER.sub(lambda found: _VALUES[found[1]](name, content_type, now), template)


def guess_type(name: str) -> str:
    """Return the media type of a file by its extension; DEFAULT_TYPE if it is no image's."""
    return _types().get(name.rpartition(".")[2].lower(), DEFAULT_TYPE)


@cache
def _types() -> dict[str, str]:
    """Return the media type of each extension of an image."""
    return {extension: MEDIA_TYPES[each.name] for each in FORMATS for extension in each.extensions}


def _extension(name: str, content_type: str, _: datetime) -> str:
    """Return the extension of a name with its dot, or else that of the media type; empty if neither has one."""
    dot = name.rfind(".")
    if dot > 0 and _EXTENSION.fullmatch(name, dot):
        return name[dot:].lower()
    return next((f".{extension}" for extension, media_type in _types().items() if media_type == content_type), "")


def _stem(name: str, _: str, __: datetime) -> str:
    stem = name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or name
    return _UNUSUAL.sub("-", stem)[:_MAX_STEM].strip("-.") or "image"


_VALUES: dict[str, Callable[[str, str, datetime], str]] = {
    "date": lambda _, __, now: f"{now:%Y-%m-%d}",
    "year": lambda _, __, now: f"{now:%Y}",
    "month": lambda _, __, now: f"{now:%m}",
    "day": lambda _, __, now: f"{now:%d}",
    "uuid": lambda *_: uuid.uuid4().hex,
    "name": _stem,
    "ext": _extension,
}
