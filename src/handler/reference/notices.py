"""The schema of a record and of a notice, for the part of the OpenAPI document that describes the webhook."""

from __future__ import annotations

from typing import Any, get_args

from handler.records.record import FINAL, Status
from handler.reference.operations import object_schema
from handler.reference.schema import Schema

_TEXT: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_MEANINGS = {
    "ready": "An original was processed: its variants are stored",
    "rejected": "An original cannot be processed: it is damaged, too large, not an image, or rejected by moderation",
    "failed": "An original could not be processed, after several attempts",
    "deleted": "An original was deleted, and what was made of it with it",
}


def record_schema() -> Schema:
    """Return the schema of what is known of an original."""
    variant = object_schema(
        {
            "preset": _TEXT,
            "key": _TEXT | {"description": "Key in OUTPUT_BUCKET"},
            "mediaType": _TEXT,
            "width": _INTEGER,
            "height": _INTEGER,
            "bytes": _INTEGER,
            "etag": _TEXT,
            "url": _TEXT,
        }
    )
    error = object_schema({"code": _TEXT, "message": _TEXT, "attempts": _INTEGER})
    return object_schema(
        {
            "id": _TEXT | {"pattern": "^[0-9a-f]{32}$"},
            "source": _TEXT | {"description": "Name of the source in SOURCE_BUCKETS"},
            "key": _TEXT,
            "name": _TEXT | {"description": "Name for people; empty: the last part of the key"},
            "owner": _TEXT | {"description": "Visitor of the gallery who uploaded it; empty for all other uploads"},
            "status": {"enum": list(get_args(Status))},
            "etag": _TEXT | {"description": "ETag of the original that facts and variants were made of"},
            "sequencer": _TEXT | {"description": "Orders the versions of an original, compared as text"},
            "attempts": _INTEGER,
            "createdAt": _TIME,
            "updatedAt": _TIME,
            "facts": {"type": "object", "description": "The report of the feature `info`"},
            "variants": {"type": "array", "items": variant},
            "error": {"anyOf": [error, {"type": "null"}], "description": "Why it was rejected or has failed"},
        }
    )


def webhooks() -> dict[str, Any]:
    """Return what the service sends to WEBHOOK_URL, by the type of the notice."""
    headers = [
        _header("webhook-id", "ID of the notice, the same each time that it is sent", _TEXT),
        _header("webhook-timestamp", "Time of this attempt, in seconds since 1970", _TEXT | {"pattern": "^[0-9]+$"}),
        _header("webhook-signature", "One or two signatures, `v1,` and base64, separated by a space", _TEXT),
    ]
    answers = {
        "2XX": {"description": "The notice is accepted"},
        "default": {"description": "The notice is sent again later. Redirects are not followed"},
    }
    return {
        f"image.{status}": {
            "post": {
                "summary": _MEANINGS[status],
                "description": "Signed as the Standard Webhooks specification says. See docs/uploads.md.",
                "parameters": headers,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _notice_schema(f"image.{status}")}},
                },
                "responses": answers,
            }
        }
        for status in FINAL
    }


def _notice_schema(kind: str) -> Schema:
    omitted = {
        "type": "array",
        "items": _TEXT,
        "description": "What is left out because the notice would be too large, such as `facts.exif` or `variants`",
    }
    notice = object_schema(
        {
            "id": _TEXT | {"pattern": "^[0-9a-f]{32}$"},
            "type": {"const": kind},
            "timestamp": _TIME,
            "data": {"$ref": "#/components/schemas/Record"},
            "omitted": omitted,
        }
    )
    notice["required"].remove("omitted")
    return notice


def _header(name: str, description: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": schema}
