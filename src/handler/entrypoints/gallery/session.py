"""The session of a visitor of the gallery: `/_api/gallery/session`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec.structs import replace

from handler import response
from handler.auth.compare_secret import matches_secret
from handler.core.errors import BadRequest, Forbidden, Unauthorized
from handler.core.ports import SecretSource
from handler.entrypoints.gallery.request import GalleryRequest, format_cookie, parse_text, read_origin
from handler.gallery.devices import DeviceCodes, draw_qr_code
from handler.gallery.gallery import Gallery
from handler.gallery.limits import HourlyLimits
from handler.gallery.visitors import Visitor, VisitorCookies
from handler.response import Answer


class GallerySession(msgspec.Struct, frozen=True, kw_only=True):
    """Tells a visitor the limits and recipes, and admits one with the password or with a code of another device."""

    gallery: Gallery
    cookies: VisitorCookies
    codes: DeviceCodes
    limits: HourlyLimits
    facts: Mapping[str, Any]
    """What is the same for all visitors."""
    password: SecretSource | None = None
    prepare: Callable[[], None] = lambda: None
    """Called when a visitor comes: loads in the background what the first recipe would wait for."""

    def show(self, request: GalleryRequest) -> Answer:
        """Return limits, recipes and what the visitor has used of them."""
        self.prepare()
        return self._report(request, request.visitor)

    def enter(self, request: GalleryRequest) -> Answer:
        """Admit a visitor with the password, or as the visitor of another device with a code."""
        fields = request.read_body(("password", "code"))
        password, code = parse_text(fields, "password"), parse_text(fields, "code")
        if (password is None) == (code is None):
            raise BadRequest("either `password` or `code` must be given")
        self.limits.admit_attempt(request.address, request.now)
        visitor = self._check_password(request, password) if password else self.codes.redeem(code or "", request.now)
        self.limits.forgive_attempt(request.address, request.now)
        request.log("enter", entered=visitor.tag)
        cookie = format_cookie(request.call, self.cookies.write(visitor, request.now), self.cookies.life)
        return self._report(request, visitor).with_headers({"Set-Cookie": cookie})

    def add_device(self, request: GalleryRequest) -> Answer:
        """Return a code with which another device becomes this visitor, and a QR code of its URL."""
        request.read_body(())
        self.limits.admit_code(request.visitor, request.now)
        code, until = self.codes.make(request.visitor, request.now)
        # In the fragment, so that no log of a server or proxy has the code.
        url = f"{read_origin(request.call)}/_gallery/#code={code}"
        request.log("add_device")
        content = {"code": code, "url": url, "expires": f"{until:%Y-%m-%dT%H:%M:%SZ}", "qr": draw_qr_code(url)}
        return response.report(content, HTTPStatus.CREATED)

    def _check_password(self, request: GalleryRequest, password: str) -> Visitor:
        if self.password is None or not matches_secret(password, self.password):
            raise Forbidden("the password is wrong", code="wrong_password")
        return replace(request.visitor, password_tag=self.cookies.tags_of_password(password)[0])

    def require_password(self, visitor: Visitor) -> None:
        """Raise Unauthorized if the gallery has a password with which the visitor was not admitted."""
        if not self._is_admitted(visitor):
            raise Unauthorized("the gallery needs a password: send it to /_api/gallery/session", code="password_needed")

    def _is_admitted(self, visitor: Visitor) -> bool:
        if self.password is None:
            return True
        return any(visitor.password_tag in tags for tags in self._list_tags())

    def renew(self, visitor: Visitor) -> Visitor:
        """Return the visitor with the tag of the current secret in place of that of the previous one."""
        current = next((tags[0] for tags in self._list_tags() if visitor.password_tag in tags), visitor.password_tag)
        return visitor if current == visitor.password_tag else replace(visitor, password_tag=current)

    def _list_tags(self) -> list[list[str]]:
        """Return what cookies say of each password that is accepted; nothing if the gallery has none."""
        return [self.cookies.tags_of_password(each) for each in self.password.values()] if self.password else []

    def _report(self, request: GalleryRequest, visitor: Visitor) -> Answer:
        is_admitted = self._is_admitted(visitor)
        used = len(self.gallery.list(visitor, request.now)) if is_admitted else 0
        content = {
            **self.facts,
            "visitor": visitor.tag if is_admitted else None,
            "used": {"pictures": used},
            "passwordNeeded": not is_admitted,
        }
        return response.report(content)
