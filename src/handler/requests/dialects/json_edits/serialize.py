"""Requests written as base64 JSON; what the dialect cannot express is left out."""

from __future__ import annotations

import base64
import json
from typing import Any

from handler.requests.dialects.serialize import build_url, take_first_of_each
from handler.requests.parsed_request import ParsedRequest
from imaging import Step, describe


def to_json(request: ParsedRequest) -> str:
    """Return the URL: base64 of JSON, as AWS's image handler reads it."""
    edits: dict[str, Any] = dict(map(_write_edit, take_first_of_each(request.recipe.steps)))
    output = describe(request.recipe.output)
    if "format" in output:
        edits["toFormat"] = output.pop("format")
    params: dict[str, Any] = {"bucket": request.ref.bucket} if request.ref.bucket else {}
    params |= {"key": request.ref.key}
    if edits or output:
        params["edits"] = {**edits, **output}
    if request.headers:
        params["headers"] = dict(request.headers)
    text = json.dumps(params, ensure_ascii=False, separators=(",", ":"))
    return build_url("/" + base64.urlsafe_b64encode(text.encode()).decode(), request.controls)


def _write_edit(step: Step) -> tuple[str, Any]:
    """Return the name and the value of an edit; AWS's `smartCrop` has a place of its own in the order."""
    params = describe(step.params)
    if step.feature.name == "smartCropping" and {"faceIndex"} <= params.keys() <= {"faceIndex", "padding"}:
        return "smartCrop", params
    # `rotate` without a number only applies the orientation that the file states.
    return step.feature.name, params or (0 if step.feature.name == "rotate" else True)
