"""Pictures that come inside JSON, in base64, and go back the same way."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handler.errors import BadRequest
from handler.render.render import REPORT, Result
from handler.requests.dialects.json_edits import loads, refuse_lone_surrogates
from handler.requests.parse import CUT_OUT

_DEEPEST = 8
"""Objects within objects; no parameter needs more than two."""


def read(body: bytes | str) -> tuple[bytes, tuple[tuple[str, object], ...]]:
    """The picture and the parameters of JSON that holds `image` in base64."""
    try:
        said = loads(body.decode() if isinstance(body, bytes) else body)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON with `image` in base64") from None
    if not isinstance(said, dict):
        raise BadRequest("the body must be a JSON object with `image` in base64")
    return picture_of(said)


def picture_of(said: Mapping[str, Any]) -> tuple[bytes, tuple[tuple[str, object], ...]]:
    """The picture under `image`, and all other names as parameters."""
    image = said.get("image")
    if not isinstance(image, str) or not image:
        raise BadRequest("`image` must be a picture in base64")
    text = image.partition(",")[2] if image.startswith("data:") else image
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("`image` must be a picture in base64") from None
    return picture, parameters({name: value for name, value in said.items() if name != "image"})


def parameters(said: Mapping[str, Any]) -> tuple[tuple[str, object], ...]:
    """Names and values; objects become dotted names: `{"blur": {"sigma": 3}}` says `blur.sigma=3`. InvalidParameter."""
    refuse_lone_surrogates(said)
    return tuple(_flattened(said))


def _flattened(said: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    for name, value in said.items():
        if isinstance(value, Mapping) and value and depth < _DEEPEST:
            yield from _flattened(value, f"{prefix}{name}.", depth + 1)
        else:
            yield prefix + name, value


def cutting_out(said: Iterable[tuple[str, object]]) -> tuple[tuple[str, object], ...]:
    """The same parameters, with the feature named that cuts out."""
    said = tuple(said)
    named = [value for name, value in said if name == "feature"]
    features = named[0] if named and isinstance(named[0], list) else [str(value) for value in named]
    return (*((name, value) for name, value in said if name != "feature"), ("feature", [CUT_OUT, *features]))


def as_json(result: Result) -> dict[str, object]:
    """A picture as callers of the common background-remover function expect it; a report as it is."""
    if result.media_type == REPORT:
        report: dict[str, object] = json.loads(result.body)
        return report
    return {"image": base64.b64encode(result.body).decode(), "contentType": result.media_type}
