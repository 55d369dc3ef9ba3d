"""Find the part of a stored body that a request is for (RFC 9110, 14).

For several ranges, and for a header that is not a range of bytes, the whole body is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from handler.core.errors import HandlerError

_RANGE = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{1,15})?|-([0-9]{1,15}))", re.IGNORECASE)


def find_range(headers: Mapping[str, str], etag: str, size: int) -> range | None:
    """Return the bytes that a request is for, None for all of them. Raise a HandlerError for bytes that are not there.

    `If-Range` must be the ETag: two versions of a file may have been written in one second.
    """
    match = _RANGE.fullmatch(headers.get("range", "").strip())
    if match is None or headers.get("if-range", etag).strip() != etag:
        return None
    first, last, suffix = match.groups()
    found = range(max(0, size - int(suffix)), size) if suffix else range(int(first), min(size, int(last or size) + 1))
    if last and int(last) < int(first):
        return None
    if not found:
        message = f"the range must be within {size} bytes, got {match[0]}"
        raise HandlerError(
            message, code="RangeNotSatisfiable", status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            headers={"Content-Range": f"bytes */{size}"},
        )  # fmt: skip
    return found
