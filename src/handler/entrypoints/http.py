"""Answer HTTP requests: route them, authenticate the caller, render, and turn results and errors into answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never
from urllib.parse import unquote

import msgspec

from handler import response
from handler.auth import canonical
from handler.auth.authenticate import Authenticator
from handler.auth.signature import Signatures
from handler.core.errors import (
    Forbidden,
    HandlerError,
    NoSuchPage,
    PayloadTooLarge,
    PrivateSource,
    UriTooLong,
    hide_source,
)
from handler.core.ports import InvokeFunction, SecretSource
from handler.entrypoints.http_call import HttpRequest, require_read
from handler.entrypoints.services import Services
from handler.observability.logs import add_log_fields
from handler.render.render import RenderContext, render, render_here
from handler.render.results import Delegated, NotModified, Offloaded, RenderedResult
from handler.requests.image_request import ImageRequest
from handler.requests.parse import is_own, parse_request
from handler.requests.policy import Policy
from handler.response import Answer, Caching
from imaging import Deadline, FeatureError, ObjectRef, TooLarge

if TYPE_CHECKING:
    from handler.requests.client_hints import Hints
    from handler.storage.recent_results import RecentResults
    from handler.storage.result_cache import BucketResultCache

ORIGIN_HEADER = "x-origin-secret"
MAX_PATH_BYTES = 8_192
_IMAGE_METHODS = ("GET", "HEAD")
_UPLOAD, _GALLERY = "/_upload", "/_api/gallery/"
_DOCUMENTS = ("/_docs", "/_api/docs", "/_api/openapi.json")
_API_HOMES = ("/_api", "/_api/")


class HttpEntrypoint(msgspec.Struct, frozen=True):
    """Answers HTTP requests; `handler.composition.wiring` builds it."""

    render_context: RenderContext
    """Of callers that may read every source."""
    policy: Policy
    ignored: canonical.IgnoredParameters
    caching: Caching
    public_context: RenderContext | None = None
    """Of callers that may not read the private sources; None if no source is private."""
    authenticator: Authenticator = msgspec.field(default_factory=Authenticator)
    signatures: Signatures | None = None
    """None if no URL needs a signature."""
    services: Services = msgspec.field(default_factory=Services)
    origin: SecretSource | None = None
    """The secret that the CDN sends with each request; None if requests need not come through it."""
    cors: str = ""
    """The value of Access-Control-Allow-Origin; empty if CORS is switched off."""
    has_image_headers: bool = False
    """Whether answers tell size and format of the image and of its original in headers."""
    local_operator: bool = False
    """Whether the operator API is open without a token, so that CORS must not open it to other sites."""
    health: Callable[[], Answer] = lambda: response.report({"status": "ok"})
    """Answers `/_health`."""
    ready: Callable[[], Answer] = lambda: response.report({"status": "ready"})
    """Answers `/_ready`."""
    fallback: ObjectRef | None = None
    """The image that is sent as the body of errors."""
    max_bytes: int = 0
    """Size of the largest answer in bytes, base64 included; 0 means no limit."""
    result_cache: BucketResultCache | None = None
    recent: RecentResults | None = None
    """What a server keeps in memory, before `result_cache`."""
    expensive_function: InvokeFunction | None = None
    """Invokes the function for expensive work; None if there is no such function."""

    def answer(self, call: HttpRequest, deadline: Deadline) -> Answer:
        """Answer a request; errors become answers too.

        Requests that have not come through the CDN get neither an image nor the fallback image.
        """
        try:
            self._require_origin_secret(call)
            if self.origin is not None and call.path.startswith((canonical.SIGNED, canonical.EXPIRING)):
                from handler.entrypoints.edge_signature import with_moved_signature  # noqa: PLC0415 - few stacks move it

                call = with_moved_signature(call)
        except HandlerError as error:
            return self.with_cors(response.refusal(error, self.caching), call.path)
        try:
            answer = self._answer(call, deadline)
        except (FeatureError, HandlerError) as error:
            answer = self._answer_error(error, call, deadline)
        return self.with_cors(answer, call.path)

    def with_cors(self, answer: Answer, path: str) -> Answer:
        """Return the answer for a path with the headers that let scripts of other sites read it, if they may."""
        if not self._has_cors(path):
            return answer
        return answer.with_headers(response.headers_of_cors(answer, self.cors))

    def admit(self, call: HttpRequest) -> None:
        """Raise a HandlerError if the request sends a large body and may not do so; the body is not needed for this."""
        self._require_origin_secret(call)
        from handler.entrypoints.api import admit  # noqa: PLC0415 - no image needs it

        path = self._path(call)[0]
        if self._own_page(path) is not None:
            require_read(call.method)
        admit(self.services, path, call)

    def _answer(self, call: HttpRequest, deadline: Deadline) -> Answer:
        """Return the answer, made here or by the function for expensive work, which does all checks again."""
        answer = self._route(call, deadline)
        if isinstance(answer, Answer):
            return answer
        if self.expensive_function is None:
            raise HandlerError("an expensive feature is delegated, but HEAVY_FUNCTION is not set", code="Configuration")
        return response.of_event(self.expensive_function(call.whole_event(), deadline))

    def _has_cors(self, path: str) -> bool:
        """Whether other sites may read the answer for a path."""
        closed = "/_api/" if self.local_operator else _GALLERY
        return bool(self.cors) and not unquote(path).startswith(closed)

    def _route(self, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        path, raw_path = self._path(call)
        if call.method == "OPTIONS":
            from handler.entrypoints.own_pages import answer_preflight  # noqa: PLC0415 - no image needs it

            return answer_preflight(has_cors=self._has_cors(call.path))
        if (page := self._own_page(path)) is not None:
            require_read(call.method)
            from handler.entrypoints.own_pages import if_changed  # noqa: PLC0415 - no image needs it

            return if_changed(page(), call.conditions.none_match)
        if path.startswith("/_api/"):
            from handler.entrypoints.api import answer_api  # noqa: PLC0415 - no image needs it

            answer = answer_api(self.services, path.removeprefix("/_api/"), call, deadline)
            if isinstance(answer, Answer):
                answer.refuse_above(self.max_bytes)
            return answer
        if path.startswith(_UPLOAD) and self.services.ingest is not None:
            from handler.entrypoints.uploads.forms import answer_upload  # noqa: PLC0415 - no image needs it

            return answer_upload(path, call, self.services.ingest())
        if path.startswith("/_results/") and self.result_cache is not None:
            require_read(call.method)
            from handler.entrypoints.own_pages import answer_stored_result  # noqa: PLC0415 - no image needs it

            return answer_stored_result(self.result_cache, path.removeprefix("/_results/"), call)
        if is_own(path, self.policy.dialects):
            raise NoSuchPage(path)
        require_read(call.method)
        return self._answer_image(path, raw_path, call, deadline)

    def _own_page(self, path: str) -> Callable[[], Answer] | None:
        """Return the probe or the file that has exactly this path."""
        if path.startswith(_DOCUMENTS) or path in _API_HOMES:
            return self.services.document_at(path)
        if path.startswith("/_gallery") and self.services.gallery is not None:
            return self.services.gallery().files().get(path)
        return {"/_health": self.health, "/_ready": self.ready, "/_demo": response.redirect_to_demo}.get(path)

    def _require_origin_secret(self, call: HttpRequest) -> None:
        """Raise Forbidden unless the CDN has sent the request."""
        if self.origin is None:
            return
        from handler.auth.compare_secret import matches_secret  # noqa: PLC0415 - not every service has this secret

        if not matches_secret(call.headers.get(ORIGIN_HEADER, ""), self.origin):
            raise Forbidden("the API must be called through the CDN")

    def _path(self, call: HttpRequest) -> tuple[str, str]:
        """Return the path, decoded exactly once, and as it is in the viewer's URL."""
        raw = call.path if call.encoded else canonical.encode_path(call.path)
        # Only the CDN wraps paths, and only its secret proves that it has.
        if self.origin is not None and raw.startswith(canonical.WRAPPED):
            raw = canonical.unwrap(raw)
        if len(raw) > MAX_PATH_BYTES:
            raise UriTooLong(f"the path must be at most {MAX_PATH_BYTES} bytes, got {len(raw)}")
        return canonical.decode_path(raw), raw

    def _answer_image(self, path: str, raw_path: str, call: HttpRequest, deadline: Deadline) -> Answer | Delegated:
        pairs = call.pairs(self.ignored)
        authentication = self.authenticator.authenticate(path, pairs, raw_path, call.sent_pairs)
        # A gateway may have decoded the path: how it was encoded is not known then.
        is_raw = (call.encoded or call.path.startswith(canonical.WRAPPED)) and not authentication.covers_decoded_path

        context = self.render_context if authentication.opens_private else self.public_context or self.render_context

        def parsed(hints: Hints | None) -> ImageRequest:
            return parse_request(
                path, pairs, self.policy, caller=authentication.caller, accepts=call.accepts,
                raw_path=raw_path if is_raw else None, signed_path=authentication.signed_path, hints=hints,
            )  # fmt: skip

        request = parsed(self._parse_client_hints(call))
        add_log_fields(dialect=request.dialect, **({"ignored": request.ignored} if request.ignored else {}))
        try:
            return self._render(request, context, call, deadline)
        except PrivateSource as error:
            raise authentication.fault or error from None
        except (TooLarge, PayloadTooLarge):
            # A client hint may have enlarged the image beyond a limit. A browser's header must not turn an image into
            # an error, so the request is tried again without hints.
            without_hints = parsed(None)
            if without_hints == request:
                raise
        return self._render(without_hints, context, call, deadline)

    def _render(
        self, request: ImageRequest, context: RenderContext, call: HttpRequest, deadline: Deadline
    ) -> Answer | Delegated:
        conditions, cache = call.conditions, self.recent or self.result_cache
        try:
            result = render(request, context, deadline=deadline, conditions=conditions, result_cache=cache)
        except HandlerError as error:
            if request.hides_source:
                raise hide_source(error) from error
            raise
        add_log_fields(result=type(result).__name__)
        ignored = response.headers_of_ignored(request)
        match result:
            case RenderedResult() | NotModified():
                answer = self._with_client_hints(response.of_result(result, request, call.caching(self.caching)))
                answer.refuse_above(self.max_bytes)
                image = response.headers_of_image(result) if self.has_image_headers else {}
                return answer.with_headers(image | ignored)
            case Offloaded():
                return self._with_client_hints(response.redirect(result)).with_headers(ignored)
            case Delegated():
                return result
            case _:
                assert_never(result)

    def _parse_client_hints(self, call: HttpRequest) -> Hints | None:
        if not self.policy.client_hints:
            return None
        from handler.requests.client_hints import Hints  # noqa: PLC0415 - few services use client hints

        return Hints.parse(call.headers)

    def _with_client_hints(self, answer: Answer) -> Answer:
        """Return the answer with the headers that have clients send hints and caches tell answers apart by them."""
        if not self.policy.client_hints:
            return answer
        from handler.requests.client_hints import HEADERS  # noqa: PLC0415 - few services use client hints

        names = ", ".join(HEADERS)
        varies = answer.headers.get("Vary", "")
        return answer.with_headers({"Accept-CH": names, "Vary": f"{varies}, {names}" if varies else names})

    def _answer_error(self, error: FeatureError | HandlerError, call: HttpRequest, deadline: Deadline) -> Answer:
        answer = response.refusal(error, call.caching(self.caching))
        if isinstance(error, NoSuchPage):
            from handler.entrypoints.missing_page import as_page  # noqa: PLC0415 - no image needs it

            answer, is_page = as_page(answer, self.services, call)
            if is_page:
                return answer
        if self.fallback is None or call.method not in _IMAGE_METHODS or "/_api/" in call.path:
            return answer
        always = self.policy.always
        request = ImageRequest(self.fallback, always.steps, always.output)
        try:
            result = render_here(request, self.public_context or self.render_context, deadline)
        except (FeatureError, HandlerError) as broken:
            return answer.with_headers({"X-Fallback-Error": broken.code})
        headers = answer.headers | response.headers_of_media_type(result.media_type)
        return msgspec.structs.replace(answer, headers=headers, body=result.body)
