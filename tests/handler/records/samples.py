"""Records and notices for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from handler.records.record import ImageRecord, Variant, record_id

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def record(key: str = "cat.jpg", at: float = 0, **fields: Any) -> ImageRecord:
    """Return a record that was updated some seconds after START."""
    values = {"source": "pictures", "status": "ready", "created_at": START, "updated_at": moment(at), **fields}
    return ImageRecord(id=record_id(values["source"], key), key=key, **values)


VARIANT = Variant(
    preset="thumb", key="thumb/cat.webp", media_type="image/webp", width=20, height=10, bytes=99, etag="e"
)
