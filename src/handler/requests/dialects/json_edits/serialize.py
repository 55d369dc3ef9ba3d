"""Requests written as base64 JSON; what the dialect cannot express is left out."""

from __future__ import annotations

import base64
import json
from typing import Any

from handler.requests.dialects.json_edits.edits import CHAIN
from handler.requests.dialects.serialize import build_url, has_own_order, take_first_of_each, write_chain, write_edit
from handler.requests.parsed_request import ParsedRequest
from imaging import describe


def to_json(request: ParsedRequest) -> str:
    """Return the URL: base64 of JSON, as AWS's image handler reads it."""
    edits: dict[str, Any] = dict(map(write_edit, take_first_of_each(request.recipe.steps)))
    if has_own_order(request.recipe):
        edits = {CHAIN: write_chain(request.recipe)}
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
