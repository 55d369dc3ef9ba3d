"""Read HTTP requests from events: API Gateway payload 1.0 and 2.0, function URLs and load balancers."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from handler.auth import canonical
from handler.core.errors import BadRequest, HandlerError, MethodNotAllowed
from handler.observability.redaction import redact_address
from handler.requests.image_request import Conditions
from handler.response import Caching
from imaging import MEDIA_TYPES, NEGOTIATED


class HttpRequest(msgspec.Struct, frozen=True):
    """An HTTP request, as an event describes it."""

    method: str
    path: str
    """As it is written in the event."""
    encoded: bool
    """Whether the path is still percent-encoded."""
    query: str | tuple[tuple[str, str], ...]
    """As it is written in the URL, or pairs that a gateway has decoded."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""
    event: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The event itself; the ASGI server leaves the body out."""
    stream: Iterable[bytes] | None = None
    """The blocks of a body that the ASGI server has not read yet; `body` is empty then."""
    verified_prefix: str = ""
    """`canonical.SIGNED` or `canonical.EXPIRING` if the CDN has verified the signature, else empty."""

    def blocks(self) -> Iterable[bytes]:
        """Return the body in blocks, which can be read once."""
        return (self.body,) if self.stream is None else self.stream

    def whole_event(self) -> Mapping[str, Any]:
        """Return the event with its body, to invoke another function with."""
        if not self.body or self.event.get("body"):
            return self.event
        return {**self.event, "body": base64.b64encode(self.body).decode(), "isBase64Encoded": True}

    def pairs(self, ignored: canonical.IgnoredParameters | None) -> canonical.Pairs:
        """Return the query's decoded names and values, without the ignored ones. Raise BadRequest if it is invalid."""
        if isinstance(self.query, str):
            return canonical.split_query(self.query, ignored)
        return canonical.unrepeated(ignored.without(self.query) if ignored else self.query)

    def sent_pairs(self) -> canonical.Pairs:
        """Return the decoded names and values with the ignored ones; nothing if these are invalid."""
        try:
            return self.pairs(None)
        except BadRequest:
            return ()

    def caching(self, usual: Caching) -> Caching:
        """Return how long the answer may be cached.

        All signed URLs of an image share one cache key where the CDN verifies signatures. Neither the end of one of
        them nor an error that its signature causes may become the answer for the others.
        """
        if not self.verified_prefix:
            return usual
        return msgspec.structs.replace(usual, error=0, ends_at_edge=self.verified_prefix == canonical.EXPIRING)

    def redacted_address(self) -> dict[str, str]:
        """Return the path of the viewer's URL and its query, if it has one, both without secrets, for the log.

        A path that the CDN has wrapped and that cannot be unwrapped is cut short.
        """
        path, query = self.path, self.query
        if path.startswith((canonical.WRAPPED, canonical.SIGNED, canonical.EXPIRING)):
            try:
                path = canonical.unwrap(canonical.WRAPPED + path[len(canonical.WRAPPED) :])
            except HandlerError:
                path = f"{canonical.WRAPPED}…"
        if not isinstance(query, str):
            query = "&".join(f"{name}={value}" for name, value in query)
        return {"path": redact_address(path)} | ({"query": redact_address("", query)[1:]} if query else {})

    @property
    def accepts(self) -> frozenset[str]:
        """The negotiated formats, such as AVIF and WebP, that the client names in `Accept`."""
        accept = self.headers.get("accept", "")
        return frozenset(name for name in NEGOTIATED if _is_accepted(MEDIA_TYPES[name], accept))

    @property
    def accepts_html(self) -> bool:
        """Whether the client names HTML in `Accept`, as browsers do for a page."""
        return _is_accepted("text/html", self.headers.get("accept", ""))

    @property
    def conditions(self) -> Conditions:
        """The conditions of the headers `If-None-Match` and `If-Modified-Since`."""
        since = self.headers.get("if-modified-since")
        return Conditions(
            none_match=self.headers.get("if-none-match", ""), modified_since=_parse_date(since) if since else None
        )


