"""Parse what a client says about an upload, in JSON or in a query. The messages name the field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from handler.auth.signature import parse_life
from handler.core.errors import BadRequest
from handler.storage.upload_stores import UploadAttributes
from handler.uploads.ingest.keys import DEFAULT_TYPE, check_key, guess_type

DEFAULT_LIFE, MAX_LIFE = timedelta(minutes=15), timedelta(days=7)
"""How long a form or the URL of a part is valid: by default, and at most (a limit of S3's signatures)."""
_MAX_NAME, _MAX_METADATA_BYTES, _MAX_PARTS = 200, 2_000, 10_000
_MEDIA_TYPE = re.compile(r"image/[a-z0-9.+-]{1,60}")
_METADATA_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SHA256 = re.compile("[0-9a-f]{64}")
FIELDS = (
    "key", "prefix", "name", "contentType", "bytes", "sha256", "overwrite", "expires", "metadata", "multipart",
)  # fmt: skip


class UploadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that a client wants to make."""

    key: str = ""
    """Empty: a key is made."""
    prefix: str = ""
    """Of the key that is made."""
    name: str = ""
    """The name that a person sees."""
    content_type: str = DEFAULT_TYPE
    bytes: int | None = None
    """The exact number of bytes, if it is known."""
    sha256: str = ""
    overwrite: bool = False
    life: timedelta = DEFAULT_LIFE
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)
    multipart: bool = False
    owner: str = ""
    """The gallery visitor that uploads, set by the entrypoint and never by the client."""

    @property
    def attributes(self) -> UploadAttributes:
        """What is stored with the original; its SHA-256 lets a later upload of the same file be skipped."""
        known = {"sha256": self.sha256} if self.sha256 else {}
        return UploadAttributes(self.content_type, {**self.metadata, **known})


def parse_upload(fields: Mapping[str, Any]) -> UploadRequest:
    """Return the upload that a JSON object describes. Raise BadRequest with the field that is invalid."""
    name = _text(fields, "name", _MAX_NAME)
    key, prefix = _text(fields, "key"), _text(fields, "prefix")
    if key and prefix:
        raise BadRequest("`prefix` must be left out where `key` is given, because it belongs to keys that are made")
    if key:
        check_key(key)
    if prefix:
        check_key(prefix.removesuffix("/"), "prefix")
    sha256 = parse_sha256(_text(fields, "sha256"))
    content_type = parse_media_type(_text(fields, "contentType") or guess_type(name or key), "contentType")
    return UploadRequest(
        key=key,
        prefix=prefix,
        name=name,
        content_type=content_type,
        bytes=_size(fields.get("bytes")),
        sha256=sha256,
        overwrite=_boolean(fields, "overwrite"),
        life=_life(fields.get("expires")),
        metadata=_metadata(fields.get("metadata")),
        multipart=_boolean(fields, "multipart"),
    )


def parse_media_type(value: str, field: str) -> str:
    """Return the media type of an original. Nothing but an image may be stored under a type of its own."""
    media_type = value.partition(";")[0].strip().lower()
    if media_type != DEFAULT_TYPE and not _MEDIA_TYPE.fullmatch(media_type):
        raise BadRequest(f"`{field}` must be an image's media type or {DEFAULT_TYPE}, got {value[:60]!a}")
    return media_type


def parse_sha256(value: str) -> str:
    """Return a SHA-256, which may be empty. Raise BadRequest for anything else."""
    if value and not _SHA256.fullmatch(value):
        raise BadRequest(f"`sha256` must be 64 hexadecimal digits in lower case, got {value[:80]!a}")
    return value


def parse_parts(value: object) -> list[tuple[int, str]]:
    """Return number and ETag of each part, in the order of the numbers. Raise BadRequest."""
    expected = f"`parts` must be a list of 1 to {_MAX_PARTS} objects with `number` and `etag`, each number once"
    try:
        parts = sorted((part.number, part.etag.strip('"')) for part in msgspec.convert(value, list[_Part]))
    except msgspec.ValidationError as error:
        raise BadRequest(expected, detail=str(error)) from error
    numbers = [number for number, _ in parts]
    if not 1 <= len(parts) <= _MAX_PARTS or len(set(numbers)) != len(numbers):
        raise BadRequest(expected)
    return parts


def parse_part_numbers(value: object) -> list[int]:
    """Return numbers of parts. Raise BadRequest."""
    given = value if isinstance(value, list) else []
    numbers = [each for each in given if type(each) is int and 1 <= each <= _MAX_PARTS]
    if not 1 <= len(numbers) <= _MAX_PARTS or len(numbers) != len(given):
        raise BadRequest(f"`numbers` must be a list of the numbers of parts, from 1 to {_MAX_PARTS}")
    return numbers


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    etag: str


def _text(fields: Mapping[str, Any], name: str, longest: int = 1_024) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable() or len(value) > longest:
        raise BadRequest(f"`{name}` must be text of at most {longest} printable characters, got {value!r:.60}")
    return value


def _boolean(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and type(value) is not bool:
        raise BadRequest(f"`{name}` must be true or false, got {value!r:.60}")
    return bool(value)


def _size(value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise BadRequest(f"`bytes` must be the size of the file, a whole number from 1, got {value!r:.60}")
    return value


def _life(value: object) -> timedelta:
    if value is None:
        return DEFAULT_LIFE
    life = parse_life(value) if isinstance(value, str) else None
    if life is None or not timedelta(seconds=1) <= life <= MAX_LIFE:
        raise BadRequest(
            f"`expires` must be a time to live from 1s to {MAX_LIFE.days}d, such as 15m, got {value!r:.60}"
        )
    return life


def _metadata(value: object) -> dict[str, str]:
    if value is None:
        return {}
    pairs = value.items() if isinstance(value, dict) else ()
    is_valid = all(
        _METADATA_NAME.fullmatch(name) and isinstance(text, str) and text.isascii() and text.isprintable()
        for name, text in pairs
    )
    size = sum(len(name) + len(text) for name, text in pairs) if is_valid else 0
    if not isinstance(value, dict) or not is_valid or size > _MAX_METADATA_BYTES or "sha256" in value:
        raise BadRequest(
            "`metadata` must be an object of texts in ASCII, with names of a-z, 0-9 and -, together at most "
            f"{_MAX_METADATA_BYTES} bytes; `sha256` has a field of its own"
        )
    return {str(name): str(text) for name, text in value.items()}
