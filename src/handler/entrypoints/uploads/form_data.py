"""Read a form with a file (multipart/form-data, RFC 7578) while it arrives: the file is never in memory as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.message import Message

from handler.core.errors import BadRequest, PayloadTooLarge

_MAX_FIELDS, _MAX_FIELD_BYTES, _MAX_HEAD_BYTES = 50, 65_536, 8_192
"""Limits of the fields before the file: their number, their bytes together, and the bytes of one part's headers."""
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_MAX_EPILOGUE = 1_024
"""Bytes that may follow the file."""


class FormReader:
    """A form: first its fields, then the file, which must be its last part."""

    def __init__(self, content_type: str, blocks: Iterable[bytes], file: str) -> None:
        """Raise BadRequest unless the media type is that of a form. `file` is the name of the file's field."""
        message = Message()
        message["Content-Type"] = content_type
        boundary = message.get_param("boundary")
        if message.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
            raise BadRequest(
                f"the body must be a form (multipart/form-data with a boundary), got {content_type[:80]!a}"
            )
        if not _BOUNDARY.fullmatch(boundary):
            raise BadRequest(
                f"the boundary of the form must have 1 to 70 characters of RFC 2046, got {boundary[:80]!a}"
            )
        self._delimiter = b"\r\n--" + boundary.encode()
        self._blocks = iter(blocks)
        self._file = file
        # The first delimiter has no line before it.
        self._buffer = bytearray(b"\r\n")

    def read_fields(self) -> dict[str, str]:
        """Return the fields before the file. Raise BadRequest for an invalid form or one without a file."""
        fields: dict[str, str] = {}
        budget = _MAX_FIELD_BYTES
        self._read_until(self._delimiter, _MAX_HEAD_BYTES)
        while True:
            name = self._read_head()
            if name == self._file:
                return fields
            value = self._read_until(self._delimiter, budget)
            budget -= len(value)
            if name in fields or len(fields) >= _MAX_FIELDS:
                raise BadRequest(
                    f"the form must have at most {_MAX_FIELDS} fields, each once; `{name[:60]}` is too many"
                )
            try:
                fields[name] = value.decode()
            except UnicodeDecodeError:
                raise BadRequest(f"the field `{name[:60]}` must be text in UTF-8") from None

    def read_file(self) -> Iterator[bytes]:
        """Yield the bytes of the file, after the fields were read. Raise BadRequest if the form does not end there."""
        kept = len(self._delimiter) - 1
        while (at := self._buffer.find(self._delimiter)) < 0:
            # The end of the buffer may be the beginning of the delimiter.
            if len(self._buffer) > kept:
                block = bytes(self._buffer[:-kept])
                del self._buffer[:-kept]
                yield block
            self._receive()
        if at:
            yield bytes(self._buffer[:at])
        del self._buffer[: at + len(self._delimiter)]
        self._read_end()

    def _read_head(self) -> str:
        """Return the name of the next part, from its headers. Raise BadRequest after the last part."""
        while len(self._buffer) < 2:
            self._receive()
        if self._buffer.startswith(b"--"):
            raise BadRequest(f"the form must have a field `{self._file}` with the file, as its last one")
        head = self._read_until(b"\r\n\r\n", _MAX_HEAD_BYTES)
        for line in head.split(b"\r\n"):
            header, _, value = line.partition(b":")
            if header.strip().lower() == b"content-disposition":
                message = Message()
                message["Content-Disposition"] = value.decode("utf-8", "replace").strip()
                name = message.get_param("name", header="content-disposition")
                if message.get_content_disposition() == "form-data" and isinstance(name, str) and name:
                    return name
        raise BadRequest("each part of the form must have a header Content-Disposition with a name")

    def _read_until(self, end: bytes, max_bytes: int) -> bytes:
        """Return what comes before `end`, and skip both. Raise PayloadTooLarge if it has more than `max_bytes`."""
        while (at := self._buffer.find(end)) < 0:
            if len(self._buffer) > max_bytes + len(end):
                break
            self._receive()
        if at < 0 or at > max_bytes:
            raise PayloadTooLarge(f"the fields before the file must have at most {_MAX_FIELD_BYTES} bytes together")
        found = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return found

    def _read_end(self) -> None:
        """Raise BadRequest unless the last delimiter was that of the end."""
        for block in self._blocks:
            self._buffer += block
            if len(self._buffer) > _MAX_EPILOGUE:
                break
        if not self._buffer.startswith(b"--") or len(self._buffer) > _MAX_EPILOGUE:
            raise BadRequest(f"`{self._file}` must be the last field of the form")

    def _receive(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            raise BadRequest("the form ends before its last boundary", code="IncompleteBody")
        self._buffer += block
