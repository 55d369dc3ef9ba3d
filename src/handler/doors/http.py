"""HTTP: which page, who calls, and the answer."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from http import HTTPStatus

import msgspec

from features import Deadline, FeatureError, ObjectRef
from handler import canonical, response
from handler.doors import posted
from handler.doors.http_call import Call
from handler.errors import BadRequest, Forbidden, HandlerError, MethodNotAllowed, NotFound, Unauthorized, UriTooLong
from handler.ports import SecretSource
from handler.produce import Workshop, produce
from handler.request import ImageRequest
from handler.response import Answer, Caching
from handler.signature import Signatures
from handler.understand import Caller, House, understand, understand_posted

ORIGIN_HEADER = "x-origin-secret"
LONGEST_PATH = 8_192
_PICTURE_METHODS = ("GET", "HEAD")
_TAKES_PICTURES = ("transform", "remove-background")
_OF_PROXIES = ("forwarded", "x-forwarded-for", "via")


class HttpDoor(msgspec.Struct, frozen=True):
    """Answers HTTP requests; `wiring` fills it."""

    workshop: Workshop
    house: House
    ignored: canonical.IgnoredParameters
    caching: Caching
    signatures: Signatures | None = None
    operator: SecretSource | None = None
    operator_open: bool = False
    origin: SecretSource | None = None
    cors: str = ""
    fallback: ObjectRef | None = None
    most: int = 0
    """Bytes of the largest answer, base64 included; 0: no limit."""
    documents: Mapping[str, Callable[[], object]] = msgspec.field(default_factory=dict)
    """JSON documents under `/_api/`, open to anyone."""

    def answer(self, call: Call, deadline: Deadline) -> Answer:
        """Answer a call; every refusal is an answer too."""
        try:
            self._through_the_cdn(call)
        except HandlerError as error:
            return response.refusal(error, self.caching)
        try:
            answer = self._routed(call, deadline)
            answer.refuse_above(self.most)
        except (FeatureError, HandlerError) as error:
            answer = self._refused(error, call, deadline)
        return answer.with_headers({"Access-Control-Allow-Origin": self.cors}) if self.cors else answer

    def _routed(self, call: Call, deadline: Deadline) -> Answer:
        path, raw_path = self._path(call)
        if call.method == "OPTIONS":
            return self._preflight()
        if path == "/_health":
            return response.report({"status": "ok"})
        if path.startswith("/_api/"):
            return self._api(path.removeprefix("/_api/"), call, deadline)
        if path.startswith("/_") and not path.startswith("/_key/"):
            raise NotFound(f"no page is called {path!r}", code="NotFound")
        if call.method not in _PICTURE_METHODS:
            raise MethodNotAllowed(f"the method must be GET or HEAD, got {call.method}", headers={"Allow": "GET, HEAD"})
        return self._picture(path, raw_path, call, deadline)

    def _through_the_cdn(self, call: Call) -> None:
        """Whoever goes past the CDN gets neither a picture nor the fallback: all that is done for them is this."""
        if self.origin is not None and not _is_one_of(call.headers.get(ORIGIN_HEADER, ""), self.origin):
            raise Forbidden("the API must be called through the CDN")

    def _path(self, call: Call) -> tuple[str, str]:
        """The path decoded exactly once, and as it stands in the viewer's URL."""
        raw = call.path if call.encoded else canonical.encode_path(call.path)
        # Only the CDN wraps paths, and only its secret proves that it did.
        if self.origin is not None and raw.startswith(canonical.WRAPPED):
            raw = canonical.unwrap(raw)
        if len(raw) > LONGEST_PATH:
            raise UriTooLong(f"the path must be at most {LONGEST_PATH} bytes, got {len(raw)}")
        return canonical.decode_path(raw), raw

    def _picture(self, path: str, raw_path: str, call: Call, deadline: Deadline) -> Answer:
        pairs = self._pairs(call)
        caller = Caller.ANYONE
        if self.signatures is not None:
            self.signatures.verify(path, pairs, raw_path=raw_path)
            caller = Caller.SIGNED
        request = understand(path, pairs, self.house, caller=caller, accepts=call.accepts)
        result = produce(request, self.workshop, deadline=deadline, conditions=call.conditions)
        return response.picture(result, request, self.caching)

    def _pairs(self, call: Call) -> canonical.Pairs:
        if isinstance(call.query, str):
            return canonical.split_query(call.query, self.ignored)
        return canonical.unrepeated(self.ignored.without(call.query))

    def _api(self, page: str, call: Call, deadline: Deadline) -> Answer:
        if page in self.documents and call.method in _PICTURE_METHODS:
            return response.report(self.documents[page](), cache_control="public, max-age=300")
        if page not in _TAKES_PICTURES or (self.operator is None and not self._is_local(call)):
            raise NotFound(f"no page is called {'/_api/' + page!r}", code="NotFound")
        self._operator(call)
        if call.method != "POST":
            raise MethodNotAllowed(f"the method must be POST, got {call.method}", headers={"Allow": "POST"})
        return self._transform(call, deadline, cut_out=page == "remove-background")

    def _is_local(self, call: Call) -> bool:
        """Whether the operator's doors are open without a token: on loopback, unless a proxy brings the world there."""
        return self.operator_open and not any(name in call.headers for name in _OF_PROXIES)

    def _operator(self, call: Call) -> None:
        if self.operator is None:
            return
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not _is_one_of(token.strip(), self.operator):
            raise Unauthorized(
                "the header Authorization must be `Bearer` and the operator's token",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _transform(self, call: Call, deadline: Deadline, *, cut_out: bool) -> Answer:
        """A picture that came as raw bytes is answered as such; one in JSON is answered in JSON."""
        pairs: tuple[tuple[str, object], ...] = self._pairs(call)
        in_json = call.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        picture, said = posted.read(call.body) if in_json else (call.body, ())
        if not picture:
            raise BadRequest("the body must be a picture, or JSON with `image` in base64; got nothing")
        said = posted.cutting_out((*pairs, *said)) if cut_out else (*pairs, *said)
        request = understand_posted(picture, said, self.house, accepts=call.accepts)
        result = produce(request, self.workshop, deadline=deadline)
        if not in_json:
            return response.picture(result, request, self.caching).with_headers({"Cache-Control": "no-store"})
        return response.report(posted.as_json(result.body, result.media_type))

    def _preflight(self) -> Answer:
        headers = {"Allow": "GET, HEAD, OPTIONS", "X-Content-Type-Options": "nosniff"}
        if self.cors:
            headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            headers["Access-Control-Allow-Headers"] = "Content-Type, Authorization"
            headers["Access-Control-Max-Age"] = "86400"
        return Answer(HTTPStatus.NO_CONTENT, headers)

    def _refused(self, error: FeatureError | HandlerError, call: Call, deadline: Deadline) -> Answer:
        answer = response.refusal(error, self.caching)
        if self.fallback is None or call.method not in _PICTURE_METHODS or "/_api/" in call.path:
            return answer
        always = self.house.always
        request = ImageRequest(self.fallback, always.steps, always.output)
        try:
            result = produce(request, self.workshop, deadline=deadline)
        except (FeatureError, HandlerError) as broken:
            return answer.with_headers({"X-Fallback-Error": broken.code})
        headers = answer.headers | response.of_media_type(result.media_type)
        return msgspec.structs.replace(answer, headers=headers, body=result.body)


def _is_one_of(given: str, secrets: SecretSource) -> bool:
    """Compared in constant time with the current and the previous value, which are fetched again when neither fits."""

    def fits(values: tuple[str, ...]) -> bool:
        return any([hmac.compare_digest(given.encode(), value.encode()) for value in values])  # noqa: C419 - all are compared

    return fits(secrets.values()) or (bool(given) and fits(secrets.values(refresh=True)))
