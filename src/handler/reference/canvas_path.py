"""The path of a canvas in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from handler.reference.operations import parameter
from handler.reference.schema import Schema
from handler.requests.parsed_request import CANVAS_PARAMETERS
from imaging import MAX_CANVAS_SIDE, Canvas

CANVAS = "No original is read. `width`, `height` and `color` are those of the canvas; `resize.width` resizes it."


def canvas_parameters(references: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the parameters of a canvas, and those of every image except `bucket` and what the canvas has itself."""
    side: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_CANVAS_SIDE}
    width, height, color = Canvas()
    own = [
        parameter("width", "Width in pixels", {**side, "default": width}),
        parameter("height", "Height in pixels", {**side, "default": height}),
        parameter("color", "Colour", {"type": "string", "format": "color", "default": f"#{color}"}),
    ]
    others = {f"#/components/parameters/{name}" for name in (*CANVAS_PARAMETERS, "bucket")}
    return [*own, *(each for each in references if each["$ref"] not in others)]
