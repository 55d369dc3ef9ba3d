"""Answers: from a Result or an error to status, headers and body, and to the shape that Lambda hands back."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec

from handler.cache_control import closing, is_looser
from handler.errors import HandlerError, PayloadTooLarge, UpstreamError, status_of
from handler.ports import ObjectInfo
from handler.render.render import Result
from handler.requests.image_request import ImageRequest
from imaging import FeatureError

CACHE_TAG = "x-amz-meta-cache-tag"
"""The header that the distribution reads cache tags from (S3 can send it too)."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_MESSAGE = 1_200
"""Characters: a key of 1,024 and what is said of it. A client's own words are not sent back by the page."""
_HEADER_BYTES = 4096
SVG = "image/svg+xml"
_SVG_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


class Caching(msgspec.Struct, frozen=True):
    """How long answers may be kept, in seconds."""

    browser: int = 31_536_000
    cdn: int = 31_536_000
    error: int = 5


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    for_the_log: dict[str, object] = msgspec.field(default_factory=dict)
    """What the log shall know and the client shall not."""

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """The same answer with these headers set."""
        return msgspec.structs.replace(self, headers={**self.headers, **headers})

    @property
    def is_text(self) -> bool:
        """Whether the body travels as it is; any other in base64."""
        return self.headers.get("Content-Type", "").startswith(("application/json", "text/"))

    def refuse_above(self, most: int) -> None:
        """PayloadTooLarge above `most` bytes, base64 included (0: no limit)."""
        refuse_too_large(len(self.body) if self.is_text else -(-len(self.body) // 3) * 4, most)

    def as_event(self, *, head: bool = False) -> dict[str, object]:
        """What Lambda hands back."""
        is_text = self.is_text
        body = "" if head else self.body.decode() if is_text else base64.b64encode(self.body).decode()
        headers = {**self.headers, "Content-Length": str(len(self.body))} if head and self.body else self.headers
        return {"statusCode": self.status, "headers": headers, "body": body, "isBase64Encoded": not (head or is_text)}


def of_event(said: Mapping[str, Any]) -> Answer:
    """The answer in what another function of ours handed back; the log has a refusal's code. UpstreamError."""
    try:
        body = str(said["body"])
        plain = base64.b64decode(body, validate=True) if said["isBase64Encoded"] else body.encode()
        headers = {str(name): str(value) for name, value in said["headers"].items()}
        answer = Answer(HTTPStatus(said["statusCode"]), headers, plain)
        if answer.status < HTTPStatus.BAD_REQUEST or not answer.is_text or not body:
            return answer
        return msgspec.structs.replace(answer, for_the_log={"code": json.loads(body).get("code", "")})
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        message = "the function for heavy work does not answer as it should"
        detail = f"its answer cannot be read: {error!r:.500}"
        raise UpstreamError(message, code="HeavyFunction", detail=detail) from error


def body_bytes(most: int) -> int:
    """Bytes of the largest body that fits, in base64 and with its headers, into an answer of `most` bytes; 0: any."""
    return max(1, (most - _HEADER_BYTES) // 4 * 3) if most else 0


def refuse_too_large(size: int, most: int) -> None:
    """PayloadTooLarge for a body in base64 that does not fit into `most` bytes with its headers (0: no limit)."""
    if most and size > most - _HEADER_BYTES:
        raise PayloadTooLarge(
            f"the picture must fit into an answer of {most} bytes in base64, got {size}: ask for fewer "
            "pixels, a lower quality or `maxBytes`"
        )


def picture(result: Result, request: ImageRequest, caching: Caching) -> Answer:
    """The answer that carries a Result: 200, or 304 when the client has it."""
    headers = {
        "ETag": f'"{result.validator}"',
        "Last-Modified": http_date(result.last_modified),
        "Cache-Control": _cache_control(result, request, caching),
        "X-Content-Type-Options": "nosniff",
    }
    if result.tags:
        headers[CACHE_TAG] = ",".join(result.tags)
    if result.negotiated:
        headers["Vary"] = "Accept"
    if request.expires is not None and result.is_cacheable:
        headers["Expires"] = http_date(request.expires)
    requested = _allowed(request, result)
    if result.not_modified:
        return Answer(HTTPStatus.NOT_MODIFIED, _overridden(headers, requested))
    headers |= of_media_type(result.media_type)
    if request.output.download:
        headers["Content-Disposition"] = attachment(request.output.download)
    return Answer(HTTPStatus.OK, _overridden(headers, requested), result.body)


def redirect(result: Result, address: str, seconds: int) -> Answer:
    """A redirect to where the body of a Result lies; `seconds`: how long it may be kept, 0: not at all."""
    headers = {
        "Location": address,
        "Cache-Control": f"public, max-age={seconds}" if seconds else "no-store",
        "X-Content-Type-Options": "nosniff",
        CACHE_TAG: ",".join(result.tags),
    }
    return Answer(HTTPStatus.FOUND, headers | ({"Vary": "Accept"} if result.negotiated else {}))


def stored(info: ObjectInfo, body: bytes) -> Answer:
    """A result as it lies in the store."""
    headers = {
        "ETag": f'"{info.etag}"',
        "Last-Modified": http_date(info.last_modified),
        "Cache-Control": info.cache_control or "no-store",
        "X-Content-Type-Options": "nosniff",
        **of_media_type(info.content_type),
    }
    names = {"Content-Disposition": "Content-Disposition", "cache-tag": CACHE_TAG}
    return Answer(
        HTTPStatus.OK, headers | {names[name]: info.metadata[name] for name in names if info.metadata.get(name)}, body
    )


def of_media_type(media_type: str) -> dict[str, str]:
    """What a body of that type must not leave without."""
    headers = {"Content-Type": media_type}
    return headers | {"Content-Security-Policy": _SVG_POLICY} if media_type == SVG else headers


def report(content: object, status: int = HTTPStatus.OK, cache_control: str = "no-store") -> Answer:
    """An answer in JSON."""
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
    }
    # A lone surrogate, which is no Unicode, goes out as the escape that JSON has for it.
    return Answer(status, headers, json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace"))


def refusal(error: FeatureError | HandlerError, caching: Caching) -> Answer:
    """The answer for an error, `{"status", "code", "message"}`; only a client's mistake is kept, for seconds."""
    status = status_of(error)
    keep = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in (
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.TOO_MANY_REQUESTS,
    )
    cache_control = f"public, max-age={caching.error}" if keep and caching.error else "no-store"
    message = error.message if len(error.message) <= _LONGEST_MESSAGE else error.message[: _LONGEST_MESSAGE - 1] + "…"
    answer = report({"status": int(status), "code": error.code, "message": message}, status, cache_control)
    answer = msgspec.structs.replace(answer, for_the_log={"code": error.code, "detail": error.detail or error.message})
    return answer.with_headers(error.headers) if isinstance(error, HandlerError) else answer


def http_date(moment: datetime) -> str:
    """A moment as HTTP headers write it."""
    moment = moment.astimezone(UTC)
    # email.utils would do it, at the price of importing socket, calendar and charsets on every cold start.
    return f"{_DAYS[moment.weekday()]}, {moment:%d} {_MONTHS[moment.month - 1]} {moment:%Y %H:%M:%S} GMT"


def _cache_control(result: Result, request: ImageRequest, caching: Caching) -> str:
    if not result.is_cacheable:
        return "no-store"
    closed = closing(result.cache_control)
    if request.expires is not None and "no-store" not in closed:
        left = int((request.expires - datetime.now(UTC)).total_seconds())
        return f"max-age={max(0, left)},{','.join(closed) or 'public'}"
    return result.cache_control or f"public, max-age={caching.browser}, s-maxage={caching.cdn}"


def _allowed(request: ImageRequest, result: Result) -> dict[str, str]:
    """The headers that the request sets: none that would keep an answer beyond its end, or where the objects in it say
    that it must not be kept, and none that would keep `Accept` out of `Vary`.
    """
    requested = dict(request.headers)
    has_end = request.expires is not None or not result.is_cacheable
    for name, value in request.headers.items():
        is_cache_control = name.lower() == "cache-control"
        loosens = is_looser(value if is_cache_control else "", result.cache_control)
        if (has_end or loosens) and (is_cache_control or name.lower() == "expires"):
            del requested[name]
        elif result.negotiated and name.lower() == "vary":
            requested[name] = f"Accept, {requested[name]}"
    return requested


def _overridden(headers: dict[str, str], requested: Mapping[str, str]) -> dict[str, str]:
    """Headers that the request sets take the place of ours, however they are capitalised."""
    names = {name.lower() for name in requested}
    return {**{name: value for name, value in headers.items() if name.lower() not in names}, **requested}


def attachment(name: str) -> str:
    """Content-Disposition by RFC 6266: an ASCII name for old clients, the true one beside it."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
