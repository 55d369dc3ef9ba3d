"""Uploads with a form or to the URL of a part, which `/_api/uploads` has signed: `/_upload` and `/_upload/part`."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from handler.core.errors import MethodNotAllowed, NoSuchPage
from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.uploads.answer import describe
from handler.entrypoints.uploads.form_data import FormReader
from handler.response import Answer
from handler.uploads.ingest.form_policy import FILE, FORM_PATH, PART_PATH, PartUpload
from handler.uploads.ingest.ingest import Ingest

_METHODS = {FORM_PATH: "POST", PART_PATH: "PUT"}


def admit(path: str, call: HttpRequest, ingest: Ingest) -> None:
    """Raise an error for a request that is refused before its body is read. A form has its signature in the body."""
    if path not in _METHODS:
        raise NoSuchPage(path)
    if call.method != _METHODS[path]:
        message = f"the method must be {_METHODS[path]}, got {call.method}"
        raise MethodNotAllowed(message, headers={"Allow": _METHODS[path]})
    if path == PART_PATH:
        _verify_part(call, ingest)


def answer_upload(path: str, call: HttpRequest, ingest: Ingest) -> Answer:
    """Store a form's file, or a part. Raise BadSignature unless it is what was signed."""
    admit(path, call, ingest)
    if path == PART_PATH:
        etag = ingest.write_part(_verify_part(call, ingest), call.blocks())
        return Answer(HTTPStatus.OK, {"ETag": f'"{etag}"', "Cache-Control": "no-store"})
    form = FormReader(call.headers.get("content-type", ""), call.blocks(), FILE)
    granted = ingest.signer.verify_form(form.read_fields(), datetime.now(UTC))
    return describe(ingest.write_form(granted, form.read_file()), ingest.source)


def _verify_part(call: HttpRequest, ingest: Ingest) -> PartUpload:
    return ingest.signer.verify_part(dict(call.pairs(None)), datetime.now(UTC))
