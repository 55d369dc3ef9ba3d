"""Images that are sent in JSON, in base64, and returned in the same way."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handler.core.errors import BadRequest
from handler.entrypoints.http_call import decode_base64
from handler.render.results import REPORT, RenderedResult
from handler.requests.parse import CUT_OUT
from handler.requests.strict_json import loads, refuse_lone_surrogates

InlineParams = tuple[tuple[str, object], ...]
_MAX_DEPTH = 8
"""Levels of nested objects that are flattened; no parameter needs more than two."""


def parse_body(body: bytes) -> tuple[bytes, InlineParams]:
    """Return the image and the parameters of a JSON body. Raise BadRequest for any other body."""
    try:
        fields = loads(body.decode())
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON with `image` in base64") from None
    if not isinstance(fields, dict):
        raise BadRequest("the body must be a JSON object with `image` in base64")
    return parse_object(fields)


def parse_object(fields: Mapping[str, Any]) -> tuple[bytes, InlineParams]:
    """Return the image in the field `image`, and all other fields as parameters. Raise BadRequest without an image."""
    image = fields.get("image")
    if not isinstance(image, str) or not image:
        raise BadRequest("`image` must be an image in base64")
    text = image.partition(",")[2] if image.startswith("data:") else image
    original = decode_base64(text, "`image`")
    return original, flatten_params({name: value for name, value in fields.items() if name != "image"})


def flatten_params(fields: Mapping[str, Any]) -> InlineParams:
    """Return fields as names and values; `{"blur": {"sigma": 3}}` becomes `blur.sigma=3`. Raise InvalidParameter."""
    refuse_lone_surrogates(fields)
    return tuple(_flatten(fields))


def _flatten(fields: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        if isinstance(value, Mapping) and value and depth < _MAX_DEPTH:
            yield from _flatten(value, f"{prefix}{name}.", depth + 1)
        else:
            yield prefix + name, value


def add_background_removal(params: Iterable[tuple[str, object]]) -> InlineParams:
    """Return the parameters with the feature that removes the background added to `feature`."""
    params = tuple(params)
    named = [value for name, value in params if name == "feature"]
    features = named[0] if named and isinstance(named[0], list) else [str(value) for value in named]
    return (*((name, value) for name, value in params if name != "feature"), ("feature", [CUT_OUT, *features]))


def to_json(result: RenderedResult) -> dict[str, object]:
    """Return an image as an object with `image` in base64 and `contentType`; a report as it is."""
    if result.media_type == REPORT:
        report: dict[str, object] = json.loads(result.body)
        return report
    return {"image": base64.b64encode(result.body).decode(), "contentType": result.media_type}
