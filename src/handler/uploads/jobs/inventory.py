"""The objects that a report of S3 Inventory lists."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from typing import IO, Any
from urllib.parse import unquote_plus, urlsplit

import msgspec

from handler.aws import AwsAccess
from handler.aws.sdk import sdk_client, sdk_errors
from handler.core.errors import BadRequest

_MAX_MANIFEST = 50_000_000
_NEEDED = ("Bucket", "Key")


class InventoryObject(msgspec.Struct, frozen=True):
    """A row of the report; an optional column that it lacks is 0 or empty."""

    bucket: str
    key: str
    size: int
    etag: str


class _File(msgspec.Struct, frozen=True):
    key: str


class _Manifest(msgspec.Struct, frozen=True, rename="camel"):
    file_format: str
    file_schema: str
    destination_bucket: str
    files: tuple[_File, ...]


class Inventory(msgspec.Struct, frozen=True):
    """A report of S3 Inventory in CSV."""

    columns: tuple[str, ...]
    files: tuple[str, ...]
    """Keys of its files."""
    open_file: Callable[[str], IO[bytes]]

    def objects(self) -> Iterator[InventoryObject]:
        """Yield the current version of each object. Raise SdkError, or BadRequest for a file that cannot be read."""
        for name in self.files:
            try:
                with self.open_file(name) as packed, gzip.open(packed, "rt", encoding="utf-8", newline="") as text:
                    for row in csv.reader(text):
                        found = self._parse(row)
                        if found is not None:
                            yield found
            except (OSError, EOFError, UnicodeDecodeError, csv.Error, ValueError) as error:
                raise BadRequest(f"{name} must be a file of S3 Inventory, CSV with gzip: {error}") from error

    def _parse(self, row: list[str]) -> InventoryObject | None:
        """Return an object; None for a delete marker, an older version and a folder."""
        if len(row) != len(self.columns):
            raise ValueError(f"a row has {len(row)} columns, and the manifest names {len(self.columns)}")
        fields = dict(zip(self.columns, row, strict=True))
        is_current = fields.get("IsLatest", "true") != "false" and fields.get("IsDeleteMarker", "false") != "true"
        key = unquote_plus(fields["Key"])  # S3 encodes keys like a form
        if not is_current or key.endswith("/"):
            return None
        return InventoryObject(fields["Bucket"], key, int(fields.get("Size") or 0), fields.get("ETag", "").strip('"'))


def open_inventory(url: str, aws: AwsAccess) -> Inventory:
    """Open the report whose manifest has this URL, `s3://bucket/…/manifest.json`. Raise SdkError or BadRequest."""
    address = urlsplit(url)
    key = address.path.removeprefix("/")
    if address.scheme != "s3" or not address.netloc or not key.endswith("manifest.json"):
        raise BadRequest(f"the manifest must be s3://bucket/…/manifest.json, got {url!r:.200}")
    with sdk_errors():
        client = sdk_client(
            "s3", aws, region=aws.home, endpoint=aws.s3, connect_timeout=5.0, read_timeout=60.0, attempts=3,
            **({"s3": {"addressing_style": "path"}} if aws.s3 else {}),
        )  # fmt: skip
    with _open(client, address.netloc, key) as body:
        content = body.read(_MAX_MANIFEST)
    try:
        manifest = msgspec.json.decode(content, type=_Manifest)
    except msgspec.MsgspecError as error:
        raise BadRequest(f"{url} must be the manifest of an S3 Inventory: {error}") from error
    if manifest.file_format != "CSV":
        raise BadRequest(f"the inventory must be in the format CSV, got {manifest.file_format}")
    columns = tuple(name.strip() for name in manifest.file_schema.split(","))
    if missing := [name for name in _NEEDED if name not in columns]:
        raise BadRequest(f"the inventory must have the columns Bucket and Key, lacks {', '.join(missing)}")
    bucket = manifest.destination_bucket.rpartition(":")[2]
    return Inventory(columns, tuple(file.key for file in manifest.files), lambda name: _open(client, bucket, name))


def _open(client: Any, bucket: str, key: str) -> IO[bytes]:
    """Return the bytes of an object, which are read as they are needed."""
    with sdk_errors():
        body = client.get_object(Bucket=bucket, Key=key)["Body"]
    return io.BufferedReader(_Readable(body))


class _Readable(io.RawIOBase):
    """Reads from the body of an answer, and raises its errors as SdkError."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with sdk_errors():
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._body.close()
        super().close()
