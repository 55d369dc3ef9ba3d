"""The operation `/_api/capabilities` of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from handler.reference.operations import endpoint, object_schema
from handler.reference.schema import Schema


def capabilities() -> dict[str, Any]:
    """Return the operation that describes what a service can do."""
    text: Schema = {"type": "string"}
    names: Schema = {"type": "array", "items": text}
    detector: Schema = {"enum": ["rekognition", "local", None]}
    limits = ("sourceBytes", "sourcePixels", "uploadBytes", "frames", "resultSide", "resultPixels")
    entry = object_schema({"feature": text, "reason": text})
    entry["properties"] |= {"parameter": text, "value": text}
    described = object_schema(
        {
            "models": {
                "type": "object",
                "additionalProperties": {"type": "boolean"},
                "description": "Whether the weights of each model of removeBackground are installed",
            },
            "detection": object_schema(dict.fromkeys(("faces", "objects", "text", "moderation", "salient"), detector)),
            "formats": object_schema({"read": names, "write": names}),
            "limits": object_schema({name: {"type": "integer"} for name in limits}),
            "dialects": names,
            "signatures": {"enum": ["required", "optional"]},
            "presetsOnly": {"type": "boolean"},
            "publicFeatures": names | {"description": "Expensive and billed features that need no signature"},
            "unavailable": {
                "type": "array",
                "items": entry,
                "description": "Features, or values of their parameters, that this service cannot serve, with how to "
                "switch them on",
            },
        }
    )
    return endpoint("Describe what this service can do; names no source and no preset", [], described)
