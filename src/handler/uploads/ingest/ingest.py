"""Take originals: by a form, by their bytes, or in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from handler.core.errors import BadRequest, Conflict, PayloadTooLarge
from handler.core.ports import ObjectInfo
from handler.records.record import ImageRecord, record_id
from handler.records.store import Records
from handler.storage.upload_stores import PART_BYTES, PresignedPost, UploadStore
from handler.uploads.ingest.form_policy import FormSigner, FormUpload, PartUpload
from handler.uploads.ingest.keys import make_key
from handler.uploads.ingest.requests import UploadRequest
from imaging import ObjectRef

_ABANDONED = timedelta(days=1)
"""How long after the end of its form the record of an upload that never came is kept."""
_MAX_PARTS = 10_000


class FormGrant(msgspec.Struct, frozen=True):
    """A form that a client may post."""

    key: str
    form: PresignedPost
    expires: datetime
    max_bytes: int


class PartsGrant(msgspec.Struct, frozen=True):
    """An upload in parts that has begun."""

    key: str
    upload: str
    part_bytes: int
    urls: Mapping[int, str]
    """By the number of the part."""
    expires: datetime


class Stored(msgspec.Struct, frozen=True):
    """An original that is stored completely."""

    info: ObjectInfo
    is_new: bool = True
    """False if a file with the same SHA-256 was there already."""


class Ingest(msgspec.Struct, frozen=True):
    """Uploads to one source."""

    source: str
    """The configured name of the source."""
    store: UploadStore
    key_template: str
    max_bytes: int
    signer: FormSigner
    takes_all: bool = False
    """Whether this service takes uploads itself, although clients could write to the store directly."""
    records: Records | None = None
    submit: Callable[[ObjectRef], None] = lambda _: None
    """Has a new original processed; called only if the store does not report new objects itself."""

    def grant_form(self, upload: UploadRequest, now: datetime) -> FormGrant | Stored:
        """Return a form for one upload; the stored original instead if the same file is there already."""
        key = self._new_key(upload, now)
        max_bytes = self.check_size(upload.bytes)
        if same := self._find_same(key, upload):
            return self._known(same)
        expires = now + upload.life
        sizes = (upload.bytes or 1, max_bytes)
        form = None
        if not self.takes_all:
            form = self.store.presigned_post(key, upload.attributes, sizes, now, expires)
        if form is None:
            own = FormUpload(key, upload.attributes, sizes, upload.overwrite, upload.name, upload.owner)
            form = self.signer.sign_form(own, expires)
        self._record_upload(key, upload.name, upload.owner, now, expires)
        return FormGrant(key, form, expires, max_bytes)

    def begin_parts(self, upload: UploadRequest, now: datetime) -> PartsGrant | Stored:
        """Begin an upload in parts; return the stored original instead if the same file is there already."""
        key = self._new_key(upload, now)
        if upload.bytes is None:
            raise BadRequest("`bytes` must be the size of the file, because it decides on the number of parts")
        self.check_size(upload.bytes)
        if same := self._find_same(key, upload):
            return self._known(same)
        part_bytes = max(PART_BYTES, -(-upload.bytes // _MAX_PARTS))
        identifier = self.store.begin(key, upload.attributes)
        numbers = range(1, -(-upload.bytes // part_bytes) + 1)
        expires = now + upload.life
        self._record_upload(key, upload.name, upload.owner, now, expires)
        urls = self.sign_parts(key, identifier, numbers, upload.life, now)
        return PartsGrant(key, identifier, part_bytes, urls, expires)

    def sign_parts(
        self, key: str, upload: str, numbers: Iterable[int], life: timedelta, now: datetime
    ) -> dict[int, str]:
        """Return the URL of each part, to which its bytes are sent by PUT."""
        return {number: self._part_url(key, upload, number, life, now) for number in numbers}

    def complete_parts(self, key: str, upload: str, parts: Sequence[tuple[int, str]], *, overwrite: bool) -> Stored:
        """Join parts into an original. Raise Conflict if the key is taken and `overwrite` is false."""
        return self._accept(key, self.store.complete(key, upload, parts, overwrite=overwrite))

    def abort_parts(self, key: str, upload: str) -> None:
        """Delete the parts of an upload that will not be completed, and the record that it has begun."""
        self.store.abort(key, upload)
        record = self.records.get(record_id(self.source, key)) if self.records is not None else None
        if record is not None and record.status == "uploading":
            self._forget_upload(record)

    def write(self, upload: UploadRequest, blocks: Iterable[bytes], now: datetime) -> Stored:
        """Write an original block by block, which are not read if the same file is there already.

        Raise Conflict if the key is taken and `overwrite` is false.
        """
        key = self._new_key(upload, now)
        self.check_size(upload.bytes)
        if same := self._find_same(key, upload):
            return self._known(same)
        begun = self._record_upload(key, upload.name, upload.owner, now, now + upload.life)
        limited = _limit(blocks, 1, self.max_bytes)
        try:
            stored = self.store.write(key, limited, upload.attributes, overwrite=upload.overwrite)
        except BaseException:
            if begun is not None:
                self._forget_upload(begun)
            raise
        return self._accept(key, stored)

    def write_form(self, form: FormUpload, blocks: Iterable[bytes]) -> Stored:
        """Write the original of a form whose signature is verified."""
        smallest, largest = form.sizes
        limited = _limit(blocks, smallest, min(largest, self.max_bytes))
        return self._accept(form.key, self.store.write(form.key, limited, form.attributes, overwrite=form.overwrite))

    def write_part(self, part: PartUpload, blocks: Iterable[bytes]) -> str:
        """Write a part whose signature is verified, and return its ETag."""
        return self.store.write_part(part.key, part.upload, part.number, _limit(blocks, 1, part.max_bytes))

    def _new_key(self, upload: UploadRequest, now: datetime) -> str:
        """Return the client's key or a new one."""
        return upload.key or upload.prefix + make_key(self.key_template, upload.name, upload.content_type, now)

    def check_size(self, size: int | None) -> int:
        """Return the largest number of bytes that an upload may have. Raise PayloadTooLarge if it has more."""
        if size is not None and size > self.max_bytes:
            raise _too_large(self.max_bytes, size)
        return size or self.max_bytes

    def _find_same(self, key: str, upload: UploadRequest) -> ObjectInfo | None:
        """Return the stored original if it has the SHA-256 of the upload, None if the key is free or may be replaced.

        Raise Conflict if the key is taken and may not be overwritten.
        """
        existing = self.store.head(key)
        if existing is None:
            return None
        may_be_same = upload.sha256 and upload.bytes in (None, existing.size)
        if may_be_same and self.store.sha256(key) == upload.sha256:
            return existing
        if not upload.overwrite:
            raise _taken(key)
        return None

    def _known(self, info: ObjectInfo) -> Stored:
        """Return an original that is stored already. One that was never processed is passed to the processing again.

        An earlier upload can have been stored while the database or the queue of the server did not take it.
        """
        if self.records is not None and not self.store.sends_events:
            record = self.records.get(record_id(self.source, info.ref.key))
            if record is None or record.status == "uploading":
                self.submit(ObjectRef(self.source, info.ref.key))
        return Stored(info, is_new=False)

    def _part_url(self, key: str, upload: str, number: int, life: timedelta, now: datetime) -> str:
        url = None
        if not self.takes_all:
            url = self.store.part_url(key, upload, number, now, int(life.total_seconds()))
        if url is not None:
            return url
        # Larger parts are sent only of a file that has more than 10,000 of the usual size.
        max_bytes = max(PART_BYTES, -(-self.max_bytes // _MAX_PARTS))
        return self.signer.sign_part(PartUpload(key, upload, number, max_bytes), now + life)

    def _accept(self, key: str, info: ObjectInfo | None) -> Stored:
        """Have an original processed that is stored. Raise Conflict if it was not stored, because its key is taken."""
        if info is None:
            raise _taken(key)
        if not self.store.sends_events:
            self.submit(ObjectRef(self.source, key))
        return Stored(info)

    def _forget_upload(self, record: ImageRecord) -> None:
        """Remove the record of an upload that will not come, unless a deleted version needs its sequencer."""
        if self.records is not None and not record.sequencer:
            self.records.remove(record.id, revision=record.revision)

    def _record_upload(self, key: str, name: str, owner: str, now: datetime, expires: datetime) -> ImageRecord | None:
        """Write a record with status `uploading`, unless there is one: the upload itself will change that one.

        Return the record if there was none before.
        """
        if self.records is None:
            return None
        identifier = record_id(self.source, key)
        known = self.records.get(identifier)
        if known is not None and known.status not in ("deleted", "uploading"):
            return None
        record = ImageRecord(
            id=identifier, source=self.source, key=key, status="uploading", name=name, owner=owner,
            sequencer=known.sequencer if known else "", created_at=known.created_at if known else now,
            updated_at=now, expires_at=expires + _ABANDONED,
        )  # fmt: skip
        # If another process has written in the meantime, its record is as good.
        is_written = self.records.write(record, replaces=known.revision if known else None)
        return replace(record, revision=1) if is_written and known is None else None


def _limit(blocks: Iterable[bytes], smallest: int, largest: int) -> Iterator[bytes]:
    """Yield the blocks. Raise PayloadTooLarge or BadRequest if all together have not this many bytes."""
    size = 0
    for block in blocks:
        size += len(block)
        if size > largest:
            raise _too_large(largest, size)
        yield block
    if size < smallest:
        raise BadRequest(f"the file must have at least {smallest} bytes, got {size}", code="EntityTooSmall")


def _too_large(limit: int, size: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the file must have at most {limit} bytes, got {size}", code="EntityTooLarge")


def _taken(key: str) -> Conflict:
    message = f"the key `{key}` exists already: set `overwrite` to true to replace the original, or choose another key"
    return Conflict(message, code="KeyExists")
