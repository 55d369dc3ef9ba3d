"""Uploads of the operator: `/_api/uploads` and what is below it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec

from handler import response
from handler.core.errors import BadRequest
from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.operator.page import Page, read_params
from handler.entrypoints.uploads.answer import describe, list_parts
from handler.response import Answer
from handler.uploads.ingest.ingest import Ingest
from handler.uploads.ingest.requests import FIELDS, UploadRequest, parse_part_numbers, parse_parts, parse_upload
from imaging import Deadline

_HEADERS = ("overwrite", "name", "sha256")
"""What the query of a PUT may say beside the key in its path."""


class UploadPages(msgspec.Struct, frozen=True):
    """The pages with which the operator uploads."""

    ingest: Ingest

    def find(self, name: str) -> Page | None:
        """Return the page of a name; None if it is not about uploads."""
        pages = {
            "uploads": Page(("POST",), self._begin),
            "uploads/parts": Page(("POST",), self._sign_parts),
            "uploads/complete": Page(("POST",), self._complete),
            "uploads/abort": Page(("POST",), self._abort),
        }
        if name.startswith("uploads/"):
            key = name.removeprefix("uploads/")
            page = pages.get(name)
            return Page((*page.methods, "PUT") if page else ("PUT",), partial(self._answer_either, page, key))
        return pages.get(name)

    def _answer_either(self, page: Page | None, key: str, call: HttpRequest, deadline: Deadline) -> Any:
        """Answer a page, or the upload to a key that has the name of one."""
        return page.answer(call, deadline) if page and call.method != "PUT" else self._put(key, call)

    def _begin(self, call: HttpRequest, _: Deadline) -> Answer:
        """Return a form, or the URLs of parts."""
        upload = parse_upload(read_params(call, FIELDS))
        if upload.multipart:
            return describe(self.ingest.begin_parts(upload, datetime.now(UTC)), self.ingest.source)
        return describe(self.ingest.grant_form(upload, datetime.now(UTC)), self.ingest.source)

    def _put(self, key: str, call: HttpRequest) -> Answer:
        """Store the bytes of the body."""
        params = dict(call.pairs(None))
        for name in params:
            if name not in _HEADERS:
                raise BadRequest(f"`{name[:60]}` must be one of {', '.join(_HEADERS)}")
        if params.get("overwrite", "false") not in ("true", "false"):
            raise BadRequest(f"`overwrite` must be true or false, got {params['overwrite'][:60]!a}")
        length = call.headers.get("content-length", "")
        fields = {
            "key": key,
            "name": params.get("name", ""),
            "contentType": call.headers.get("content-type", ""),
            "sha256": params.get("sha256", ""),
            "overwrite": params.get("overwrite") == "true",
            "bytes": int(length) if length.isdigit() and int(length) else None,
        }
        upload = parse_upload(fields)
        return describe(self.ingest.write(upload, call.blocks(), datetime.now(UTC)), self.ingest.source)

    def _sign_parts(self, call: HttpRequest, _: Deadline) -> Answer:
        """Return new URLs of parts, for an upload that takes longer than the first ones are valid."""
        params = read_params(call, ("key", "upload", "numbers", "expires"))
        upload = _upload_of(params)
        numbers = parse_part_numbers(params.get("numbers"))
        now = datetime.now(UTC)
        urls = self.ingest.sign_parts(upload.key, params["upload"], numbers, upload.life, now)
        return response.report({"parts": list_parts(urls), "expires": f"{now + upload.life:%Y-%m-%dT%H:%M:%SZ}"})

    def _complete(self, call: HttpRequest, _: Deadline) -> Answer:
        params = read_params(call, ("key", "upload", "parts", "overwrite"))
        upload = _upload_of(params)
        parts = parse_parts(params.get("parts"))
        stored = self.ingest.complete_parts(upload.key, params["upload"], parts, overwrite=upload.overwrite)
        return describe(stored, self.ingest.source)

    def _abort(self, call: HttpRequest, _: Deadline) -> Answer:
        params = read_params(call, ("key", "upload"))
        self.ingest.abort_parts(_upload_of(params).key, params["upload"])
        return Answer(HTTPStatus.NO_CONTENT, {"Cache-Control": "no-store"})


def _upload_of(params: dict[str, Any]) -> UploadRequest:
    """Return key, life and overwriting of an upload in parts. Raise BadRequest without key or upload."""
    for name in ("key", "upload"):
        if not isinstance(params.get(name), str) or not params[name]:
            raise BadRequest(f"`{name}` must be the one that /_api/uploads returned, got {params.get(name)!r:.60}")
    return parse_upload({name: params.get(name) for name in ("key", "expires", "overwrite")})
