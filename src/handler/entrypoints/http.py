"""HTTP: which page, who calls, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never
from urllib.parse import unquote

import msgspec

from handler import response
from handler.auth import canonical
from handler.auth.authenticate import Authenticator
from handler.auth.compare_secret import matches_secret
from handler.auth.signature import Signatures
from handler.entrypoints.http_call import HttpRequest
from handler.errors import BadRequest, Forbidden, HandlerError, MethodNotAllowed, NotFound, PayloadTooLarge, UriTooLong
from handler.ports import InvokeFunction, SecretSource
from handler.render.render import RenderContext, render, render_here
from handler.render.results import Delegated, NotModified, Offloaded, RenderedResult
from handler.requests.client_hints import HEADERS, Hints
from handler.requests.image_request import ImageRequest
from handler.requests.parse import is_own, parse_request
from handler.requests.policy import Policy
from handler.response import Answer, Caching
from imaging import Deadline, FeatureError, ObjectRef, TooLarge

if TYPE_CHECKING:
    from handler.entrypoints.operator import OperatorEntrypoint
    from handler.storage.result_cache import BucketResultCache

ORIGIN_HEADER = "x-origin-secret"
LONGEST_PATH = 8_192
_PICTURE_METHODS = ("GET", "HEAD")


class JsonEndpoint(msgspec.Struct, frozen=True):
    """What may be asked by a query of just these parameters."""

    parameters: tuple[str, ...]
    answer: Callable[..., object]


class HttpEntrypoint(msgspec.Struct, frozen=True):
    """Answers HTTP requests; `wiring` fills it."""

    render_context: RenderContext
    policy: Policy
    ignored: canonical.IgnoredParameters
    caching: Caching
    authenticator: Authenticator = msgspec.field(default_factory=Authenticator)
    signatures: Signatures | None = None
    """None where signatures are off."""
    operator: Callable[[], OperatorEntrypoint] | None = None
    """Opens the operator's pages under `/_api/`."""
    origin: SecretSource | None = None
    cors: str = ""
    local_operator: bool = False
    """Whether the operator API is open without a token, so that no other site may read it."""
    health: Callable[[], Answer] = lambda: response.report({"status": "ok"})
    """The page `/_health`."""
    fallback: ObjectRef | None = None
    most: int = 0
    """Bytes of the largest answer, base64 included; 0: no limit."""
    result_cache: BucketResultCache | None = None
    heavy: InvokeFunction | None = None
    static_documents: Mapping[str, Callable[[], Answer]] = msgspec.field(default_factory=dict)
    """What can be read under `/_api/`, open to anyone."""
    json_endpoints: Callable[[bool], Mapping[str, JsonEndpoint]] | None = None
    """JSON answers to a query under `/_api/`, open to anyone; those for the operator (True) may tell more."""

    def answer(self, call: HttpRequest, deadline: Deadline) -> Answer:
        """Answer a call; every refusal is an answer too."""
        try:
            self._through_the_cdn(call)
        except HandlerError as error:
            return response.refusal(error, self.caching)
        try:
            answer = self._answered(call, deadline)
        except (FeatureError, HandlerError) as error:
            answer = self._refused(error, call, deadline)
        return answer.with_headers({"Access-Control-Allow-Origin": self.cors}) if self._has_cors(call) else answer

    def admit(self, call: HttpRequest) -> None:
        """Refuse, by a HandlerError, a caller of the operator's pages who may not use them, before there is a body."""
        self._through_the_cdn(call)
        path, _ = self._path(call)
        if path.startswith("/_api/"):
            if self.operator is None:
                raise NotFound(f"no page is called {path!r}", code="NotFound")
            self.operator().admit(path.removeprefix("/_api/"), call)

    def _answered(self, call: HttpRequest, deadline: Deadline) -> Answer:
        """Return the answer, made here or by the model function, which does all checks again."""
        answer = self._routed(call, deadline)
        if isinstance(answer, Answer):
            return answer
        if self.heavy is None:
            raise HandlerError("an expensive feature is delegated, but HEAVY_FUNCTION is not set", code="Configuration")
        return response.of_event(self.heavy(call.whole_event(), deadline))

    def _has_cors(self, call: HttpRequest) -> bool:
        """Whether pages of other sites may read the answer."""
        return bool(self.cors) and not (self.local_operator and unquote(call.path).startswith("/_api/"))

    def _routed(self, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        path, raw_path = self._path(call)
        if call.method == "OPTIONS":
            return self._preflight(has_cors=self._has_cors(call))
        if path == "/_health":
            return self.health()
        if path.startswith("/_api/"):
            return self._api(path.removeprefix("/_api/"), call, deadline)
        if path.startswith("/_results/") and self.result_cache is not None and call.method in _PICTURE_METHODS:
            return self._result(path.removeprefix("/_results/"), call)
        if is_own(path):
            raise NotFound(f"no page is called {path!r}", code="NotFound")
        if call.method not in _PICTURE_METHODS:
            raise MethodNotAllowed(f"the method must be GET or HEAD, got {call.method}", headers={"Allow": "GET, HEAD"})
        return self._picture(path, raw_path, call, deadline)

    def _through_the_cdn(self, call: HttpRequest) -> None:
        """Whoever goes past the CDN gets neither a picture nor the fallback: all that is done for them is this."""
        if self.origin is not None and not matches_secret(call.headers.get(ORIGIN_HEADER, ""), self.origin):
            raise Forbidden("the API must be called through the CDN")

    def _path(self, call: HttpRequest) -> tuple[str, str]:
        """The path decoded exactly once, and as it stands in the viewer's URL."""
        raw = call.path if call.encoded else canonical.encode_path(call.path)
        # Only the CDN wraps paths, and only its secret proves that it did.
        if self.origin is not None and raw.startswith(canonical.WRAPPED):
            raw = canonical.unwrap(raw)
        if len(raw) > LONGEST_PATH:
            raise UriTooLong(f"the path must be at most {LONGEST_PATH} bytes, got {len(raw)}")
        return canonical.decode_path(raw), raw

    def _picture(self, path: str, raw_path: str, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        pairs = call.pairs(self.ignored)
        proof = self.authenticator.authenticate(path, pairs, raw_path)

        def understood(hints: Hints | None) -> ImageRequest:
            return parse_request(
                path,
                pairs,
                self.policy,
                caller=proof.caller,
                accepts=call.accepts,
                signed_path=proof.signed_path,
                hints=hints,
            )

        request = understood(Hints.of(call.headers) if self.policy.client_hints else None)
        try:
            return self._made(request, call, deadline)
        except (TooLarge, PayloadTooLarge):
            # A browser's header must not turn an answer into a refusal.
            plain = understood(None)
            if plain == request:
                raise
        return self._made(plain, call, deadline)

    def _made(self, request: ImageRequest, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        result = render(
            request, self.render_context, deadline=deadline, conditions=call.conditions, result_cache=self.result_cache
        )
        match result:
            case RenderedResult() | NotModified():
                answer = self._hinted(response.of_result(result, request, self.caching))
                answer.refuse_above(self.most)
                return answer
            case Offloaded():
                return self._hinted(response.redirect(result))
            case Delegated():
                return result
            case _:
                assert_never(result)

    def _hinted(self, answer: Answer) -> Answer:
        """Where hints count, the client is asked for them, and a cache is told that they do."""
        if not self.policy.client_hints:
            return answer
        told = ", ".join(HEADERS)
        varies = answer.headers.get("Vary", "")
        return answer.with_headers({"Accept-CH": told, "Vary": f"{varies}, {told}" if varies else told})

    def _result(self, path: str, call: HttpRequest) -> Answer:
        """What a redirect leads to, where no CDN and no S3 answers: however large it is, as no Lambda is in between."""
        said = dict(call.pairs(None))
        stored = (
            self.result_cache.read(path, said.get("until", ""), said.get("proof", "")) if self.result_cache else None
        )
        if stored is None:
            raise NotFound("there is no such result, or its time is over", code="NotFound")
        return response.stored(stored.info, stored.read())

    def _api(self, page: str, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        if page in self.static_documents and call.method in _PICTURE_METHODS:
            return self.static_documents[page]()
        endpoint = self.json_endpoints(False).get(page) if self.json_endpoints else None
        if self.json_endpoints and endpoint is not None and call.method in _PICTURE_METHODS:
            is_operator = self.operator is not None and self.operator().is_operator(call)
            endpoint = self.json_endpoints(is_operator)[page]
            return response.report(endpoint.answer(**_given(endpoint, call)))
        if self.operator is None:
            raise NotFound(f"no page is called {'/_api/' + page!r}", code="NotFound")
        answer = self.operator().answer(page, call, deadline)
        if isinstance(answer, Answer):
            answer.refuse_above(self.most)
        return answer

    def _preflight(self, *, has_cors: bool) -> Answer:
        headers = {"Allow": "GET, HEAD, OPTIONS", "X-Content-Type-Options": "nosniff"}
        if has_cors:
            headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            headers["Access-Control-Allow-Headers"] = "Content-Type, Authorization"
            headers["Access-Control-Max-Age"] = "86400"
        return Answer(HTTPStatus.NO_CONTENT, headers)

    def _refused(self, error: FeatureError | HandlerError, call: HttpRequest, deadline: Deadline) -> Answer:
        answer = response.refusal(error, self.caching)
        if self.fallback is None or call.method not in _PICTURE_METHODS or "/_api/" in call.path:
            return answer
        always = self.policy.always
        request = ImageRequest(self.fallback, always.steps, always.output)
        try:
            result = render_here(request, self.render_context, deadline)
        except (FeatureError, HandlerError) as broken:
            return answer.with_headers({"X-Fallback-Error": broken.code})
        headers = answer.headers | response.headers_of_media_type(result.media_type)
        return msgspec.structs.replace(answer, headers=headers, body=result.body)


def _given(endpoint: JsonEndpoint, call: HttpRequest) -> dict[str, str]:
    """The parameters of a question, each of them given. BadRequest."""
    given = dict(call.pairs(None))
    for name in (*endpoint.parameters, *given):
        if name not in endpoint.parameters or not given.get(name):
            expected = " and ".join(f"`{each}`" for each in endpoint.parameters)
            raise BadRequest(f"the query must hold {expected}, got {', '.join(given) or 'nothing'}")
    return given
