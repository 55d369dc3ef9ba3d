"""Take the pictures of visitors, within the limits.

A picture has a record with status `uploading` before its bytes arrive, so that it counts for USER_LIMIT from the start.
If the bytes do not arrive, because the client or this process ends, that record expires: it does not count any more,
and the database deletes it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from http import HTTPStatus

import msgspec
from msgspec.structs import replace

from handler.core.errors import Conflict, HandlerError
from handler.gallery.gallery import Gallery
from handler.gallery.limits import HourlyLimits
from handler.gallery.visitors import Visitor
from handler.records.record import ImageRecord, record_id
from handler.uploads.ingest.form_policy import FormUpload
from handler.uploads.ingest.ingest import FormGrant, Ingest, Stored
from handler.uploads.ingest.keys import make_key
from handler.uploads.ingest.requests import UploadRequest
from imaging import ObjectRef

FORM_LIFE = timedelta(minutes=15)
"""How long an upload may begin after it was granted."""
UPLOAD_LIFE = FORM_LIFE + timedelta(hours=1)
"""After this time an upload that has not arrived is given up: longer than the bytes of one may take."""


class DuplicatePicture(Conflict):
    """The visitor has a picture with the same bytes."""

    def __init__(self, record: ImageRecord) -> None:
        message = f"you have this picture already, as `{record.name}`: send `duplicate` as `allow` to keep both"
        super().__init__(message, code="duplicate")
        self.record = record


class NewPicture(msgspec.Struct, frozen=True, kw_only=True):
    """What a visitor says of a picture before its bytes arrive."""

    name: str
    content_type: str
    sha256: str = ""
    bytes: int | None = None
    """The exact size, if it is known."""
    expected_bytes: int = 0
    """What the client announces, if the exact size is not known."""
    allows_duplicate: bool = False


class GalleryUploads(msgspec.Struct, frozen=True, kw_only=True):
    """Uploads of visitors."""

    gallery: Gallery
    ingest: Ingest
    """Writes to the gallery's source; it writes no records, and has nothing processed."""
    limits: HourlyLimits
    user_limit: int
    max_bytes: int | None = None
    """GALLERY_MAX_BYTES."""
    submit: Callable[[ObjectRef], None] | None = None
    """Has a stored picture processed; None if the store reports it itself."""
    check: Callable[[], None] = lambda: None
    """Raises Busy if too many pictures wait to be processed."""

    def receive(
        self, visitor: Visitor, new: NewPicture, blocks: Iterable[bytes], address: str, now: datetime
    ) -> ImageRecord:
        """Store a picture block by block, and have it processed. Raise DuplicatePicture for one that is there."""
        record = self._begin(visitor, new, address, now)
        upload = UploadRequest(key=record.key, content_type=new.content_type, bytes=new.bytes)
        return self._store(
            visitor, record, blocks, lambda each: self.ingest.write(upload, each, now), now, new.allows_duplicate
        )

    def grant(self, visitor: Visitor, new: NewPicture, address: str, now: datetime) -> tuple[ImageRecord, FormGrant]:
        """Return a form with which the visitor uploads the picture, to the store itself where it has such forms."""
        record = self._begin(visitor, new, address, now)
        upload = UploadRequest(
            key=record.key, name=new.name, content_type=new.content_type, bytes=new.bytes, sha256=new.sha256,
            life=FORM_LIFE, owner=visitor.id,
        )  # fmt: skip
        try:
            granted = self.ingest.grant_form(upload, now)
        except BaseException:
            self._forget(record)
            raise
        if isinstance(granted, Stored):  # the key is new: another picture cannot have it
            raise Conflict("the key of the picture is taken", code="Conflict")
        return record, granted

    def receive_form(self, form: FormUpload, blocks: Iterable[bytes], now: datetime) -> ImageRecord:
        """Store the picture of a form whose signature is verified."""
        visitor = Visitor(id=form.owner)
        record = self.gallery.get(visitor, record_id(self.gallery.source, form.key), now)
        if record.status != "uploading":
            raise Conflict("the picture is uploaded already", code="already_uploaded")
        return self._store(visitor, record, blocks, lambda each: self.ingest.write_form(form, each), now, True)

    def _begin(self, visitor: Visitor, new: NewPicture, address: str, now: datetime) -> ImageRecord:
        """Write the record of a picture that is to arrive. Raise an error if a limit is reached."""
        self.check()
        self.ingest.check_size(new.bytes)
        if new.sha256 and not new.allows_duplicate:
            self._refuse_duplicate(visitor, new.sha256, "", now)
        self.limits.admit_upload(visitor, address, now)
        key = make_picture_key(visitor, new, now)
        record = ImageRecord(
            id=record_id(self.gallery.source, key), source=self.gallery.source, key=key, status="uploading",
            owner=visitor.id, name=new.name, created_at=now, updated_at=now, expires_at=now + UPLOAD_LIFE,
            bytes=new.bytes or new.expected_bytes, facts=_known_facts(new.bytes, new.content_type, new.sha256),
        )  # fmt: skip
        added = self.gallery.records.add_within(record, owner_limit=self.user_limit, total_bytes=self.max_bytes)
        if added == "no_space":
            message = "the gallery has no space for more pictures until some are deleted (GALLERY_MAX_BYTES)"
            raise HandlerError(message, code="storage_full", status=HTTPStatus.INSUFFICIENT_STORAGE)
        if added != "added":
            message = f"the gallery keeps {self.user_limit} pictures of each visitor: delete some of yours first"
            raise Conflict(message, code="gallery_full")
        return replace(record, revision=1)

    def _store(
        self, visitor: Visitor, record: ImageRecord, blocks: Iterable[bytes],
        write: Callable[[Iterable[bytes]], Stored], now: datetime, allows_duplicate: bool,
    ) -> ImageRecord:  # fmt: skip
        """Store the bytes of a picture and complete its record; if that fails, no place is taken."""
        hashed = _Hashed(blocks)
        try:
            write(hashed)
            try:
                if not allows_duplicate:
                    self._refuse_duplicate(visitor, hashed.sha256, record.id, now)
                self._complete(record, hashed, now)
            except BaseException:
                self.ingest.store.delete(record.key)
                raise
        except BaseException:
            self._forget(record)
            raise
        return self.gallery.get(visitor, record.id, now)

    def _complete(self, record: ImageRecord, hashed: _Hashed, now: datetime) -> None:
        """Write that the bytes have arrived, and have them processed."""
        facts = _known_facts(hashed.size, str(record.facts.get("mediaType", "")), hashed.sha256)
        arrived = replace(
            record, facts=facts, bytes=hashed.size, updated_at=now, expires_at=record.created_at + self.gallery.life
        )  # fmt: skip
        # If this fails, an event of the store was faster, and the record knows more already.
        self.gallery.records.write(arrived, replaces=record.revision)
        if self.submit is not None:
            self.submit(ObjectRef(record.source, record.key))

    def _refuse_duplicate(self, visitor: Visitor, sha256: str, own: str, now: datetime) -> None:
        for record in self.gallery.list(visitor, now):
            is_kept = record.status in ("processing", "ready") or (record.status == "uploading" and not own)
            if record.id != own and is_kept and record.facts.get("sha256") == sha256:
                raise DuplicatePicture(record)

    def _forget(self, record: ImageRecord) -> None:
        """Remove the record of a picture that was not stored."""
        found = self.gallery.records.get(record.id)
        if found is not None and found.status == "uploading" and not found.sequencer:
            self.gallery.records.remove(found.id, revision=found.revision)


def make_picture_key(visitor: Visitor, new: NewPicture, now: datetime) -> str:
    """Return a new key. Keys sort by time, the latest one first, so that a list is one page of the database."""
    countdown = (1 << 48) - 1 - int(now.timestamp() * 1000)
    extension = make_key("{ext}", new.name, new.content_type, now)
    return f"{visitor.prefix}{countdown:012x}{secrets.token_hex(10)}{extension}"


def _known_facts(size: int | None, content_type: str, sha256: str) -> dict[str, object]:
    """Return what is known of a picture before it is processed."""
    known = {"bytes": size, "mediaType": content_type, "sha256": sha256}
    return {name: value for name, value in known.items() if value}


class _Hashed:
    """Blocks whose size and SHA-256 are known when all of them were read."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._digest.update(block)
            self.size += len(block)
            yield block

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
