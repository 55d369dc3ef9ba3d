"""Uploads of a visitor of the gallery: by a form, in JSON, or by a form that leads to the store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec

from handler import response
from handler.core.errors import BadRequest
from handler.entrypoints.gallery.request import GalleryRequest, parse_name, parse_text, parse_whole
from handler.entrypoints.http_call import decode_base64
from handler.entrypoints.uploads.form_data import FormReader
from handler.gallery.uploads import GalleryUploads, NewPicture
from handler.records.record import ImageRecord
from handler.response import Answer
from handler.uploads.ingest.form_policy import FILE, FORM_PATH
from handler.uploads.ingest.keys import guess_type
from handler.uploads.ingest.requests import parse_media_type, parse_sha256

IMAGE = "image"
UPLOAD_PATH = "/_api/gallery/uploads"
"""Where the forms lead that this service takes itself."""
_FIELDS = ("name", "sha256", "duplicate")


class GalleryUploadPages(msgspec.Struct, frozen=True, kw_only=True):
    """The pages that take pictures."""

    uploads: GalleryUploads

    def check(self) -> None:
        """Raise Busy if no more pictures can wait to be processed."""
        self.uploads.check()

    def receive(self, request: GalleryRequest) -> Answer:
        """Store the picture of a form or of JSON, or return a form for it."""
        kind = request.call.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() == "multipart/form-data":
            form = FormReader(kind, request.call.blocks(), IMAGE)
            fields = form.read_fields()
            for name in fields:
                if name not in _FIELDS:
                    raise BadRequest(f"`{name[:60]}` must be one of {', '.join((*_FIELDS, IMAGE))}")
            return self._store(request, dict(fields), form.read_file())
        fields = request.read_body((*_FIELDS, IMAGE, "bytes", "type"))
        if IMAGE not in fields:
            return self._grant(request, fields)
        for name in ("bytes", "type"):
            if name in fields:
                raise BadRequest(f"`{name}` must be left out where `{IMAGE}` is given")
        if not isinstance(fields[IMAGE], str):
            raise BadRequest(f"`{IMAGE}` must be the image in base64, got {fields[IMAGE]!r:.60}")
        body = decode_base64(fields[IMAGE], f"`{IMAGE}`")
        return self._store(request, fields, (body,))

    def receive_form(self, request: GalleryRequest) -> Answer:
        """Store the picture of a form that this service has signed."""
        form = FormReader(request.call.headers.get("content-type", ""), request.call.blocks(), FILE)
        granted = self.uploads.ingest.signer.verify_form(form.read_fields(), datetime.now(UTC))
        record = self.uploads.receive_form(granted, form.read_file(), request.now)
        return self._report(record, request)

    def _store(self, request: GalleryRequest, fields: dict[str, Any], blocks: Iterable[bytes]) -> Answer:
        length = request.call.headers.get("content-length", "")
        size = int(length) if length.isascii() and length.isdigit() else len(request.call.body)
        new = msgspec.structs.replace(_parse_new(fields), expected_bytes=size)
        record = self.uploads.receive(request.visitor, new, blocks, request.address, request.now)
        return self._report(record, request)

    def _grant(self, request: GalleryRequest, fields: dict[str, Any]) -> Answer:
        """Return the form with which the picture is sent."""
        size = parse_whole(fields, "bytes", 1, 2**40)
        if size is None:
            raise BadRequest(f"`{IMAGE}` must be the image in base64, or `bytes` its size in bytes")
        record, granted = self.uploads.grant(request.visitor, _parse_new(fields, size), request.address, request.now)
        url = UPLOAD_PATH if granted.form.url == FORM_PATH else granted.form.url
        return self._report(record, request, {"upload": {"url": url, "fields": dict(granted.form.fields)}})

    def _report(self, record: ImageRecord, request: GalleryRequest, more: dict[str, Any] | None = None) -> Answer:
        request.log("upload", picture=record.id)
        content = self.uploads.gallery.view.describe(record, request.now) | (more or {})
        return response.report(content, HTTPStatus.CREATED)


def _parse_new(fields: dict[str, Any], size: int | None = None) -> NewPicture:
    """Return what a visitor says of a picture. Raise BadRequest with the field that is invalid."""
    name = parse_name(fields.get("name"))
    duplicate = parse_text(fields, "duplicate")
    if duplicate not in (None, "allow"):
        raise BadRequest(f"`duplicate` must be allow, or left out, got {duplicate[:60]!a}")
    content_type = parse_media_type(parse_text(fields, "type") or guess_type(name), "type")
    sha256 = parse_sha256(parse_text(fields, "sha256") or "")
    return NewPicture(
        name=name, content_type=content_type, sha256=sha256, bytes=size, allows_duplicate=duplicate == "allow"
    )
