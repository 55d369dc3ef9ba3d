"""The gallery's API under `/_api/gallery/`: each request is that of a visitor, whom a signed cookie names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec

from handler import response
from handler.core.errors import HandlerError, MethodNotAllowed, NoSuchPage
from handler.entrypoints.gallery.pictures import GalleryPages
from handler.entrypoints.gallery.request import (
    GalleryRequest,
    find_address,
    format_cookie,
    read_cookie,
    refuse_other_sites,
)
from handler.entrypoints.gallery.session import GallerySession
from handler.entrypoints.gallery.uploads import GalleryUploadPages
from handler.entrypoints.http_call import HttpRequest
from handler.gallery.uploads import DuplicatePicture
from handler.gallery.visitors import Visitor, VisitorCookies
from handler.observability.logs import add_log_fields
from handler.response import Answer, Caching
from imaging import Deadline, FeatureError

_NEVER_CACHED = Caching(error=0)
_RETRY_SECONDS = "5"

Route = Callable[[GalleryRequest], Answer]


class GalleryEntrypoint(msgspec.Struct, frozen=True, kw_only=True):
    """Answers the requests of visitors."""

    session: GallerySession
    pages: GalleryPages
    uploads: GalleryUploadPages
    cookies: VisitorCookies
    files: Callable[[], Mapping[str, Callable[[], Answer]]] = dict
    """Returns the files of the gallery's page by their paths."""
    behind_cdn: bool = False
    """Whether a CDN that has proven itself has sent every request that arrives here."""

    def answer(self, name: str, call: HttpRequest, deadline: Deadline) -> Answer:
        """Answer a call of `/_api/gallery/name`; errors become answers too, and none of them is cached."""
        try:
            route = self._admit(name, call)
            request = self._open(name, call, deadline)
            answer = self._with_cookie(route(request), request)
        except DuplicatePicture as error:
            picture = self.pages.gallery.view.describe(error.record, datetime.now(UTC))
            content = {"status": int(error.status), "code": error.code, "message": error.message, "picture": picture}
            answer = response.report(content, error.status)
        except (FeatureError, HandlerError) as error:
            answer = response.refusal(error, _NEVER_CACHED)
        usual = {"Cache-Control": "no-store"}
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            usual["Retry-After"] = _RETRY_SECONDS  # such as of a database that does not answer
        return answer.with_headers({**usual, **answer.headers})

    def admit(self, name: str, call: HttpRequest) -> None:
        """Raise a HandlerError for a request that is refused before its body is read."""
        self._admit(name, call)
        if name != "uploads":
            self._open(name, call, Deadline.after(1))
        self.uploads.check()

    def _admit(self, name: str, call: HttpRequest) -> Route:
        """Return what answers a request. Raise NotFound, MethodNotAllowed or Forbidden."""
        routes = self._find(name)
        if not routes:
            raise NoSuchPage("/_api/gallery/" + name)
        if call.method not in routes:
            allowed = ", ".join(routes)
            raise MethodNotAllowed(f"the method must be {allowed}, got {call.method}", headers={"Allow": allowed})
        if name != "uploads":  # a form has a signature of its own
            refuse_other_sites(call, knows_host=not self.behind_cdn)
        return routes[call.method]

    def _find(self, name: str) -> Mapping[str, Route]:
        """Return the methods of a page; none if there is no such page."""
        pages: dict[str, dict[str, Route]] = {
            "session": {"GET": self.session.show, "POST": self.session.enter},
            "devices": {"POST": self.session.add_device},
            "pictures": {
                "GET": self.pages.list_pictures,
                "POST": self.uploads.receive,
                "DELETE": self.pages.delete_all,
            },
            "uploads": {"POST": self.uploads.receive_form},
        }
        return pages.get(name) or self.pages.find(name)

    def _open(self, name: str, call: HttpRequest, deadline: Deadline) -> GalleryRequest:
        """Return the request with its visitor. Raise Unauthorized if the gallery has a password that is not given."""
        now = datetime.now(UTC)
        visitor = self.session.renew(self.cookies.read(read_cookie(call), now))
        address = find_address(call, behind_cdn=self.behind_cdn)
        if name not in ("session", "uploads"):
            self.session.require_password(visitor)
        add_log_fields(visitor=visitor.tag)
        return GalleryRequest(call=call, visitor=visitor, now=now, deadline=deadline, address=address)

    def _with_cookie(self, answer: Answer, request: GalleryRequest) -> Answer:
        """Return the answer with the cookie of the visitor, if the browser needs a new one."""
        if "Set-Cookie" in answer.headers or not request.visitor.needs_cookie:
            return answer
        return answer.with_headers({"Set-Cookie": self.make_cookie(request, request.visitor)})

    def make_cookie(self, request: GalleryRequest, visitor: Visitor) -> str:
        """Return the header that sets the cookie of a visitor."""
        return format_cookie(request.call, self.cookies.write(visitor, request.now), self.cookies.life)
