"""The pictures of a visitor: `/_api/gallery/pictures` and what is below it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from html import escape
from http import HTTPStatus
from typing import Any

import msgspec

from handler import response
from handler.core.errors import BadRequest
from handler.entrypoints.gallery.request import (
    GalleryRequest,
    format_cookie,
    parse_name,
    parse_text,
    parse_whole,
)
from handler.entrypoints.operator.page import parse_limit
from handler.entrypoints.own_pages import if_changed
from handler.gallery.gallery import Composition, Gallery
from handler.gallery.limits import HourlyLimits
from handler.records.record import ImageRecord
from handler.response import Answer

DEFAULT_LISTED, MAX_LISTED = 50, 200
_MAX_PAGE_BYTES = 3_000_000
"""Of the pictures in a page as JSON: an answer of a function has at most 6 MB."""
_CURSOR = re.compile("[0-9a-f]{32}")
SIDES = (16, 2048)
"""The smallest and the largest side of a preview that is scaled, in pixels."""
MIN_SHARED = 60
"""Seconds."""


class GalleryPages(msgspec.Struct, frozen=True, kw_only=True):
    """The pages with which a visitor sees and changes pictures."""

    gallery: Gallery
    limits: HourlyLimits
    user_limit: int

    def find(self, name: str) -> Mapping[str, Callable[[GalleryRequest], Answer]]:
        """Return the methods of a page below `pictures/`; none if there is no such page."""
        match name.split("/"):
            case ["pictures", picture]:
                return {
                    "GET": partial(self._show, picture),
                    "PUT": partial(self._rename, picture),
                    "PATCH": partial(self._rename, picture),
                    "DELETE": partial(self._delete, picture),
                }
            case ["pictures", picture, action] if action in (actions := self._actions()):
                return {"POST": partial(actions[action], picture)}
            case ["pictures", picture, "results", result]:
                return {"DELETE": partial(self._remove_result, picture, result)}
        return {}

    def _actions(self) -> dict[str, Callable[[str, GalleryRequest], Answer]]:
        """Return what can be done with a picture, by the last part of the path."""
        return {"results": self._apply, "preview": self._preview, "share": self._share, "retry": self._retry}

    def list_pictures(self, request: GalleryRequest) -> Answer:
        """Return one page of pictures, the latest upload first; 304 if nothing has changed."""
        params = request.read_query(("cursor", "limit", "search"))
        limit = parse_limit(params.get("limit"), DEFAULT_LISTED, MAX_LISTED)
        cursor, search = params.get("cursor", ""), params.get("search", "").casefold()
        if cursor and not _CURSOR.fullmatch(cursor):
            raise BadRequest(f"`cursor` must be the one of the page before, got {cursor[:60]!a}")
        every = self.gallery.list(request.visitor, request.now)
        # The part of the key behind the prefix grows from the latest upload to the first one.
        found = [each for each in every if _place(each) > cursor and search in each.name.casefold()]
        pictures = self._describe_page(found[:limit], request)
        content = {
            "pictures": pictures,
            "cursor": _place(found[len(pictures) - 1]) if len(found) > len(pictures) else None,
            "used": len(every),
            "limit": self.user_limit,
        }
        return _conditional(response.report(content), request)

    def delete_all(self, request: GalleryRequest) -> Answer:
        """Delete all pictures of the visitor, and the cookie."""
        deleted = self.gallery.delete_all(request.visitor, request.now, request.deadline)
        request.log("delete_all", pictures=deleted)
        cookie = format_cookie(request.call, "", timedelta(0))
        return _no_content().with_headers({"Set-Cookie": cookie})

    def _show(self, picture: str, request: GalleryRequest) -> Answer:
        record = self.gallery.get(request.visitor, picture, request.now)
        return _conditional(response.report(self._describe(record, request)), request)

    def _rename(self, picture: str, request: GalleryRequest) -> Answer:
        name = parse_name(request.read_body(("name",)).get("name"))
        record = self.gallery.rename(request.visitor, picture, name, request.now)
        request.log("rename", picture=record.id)
        return response.report(self._describe(record, request))

    def _delete(self, picture: str, request: GalleryRequest) -> Answer:
        self.gallery.delete(request.visitor, picture, request.now, request.deadline)
        request.log("delete", picture=picture)
        return _no_content()

    def _apply(self, picture: str, request: GalleryRequest) -> Answer:
        composition = self._compose(picture, request, request.read_body(("recipe", "edits")))
        record, applied, is_new = self.gallery.apply(request.visitor, picture, composition, request.now)
        request.log("apply", picture=record.id, recipe=applied.recipe)
        content = self.gallery.describe_result(record, applied, request.now)
        return response.report(content, HTTPStatus.CREATED if is_new else HTTPStatus.OK)

    def _remove_result(self, picture: str, result: str, request: GalleryRequest) -> Answer:
        self.gallery.remove_result(request.visitor, picture, result, request.now)
        request.log("remove_result", picture=picture)
        return _no_content()

    def _preview(self, picture: str, request: GalleryRequest) -> Answer:
        fields = request.read_body(("recipe", "edits", "side"))
        side = parse_whole(fields, "side", *SIDES)
        composition = self._compose(picture, request, fields)
        url = self.gallery.preview(request.visitor, picture, composition, side, request.now)
        return response.report({"url": url})

    def _share(self, picture: str, request: GalleryRequest) -> Answer:
        fields = request.read_body(("result", "seconds"))
        longest = int(self.gallery.life.total_seconds())
        seconds = parse_whole(fields, "seconds", MIN_SHARED, longest)
        if seconds is None:
            raise BadRequest(f"`seconds` must be a whole number from {MIN_SHARED} to {longest}")
        url, small, expires = self.gallery.share(
            request.visitor, picture, parse_text(fields, "result"), timedelta(seconds=seconds), request.now
        )
        request.log("share", picture=picture, seconds=seconds)
        html = _write_html(url, small, self.gallery.get(request.visitor, picture, request.now).name)
        return response.report({"url": url, "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}", "html": html})

    def _retry(self, picture: str, request: GalleryRequest) -> Answer:
        record = self.gallery.retry(request.visitor, picture, request.now, request.deadline)
        request.log("retry", picture=record.id)
        return response.report(self._describe(record, request), HTTPStatus.ACCEPTED)

    def _describe_page(self, records: Sequence[ImageRecord], request: GalleryRequest) -> Sequence[dict[str, Any]]:
        """Return as many of the pictures as fit into an answer of a function, but at least one."""
        pictures: list[dict[str, Any]] = []
        left = _MAX_PAGE_BYTES
        for record in records:
            picture = self._describe(record, request)
            left -= len(json.dumps(picture))
            if pictures and left < 0:
                break
            pictures.append(picture)
        return pictures

    def _compose(self, picture: str, request: GalleryRequest, fields: dict[str, Any]) -> Composition:
        """Return what a body wants to be done with a picture of the visitor, within the limits of an hour."""
        self.gallery.get(request.visitor, picture, request.now)
        composition = self.gallery.compose(request.visitor, parse_text(fields, "recipe"), fields.get("edits"))
        if composition.is_restricted:
            self.limits.admit_render(request.visitor, request.address, request.now)
        return composition

    def _describe(self, record: ImageRecord, request: GalleryRequest) -> dict[str, Any]:
        return self.gallery.view.describe(record, request.now)


def _place(record: ImageRecord) -> str:
    return record.key.partition("/")[2][:32]


def _conditional(answer: Answer, request: GalleryRequest) -> Answer:
    """Return the answer with its ETag; 304 without a body if the client has it already."""
    etag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie"}
    return if_changed(answer.with_headers(headers), request.call.conditions.none_match)


def _no_content() -> Answer:
    return Answer(HTTPStatus.NO_CONTENT, {"Cache-Control": "no-store"})


def _write_html(url: str, small: str, name: str) -> dict[str, str]:
    """Return elements that show a picture. The host of the URLs is that of the page in which they are pasted."""
    img = f'<img src="{escape(url)}" alt="{escape(name)}">'
    source = f'<source media="(max-width: 400px)" srcset="{escape(small)}">'
    return {"img": img, "picture": f"<picture>{source}{img}</picture>"}