def require_read(method: str) -> None:
    """Raise MethodNotAllowed unless a method reads: GET or HEAD."""
    if method not in ("GET", "HEAD"):
        raise MethodNotAllowed(f"the method must be GET or HEAD, got {method}", headers={"Allow": "GET, HEAD"})


def is_http_event(event: Mapping[str, Any]) -> bool:
    """Whether an event has the shape of an HTTP request, of any payload version."""
    context = event.get("requestContext")
    return "httpMethod" in event or "rawPath" in event or (isinstance(context, Mapping) and "http" in context)


def read_http_request(event: Mapping[str, Any]) -> HttpRequest:
    """Return the request in an event. Raise BadRequest for an incomplete event."""
    try:
        call = _payload_2(event) if "rawPath" in event else _payload_1(event)
        # A lone surrogate can be written in JSON, but not in a URL.
        pairs = [call.query] if isinstance(call.query, str) else [text for pair in call.query for text in pair]
        "".join((call.path, *pairs, *call.headers.values())).encode()
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadRequest(
            f"the event must be an HTTP request, payload 1.0 or 2.0: {error!r} is missing or wrong"
        ) from None
    return call


def path_of(event: Mapping[str, Any]) -> str:
    """Return the path in an event that need not be complete."""
    context = event.get("requestContext")
    path = str(event.get("rawPath") or event.get("path") or "")
    return _without_stage(path, context if isinstance(context, Mapping) else {})


def _payload_2(event: Mapping[str, Any]) -> HttpRequest:
    context = event["requestContext"]
    domain = str(context.get("domainName", ""))
    return HttpRequest(
        method=str(context["http"]["method"]).upper(),
        path=_without_stage(str(event["rawPath"]), context),
        # An HTTP API has decoded the path already; a function URL has not.
        encoded=".lambda-url." in domain,
        query=str(event.get("rawQueryString") or ""),
        headers=_lower_names(event.get("headers")),
        body=_decode_body(event),
        event=event,
    )


def _payload_1(event: Mapping[str, Any]) -> HttpRequest:
    context = event.get("requestContext") or {}
    many = event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }
    pairs = tuple((str(name), str(value)) for name, values in many.items() for value in values)
    is_balancer = "elb" in context
    headers = event.get("headers") or {
        name: ",".join(values) for name, values in (event.get("multiValueHeaders") or {}).items()
    }
    return HttpRequest(
        method=str(event["httpMethod"]).upper(),
        path=_without_stage(str(event["path"]), context) if "version" in event else str(event["path"]),
        # In payload 1.0 only an HTTP API names the version, and only an HTTP API has decoded the path.
        encoded="version" not in event,
        query="&".join(f"{name}={value}" for name, value in pairs) if is_balancer else pairs,
        headers=_lower_names(headers),
        body=_decode_body(event),
        event=event,
    )


def _without_stage(path: str, context: Mapping[str, Any]) -> str:
    """Remove the stage from a path: an HTTP API puts it first unless it is the default stage or has a custom domain."""
    stage = context.get("stage", "$default")
    if stage == "$default" or not f"{path}/".startswith(f"/{stage}/"):
        return path
    return path.removeprefix(f"/{stage}") or "/"


def _decode_body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return decode_base64(body, "the body") if event.get("isBase64Encoded") else str(body).encode()


def decode_base64(text: object, name: str) -> bytes:
    """Return the bytes of base64, which may be broken into lines. Raise BadRequest, which calls the text `name`."""
    try:
        return base64.b64decode("".join(str(text).split()), validate=True)
    except ValueError:
        raise BadRequest(f"{name} must be in base64") from None


def _lower_names(headers: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (headers or {}).items()}


def _is_accepted(kind: str, accept: str) -> bool:
    for part in accept.lower().split(","):
        name, *options = (piece.strip() for piece in part.split(";"))
        if name == kind:
            return not any(option in ("q=0", "q=0.0", "q=0.00", "q=0.000") for option in options)
    return False


def _parse_date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few requests hold a date

    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None  # RFC 9110, 13.1.3: a recipient ignores the header if its date is invalid.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
