"""The JSON of a record, as the operator API and notices contain it. docs/uploads.md and OpenAPI describe it."""

from __future__ import annotations

from typing import Any

import msgspec

from handler.records.record import ImageRecord


def serialize_record(record: ImageRecord) -> dict[str, Any]:
    """Return a record as values of JSON, with names in camelCase and without what only the database uses."""
    return {
        "id": record.id,
        "source": record.source,
        "key": record.key,
        "name": record.name,
        "owner": record.owner,
        "status": record.status,
        "etag": record.etag,
        "sequencer": record.sequencer,
        "attempts": record.attempts,
        "createdAt": msgspec.to_builtins(record.created_at),
        "updatedAt": msgspec.to_builtins(record.updated_at),
        "facts": dict(record.facts),
        "variants": [
            {
                "preset": variant.preset,
                "key": variant.key,
                "mediaType": variant.media_type,
                "width": variant.width,
                "height": variant.height,
                "bytes": variant.bytes,
                "etag": variant.etag,
                "url": variant.url,
            }
            for variant in record.variants
        ],
        "error": (
            None
            if record.error is None
            else {"code": record.error.code, "message": record.error.message, "attempts": record.error.attempts}
        ),
    }
