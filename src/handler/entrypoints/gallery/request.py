"""One request of the gallery's API: its visitor, its address, and that it comes from the gallery's own page."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from handler.core.errors import BadRequest, Forbidden
from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.operator.local_access import is_loopback
from handler.entrypoints.operator.page import parse_object
from handler.gallery.visitors import Visitor
from handler.observability.logs import add_log_fields
from imaging import Deadline

SECURE_COOKIE, LOCAL_COOKIE = "__Host-gallery", "gallery"
CSRF_HEADER = "x-gallery"
_VIEWER_HEADER = "cloudfront-viewer-address"
MAX_NAME = 200
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, ends of lines, surrogates, and changes of direction, which disguise the ending of a file."""

actions = logging.getLogger("handler.gallery")
"""The actions of visitors; the server writes them to standard output."""


class GalleryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a visitor."""

    call: HttpRequest
    visitor: Visitor
    now: datetime
    deadline: Deadline
    address: str
    """Of the client, for limits only: it is neither logged nor stored."""

    def log(self, action: str, **fields: object) -> None:
        """Log what the visitor has done: in the line of the request and, on a server, in a line of its own.

        `fields` must hold neither names nor addresses.
        """
        add_log_fields(action=action, **fields)
        known = " ".join(f"{name}={value}" for name, value in fields.items())
        actions.info("%s gallery %s visitor=%s %s", f"{self.now:%Y-%m-%dT%H:%M:%SZ}", action, self.visitor.tag, known)

    def read_query(self, names: Iterable[str]) -> dict[str, str]:
        """Return the parameters of the query. Raise BadRequest for an unknown name."""
        params = dict(self.call.pairs(None))
        _refuse_unknown(params, names)
        return params

    def read_body(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the JSON object of the body. Raise BadRequest for an unknown name, or if it is no object."""
        if self.call.pairs(None):
            raise BadRequest("the query must be empty: the parameters are in the body")
        fields = parse_object(self.call.body, names) if self.call.body.strip() else {}
        _refuse_unknown(fields, names)
        return fields


def read_cookie(call: HttpRequest) -> str:
    """Return the value of the gallery's cookie, empty without one."""
    name = cookie_name(call)
    # API Gateway and function URLs take the cookies out of the headers in payload 2.0.
    texts = [*map(str, call.event.get("cookies") or ()), call.headers.get("cookie", "")]
    for text in texts:
        for part in text.split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
    return ""


def cookie_name(call: HttpRequest) -> str:
    """Return the name of the cookie: browsers bind `__Host-` to the host and to https."""
    return LOCAL_COOKIE if _is_plain_loopback(call) else SECURE_COOKIE


def format_cookie(call: HttpRequest, value: str, life: timedelta) -> str:
    """Return the header Set-Cookie."""
    secure = "" if _is_plain_loopback(call) else "; Secure"
    seconds = int(life.total_seconds())
    return f"{cookie_name(call)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def refuse_other_sites(call: HttpRequest, *, knows_host: bool) -> None:
    """Raise Forbidden unless the gallery's own page, or a program, has sent a request that changes something.

    A page of another site can send forms, but no header of its own: browsers ask for permission first, which this
    service does not give. `knows_host`: whether `Host` is that of the page; a CDN may send another one.
    """
    if call.method in ("GET", "HEAD"):
        return
    site = call.headers.get("sec-fetch-site", "").strip().lower()
    origin = call.headers.get("origin", "").strip().lower()
    is_foreign = site not in ("", "same-origin") or (
        not site and knows_host and bool(origin) and urlsplit_host(origin) != call.headers.get("host", "").lower()
    )
    if is_foreign:
        message = f"the request must come from the gallery's own page, got {(site or origin)[:80]!a}"
        raise Forbidden(message, code="other_site")
    if call.headers.get(CSRF_HEADER, "").strip() != "1":
        raise Forbidden("the header X-Gallery must be 1", code="other_site")


def urlsplit_host(origin: str) -> str:
    """Return host and port of an origin; empty for `null` and for what is no URL."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def read_origin(call: HttpRequest) -> str:
    """Return scheme and host of the gallery's page, as the browser says, or as the host says to other programs."""
    origin = call.headers.get("origin", "").strip()
    if urlsplit_host(origin):
        return origin
    return f"{'http' if _is_plain_loopback(call) else 'https'}://{call.headers.get('host', '')}"


def find_address(call: HttpRequest, *, behind_cdn: bool) -> str:
    """Return the address of the client: that of the connection, or what a CDN or proxy says that is trusted."""
    if behind_cdn and (viewer := call.headers.get(_VIEWER_HEADER, "")):
        return viewer.rpartition(":")[0].strip("[]")
    context = call.event.get("requestContext") or {}
    known = context.get("http") or context.get("identity") or {}
    source = str(known.get("clientIp") or known.get("sourceIp", ""))
    # The CDN or proxy itself has added the last address. Events of a load balancer have no other.
    forwarded = call.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return (forwarded or source) if behind_cdn else (source or forwarded)


def parse_name(value: object) -> str:
    """Return the name of a picture. Raise BadRequest."""
    name = value.strip() if isinstance(value, str) else ""
    # Spaces of every width and the joiners of emoji are part of many file names, such as those of screenshots on a Mac.
    if not any(map(str.isprintable, name)) or len(name) > MAX_NAME or _NO_NAME.search(name):
        raise BadRequest(f"`name` must be text of 1 to {MAX_NAME} characters in one line, got {value!a:.60}")
    return name


def parse_text(fields: dict[str, Any], name: str) -> str | None:
    """Return an optional text. Raise BadRequest for anything else."""
    value = fields.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise BadRequest(f"`{name}` must be text, got {value!r:.60}")
    return value


def parse_whole(fields: dict[str, Any], name: str, smallest: int, largest: int) -> int | None:
    """Return an optional whole number. Raise BadRequest for anything else."""
    value = fields.get(name)
    if value is not None and (type(value) is not int or not smallest <= value <= largest):
        raise BadRequest(f"`{name}` must be a whole number from {smallest} to {largest}, got {value!r:.60}")
    return value


def _refuse_unknown(params: Iterable[str], names: Iterable[str]) -> None:
    for name in params:
        if name not in names:
            raise BadRequest(f"`{name[:60]}` must be one of {', '.join(names) or 'nothing'}")


def _is_plain_loopback(call: HttpRequest) -> bool:
    """Whether the page is on this machine, without https."""
    return is_loopback(call.headers.get("host", "")) and call.headers.get("x-forwarded-proto", "http") == "http"
