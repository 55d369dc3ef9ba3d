"""How databases store records: as JSON, with times as text that sorts, and how far a page has come as a cursor."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime

import msgspec

from handler.core.errors import BadRequest
from handler.records.record import ImageRecord, Notice
from handler.records.store import MAX_PAGE, RecordFilter

MAX_RECORD_BYTES = 350_000
"""Of a record as JSON: an item of DynamoDB has at most 400 KB, with its keys."""
MAX_TEXT_BYTES = 1024
"""Of a key, as in S3, and of an owner: an index of a database cannot hold longer ones."""
MAX_NAME = 200
"""Characters of the name of a counter."""
_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z#[0-9a-f]{32}")


def time_text(moment: datetime) -> str:
    """Return a time as text that sorts like the time: `2026-01-31T12:00:00.000000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def stored_record(record: ImageRecord, replaces: int | None) -> ImageRecord:
    """Return the record with the revision that it gets. Raise BadRequest if a database cannot store it."""
    for field in ("source", "key", "owner"):
        text: str = getattr(record, field)
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise BadRequest(f"{field} must be text without NUL characters and surrogates, got {text[:60]!r}")
        if len(text.encode()) > MAX_TEXT_BYTES:
            raise BadRequest(f"{field} must have at most {MAX_TEXT_BYTES} bytes, got {len(text.encode())}")
    return msgspec.structs.replace(record, revision=(replaces or 0) + 1)


def encode_record(record: ImageRecord) -> str:
    """Return a record as JSON. Raise BadRequest if it is too large."""
    text = msgspec.json.encode(record)
    if len(text) > MAX_RECORD_BYTES:
        raise BadRequest(f"a record must have at most {MAX_RECORD_BYTES} bytes as JSON, got {len(text)}")
    return text.decode()


def decode_record(text: str) -> ImageRecord:
    """Return the record in a text. Fields that a later version has added are ignored."""
    return msgspec.json.decode(text, type=ImageRecord)


def encode_notice(notice: Notice) -> str:
    """Return a notice as JSON."""
    return msgspec.json.encode(notice).decode()


def decode_notice(text: str) -> Notice:
    """Return the notice in a text."""
    return msgspec.json.decode(text, type=Notice)


def matches(record: ImageRecord, which: RecordFilter) -> bool:
    """Return whether a filter admits a record."""
    equal = ((which.source, record.source), (which.status, record.status), (which.owner, record.owner))
    return (
        all(expected in ("", None, found) for expected, found in equal)
        and record.key.startswith(which.prefix)
        and (which.updated_before is None or record.updated_at < which.updated_before)
    )


def position_of(record: ImageRecord, which: RecordFilter) -> str:
    """Return what a page is sorted by: the key, or the time of the update and the ID."""
    return record.key if which.prefix else f"{time_text(record.updated_at)}#{record.id}"


def encode_cursor(position: str, which: RecordFilter) -> str:
    """Return the cursor of the page that begins after a position."""
    order = "key" if which.prefix else "update"
    return base64.urlsafe_b64encode(f"{order}:{position}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str, which: RecordFilter) -> str:
    """Return the position in a cursor, empty for the first page. Raise BadRequest for another text."""
    if not cursor:
        return ""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    order, _, position = text.partition(":")
    expected = "key" if which.prefix else "update"
    if order != expected or "\0" in position or (not which.prefix and not _POSITION.fullmatch(position)):
        raise BadRequest(f"cursor must be the cursor of a page with the same filter, got {cursor[:60]!r}")
    return position


def counted_bytes(record: ImageRecord) -> int | None:
    """Return how many bytes a record counts for the storage of its source, None if it counts for nothing."""
    return record.bytes if record.bytes and record.status != "deleted" else None


def check_name(name: str) -> str:
    """Return the name of a counter. Raise ValueError for one that a database may not store."""
    if not name.isascii() or not name.isprintable() or not 1 <= len(name) <= MAX_NAME:
        raise ValueError(f"a name must have 1 to {MAX_NAME} printable characters of ASCII")
    return name


def check_page(which: RecordFilter, limit: int) -> None:
    """Raise ValueError for a filter or limit that a caller may not pass on."""
    if which.prefix and not which.source:
        raise ValueError("a prefix needs a source")
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit must be a whole number from 1 to {MAX_PAGE}, got {limit}")
