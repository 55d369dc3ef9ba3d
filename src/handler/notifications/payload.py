"""The JSON of a notice, the same for every receiver."""

from __future__ import annotations

from typing import Any

import msgspec

from handler.records.record import Notice
from handler.records.serialize import serialize_record

MAX_BYTES = 240_000
"""SNS and EventBridge accept 262,144 bytes, in which attributes and names are counted as well."""


class Message(msgspec.Struct, frozen=True):
    """A notice, and its JSON."""

    notice: Notice
    body: bytes


def message_of(notice: Notice, max_bytes: int = MAX_BYTES) -> Message:
    """Return a notice with its JSON of at most `max_bytes`.

    If the record is larger, the largest of its facts are left out first, then the last of its variants; `omitted` in
    the JSON lists what is left out, as `facts.exif` or `variants`.
    """
    record = serialize_record(notice.record)
    content = {
        "id": notice.id,
        "type": notice.type,
        "timestamp": record["updatedAt"],
        "data": record,
    }
    body = msgspec.json.encode(content)
    if len(body) <= max_bytes:
        return Message(notice, body)
    omitted = content["omitted"] = _drop_facts(record, len(body) - max_bytes + 16)
    while record["variants"] and len(body := msgspec.json.encode(content)) > max_bytes:
        omitted += [] if "variants" in omitted else ["variants"]
        # Each step leaves out as many as the excess has on average, so that few steps are needed.
        size = len(msgspec.json.encode(record["variants"])) / len(record["variants"])
        count = max(1, int((len(body) - max_bytes) / size))
        record["variants"] = record["variants"][:-count]
    return Message(notice, msgspec.json.encode(content))


def _drop_facts(record: dict[str, Any], excess: int) -> list[str]:
    """Remove the largest facts until they had at least so many bytes; return their names."""
    sizes = {name: len(msgspec.json.encode(value)) for name, value in record["facts"].items()}
    dropped: list[str] = []
    # The names of what is left out take bytes as well.
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        if excess <= 0:
            break
        excess += len(name) + 16 - sizes[name]
        dropped.append(f"facts.{name}")
    left_out = {name.removeprefix("facts.") for name in dropped}
    record["facts"] = {name: value for name, value in record["facts"].items() if name not in left_out}
    return dropped
