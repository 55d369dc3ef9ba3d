"""Records and notices for the tests of notifications."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from handler.records.record import ImageRecord, Notice, ProcessingError, Status, Variant, notice_of, record_id

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)


def variant(preset: str = "thumb", key: str = "cat.jpg") -> Variant:
    return Variant(
        preset=preset, key=f"{preset}/photos/{key}", media_type="image/webp", width=40, height=30, bytes=123, etag="e2"
    )


def record(
    key: str = "cat.jpg",
    status: Status = "ready",
    *,
    facts: Mapping[str, Any] | None = None,
    variants: tuple[Variant, ...] = (variant(),),
    error: ProcessingError | None = None,
    at: datetime = NOW,
) -> ImageRecord:
    return ImageRecord(
        id=record_id("photos", key), source="photos", key=key, status=status, created_at=at, updated_at=at, attempts=1,
        sequencer="0A", etag="e1", facts=facts or {"width": 4000}, variants=variants, error=error, revision=3,
    )  # fmt: skip


def notice(key: str = "cat.jpg", status: Status = "ready", **fields: Any) -> Notice:
    return notice_of(record(key, status, **fields))
