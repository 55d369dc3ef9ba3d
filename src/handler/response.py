"""HTTP answers: built from a result or an error, and written in the shape that Lambda returns."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec

from handler.core.errors import HandlerError, PayloadTooLarge, UpstreamError, status_of
from handler.core.http_headers import content_disposition, freshness, is_looser, restricting_directives
from handler.core.ports import StoredObject
from handler.render.results import IMAGE_HEADER, NotModified, Offloaded, RenderedResult, ResultFacts
from handler.requests.image_request import ImageRequest
from imaging import SCRIPTED, FeatureError

CACHE_TAG = "x-amz-meta-cache-tag"
"""The header from which the CloudFront distribution reads cache tags; S3 sends it for an object's metadata."""
IGNORED = "X-Ignored"
"""The header that names what COMPATIBILITY=lenient ignored or repaired in a URL."""
_MAX_IGNORED_NAMES = 20
_LONGEST_IGNORED_NAME = 60
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_MESSAGE = 1_200
"""Characters: a key of 1,024 and a sentence. So an error never sends back long texts of a client."""
_HEADER_BYTES = 4096
_SVG_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


class Caching(msgspec.Struct, frozen=True):
    """For how many seconds answers may be cached."""

    browser: int = 31_536_000
    cdn: int = 31_536_000
    error: int = 5
    ends_at_edge: bool = False
    """Whether the CDN checks `expires` at each request, so that it may cache images of URLs that expire."""

    @property
    def header(self) -> str:
        """The Cache-Control of images whose originals have none."""
        return f"public, max-age={self.browser}, s-maxage={self.cdn}"


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    for_the_log: dict[str, object] = msgspec.field(default_factory=dict)
    """Fields of the log line that the client must not see."""
    stored: StoredObject | None = None
    """An object from which the body is read while it is sent; `body` is empty then."""

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body) if self.stored is None else self.stored.info.size

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """Return the same answer with these headers set."""
        return msgspec.structs.replace(self, headers={**self.headers, **headers})

    @property
    def is_text(self) -> bool:
        """Whether Lambda returns the body as it is; any other is returned in base64."""
        return self.headers.get("Content-Type", "").startswith(("application/json", "text/"))

    def refuse_above(self, max_bytes: int) -> None:
        """Raise PayloadTooLarge if the answer has more than `max_bytes`, base64 included (0: no limit)."""
        refuse_too_large(self.size if self.is_text else -(-self.size // 3) * 4, max_bytes)

    def as_event(self, *, head: bool = False) -> dict[str, object]:
        """Return the answer in the shape that Lambda returns."""
        is_text = self.is_text
        plain = b"" if head else self.body if self.stored is None else self.stored.read()
        body = plain.decode() if is_text else base64.b64encode(plain).decode()
        headers = {**self.headers, "Content-Length": str(self.size)} if head and self.size else self.headers
        return {"statusCode": self.status, "headers": headers, "body": body, "isBase64Encoded": not (head or is_text)}


def of_event(event: Mapping[str, Any]) -> Answer:
    """Return the answer that another function of the stack returned, with the code of an error for the log.

    UpstreamError if it has another shape.
    """
    try:
        body = str(event["body"])
        plain = base64.b64decode(body, validate=True) if event["isBase64Encoded"] else body.encode()
        headers = {str(name): str(value) for name, value in event["headers"].items()}
        answer = Answer(HTTPStatus(event["statusCode"]), headers, plain)
        if answer.status < HTTPStatus.BAD_REQUEST or not answer.is_text or not body:
            return answer
        return msgspec.structs.replace(answer, for_the_log={"code": json.loads(body).get("code", "")})
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        message = "the model function returned an unexpected answer"
        detail = f"its answer cannot be read: {error!r:.500}"
        raise UpstreamError(message, code="HeavyFunction", detail=detail) from error


def body_bytes(max_bytes: int) -> int:
    """Return the bytes of the largest body that fits, in base64 with its headers, into `max_bytes`; 0: no limit."""
    return max(1, (max_bytes - _HEADER_BYTES) // 4 * 3) if max_bytes else 0


def refuse_too_large(size: int, max_bytes: int) -> None:
    """Raise PayloadTooLarge if a base64 body of this size does not fit, with its headers, into `max_bytes` (0: any)."""
    if max_bytes and size > max_bytes - _HEADER_BYTES:
        raise PayloadTooLarge(
            f"the image must fit into an answer of {max_bytes} bytes in base64, got {size}: request fewer "
            "pixels, a lower quality or `maxBytes`"
        )


def of_result(result: RenderedResult | NotModified, request: ImageRequest, caching: Caching) -> Answer:
    """Return the answer with a result: 200 with its body, or 304."""
    facts = result.facts
    headers = {
        "ETag": f'"{facts.validator}"',
        "Last-Modified": http_date(facts.last_modified),
        "Cache-Control": _cache_control(facts, request, caching),
        "X-Content-Type-Options": "nosniff",
    }
    if facts.tags:
        headers[CACHE_TAG] = ",".join(facts.tags)
    if facts.negotiated:
        headers["Vary"] = "Accept"
    if request.expires is not None and facts.is_cacheable and not caching.ends_at_edge:
        headers["Expires"] = http_date(request.expires)
    requested = _allowed(request, facts)
    if isinstance(result, NotModified):
        return Answer(HTTPStatus.NOT_MODIFIED, _overridden(headers, requested))
    headers |= headers_of_media_type(result.media_type)
    if named := content_disposition(request.output, result.media_type):
        headers["Content-Disposition"] = named
    return Answer(HTTPStatus.OK, _overridden(headers, requested), result.body, stored=result.stored)


def redirect(result: Offloaded) -> Answer:
    """Return the redirect to an offloaded result."""
    headers = {
        "Location": result.location,
        "Cache-Control": f"public, max-age={result.max_age}" if result.max_age else "no-store",
        "X-Content-Type-Options": "nosniff",
        CACHE_TAG: ",".join(result.facts.tags),
    }
    return Answer(HTTPStatus.FOUND, headers | ({"Vary": "Accept"} if result.facts.negotiated else {}))


def redirect_to_demo() -> Answer:
    """Return the redirect to the demo page, whose files a CDN has only below the path with a slash."""
    return Answer(HTTPStatus.FOUND, {"Location": "/_demo/", "Cache-Control": "no-cache"})


def stored(result: StoredObject) -> Answer:
    """Return the answer with an object of the results store, which is read while it is sent."""
    info = result.info
    headers = {
        "ETag": f'"{info.etag}"',
        "Last-Modified": http_date(info.last_modified),
        "Cache-Control": info.cache_control or "no-store",
        "X-Content-Type-Options": "nosniff",
        **headers_of_media_type(info.content_type),
    }
    names = {"Content-Disposition": "Content-Disposition", "cache-tag": CACHE_TAG}
    return Answer(
        HTTPStatus.OK,
        headers | {names[name]: info.metadata[name] for name in names if info.metadata.get(name)},
        stored=result,
    )


def headers_of_media_type(media_type: str) -> dict[str, str]:
    """Return the headers that every answer with a body of that media type has."""
    headers = {"Content-Type": media_type}
    return headers | {"Content-Security-Policy": _SVG_POLICY} if media_type in SCRIPTED else headers


def headers_of_ignored(request: ImageRequest) -> dict[str, str]:
    """Return the header that names what lenient mode ignored or repaired in the URL, percent-encoded; none for nothing.

    Its length is bounded, as a URL may hold many names.
    """
    if not request.ignored:
        return {}
    names = [quote(name[:_LONGEST_IGNORED_NAME], safe=":.") for name in request.ignored[:_MAX_IGNORED_NAMES]]
    more = [f"and {len(request.ignored) - len(names)} more"] if len(request.ignored) > len(names) else []
    return {IGNORED: ", ".join(names + more)}


def headers_of_image(result: RenderedResult | NotModified) -> dict[str, str]:
    """Return the headers with what is known of an image; none for a report, and for a client that has the image."""
    facts = result.image_facts if isinstance(result, RenderedResult) else {}
    return {IMAGE_HEADER + name.title(): value for name, value in facts.items()}


def headers_of_cors(answer: Answer, origin: str) -> dict[str, str]:
    """Return the headers that let scripts of this origin read the answer and what it says of an image."""
    exposed = ", ".join(name for name in answer.headers if name.startswith(IMAGE_HEADER))
    headers = {"Access-Control-Allow-Origin": origin}
    return headers | ({"Access-Control-Expose-Headers": exposed} if exposed else {})


def report(content: object, status: int = HTTPStatus.OK, cache_control: str = "no-store") -> Answer:
    """Return an answer in JSON."""
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
    }
    # A lone surrogate cannot be encoded as UTF-8: it is written as an escape of JSON.
    return Answer(status, headers, json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace"))


def refusal(error: FeatureError | HandlerError, caching: Caching) -> Answer:
    """Return the answer for an error, `{"status", "code", "message"}`; only errors of the client may be cached."""
    status = status_of(error)
    may_be_cached = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in (
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.TOO_MANY_REQUESTS,
    )
    cache_control = f"public, max-age={caching.error}" if may_be_cached and caching.error else "no-store"
    message = error.message if len(error.message) <= _LONGEST_MESSAGE else error.message[: _LONGEST_MESSAGE - 1] + "…"
    answer = report({"status": int(status), "code": error.code, "message": message}, status, cache_control)
    answer = msgspec.structs.replace(answer, for_the_log={"code": error.code, "detail": error.detail or error.message})
    return answer.with_headers(error.headers) if isinstance(error, HandlerError) else answer


def http_date(moment: datetime) -> str:
    """Return a moment in the format of HTTP headers (RFC 9110, 5.6.7)."""
    moment = moment.astimezone(UTC)
    # email.utils has a function for it, but would import socket, calendar and charsets on every cold start.
    time = f"{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d}"
    return f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year:04d} {time} GMT"


def _cache_control(facts: ResultFacts, request: ImageRequest, caching: Caching) -> str:
    if not facts.is_cacheable:
        return "no-store"
    restricting = restricting_directives(facts.cache_control)
    if request.expires is not None and caching.ends_at_edge and not restricting:
        return f"public, max-age=0, s-maxage={freshness(facts.cache_control, caching.cdn)}"
    if request.expires is not None and "no-store" not in restricting:
        left = max(0, int((request.expires - datetime.now(UTC)).total_seconds()))
        browser, cdn = min(left, caching.browser), min(left, caching.cdn)
        apart = f",s-maxage={cdn}" if cdn != browser and not restricting else ""
        return f"max-age={browser}{apart},{','.join(restricting) or 'public'}"
    return facts.cache_control or caching.header


def _allowed(request: ImageRequest, facts: ResultFacts) -> dict[str, str]:
    """Return the headers that the request sets, without those that would break a rule.

    They must not have an answer cached after the end of its address or against the Cache-Control of the objects in
    it, and must not take `Accept` out of `Vary`.
    """
    requested = dict(request.headers)
    has_end = request.expires is not None or not facts.is_cacheable
    for name, value in request.headers.items():
        is_cache_control = name.lower() == "cache-control"
        loosens = is_looser(value if is_cache_control else "", facts.cache_control)
        if (has_end or loosens) and (is_cache_control or name.lower() == "expires"):
            del requested[name]
        elif facts.negotiated and name.lower() == "vary":
            requested[name] = f"Accept, {requested[name]}"
    return requested


def _overridden(headers: dict[str, str], requested: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with those that the request sets in their place; names match in any case."""
    names = {name.lower() for name in requested}
    return {**{name: value for name, value in headers.items() if name.lower() not in names}, **requested}
