"""HTTP: which page, who calls, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec

from features import Deadline, FeatureError, ObjectRef, TooLarge
from handler import canonical, response
from handler.callers import Callers
from handler.doors.http_call import Call
from handler.errors import BadRequest, Forbidden, HandlerError, MethodNotAllowed, NotFound, PayloadTooLarge, UriTooLong
from handler.hints import HEADERS, Hints
from handler.ports import HandsOver, SecretSource
from handler.produce import HandOver, Workshop, produce
from handler.proofs import is_one_of
from handler.request import ImageRequest
from handler.response import Answer, Caching
from handler.signature import Signatures
from handler.understand import House, is_own, understand

if TYPE_CHECKING:
    from handler.doors.operator import OperatorDoor
    from handler.shelf import Shelf

ORIGIN_HEADER = "x-origin-secret"
LONGEST_PATH = 8_192
_PICTURE_METHODS = ("GET", "HEAD")


class Question(msgspec.Struct, frozen=True):
    """What may be asked by a query of just these parameters."""

    parameters: tuple[str, ...]
    answer: Callable[..., object]


class HttpDoor(msgspec.Struct, frozen=True):
    """Answers HTTP requests; `wiring` fills it."""

    workshop: Workshop
    house: House
    ignored: canonical.IgnoredParameters
    caching: Caching
    callers: Callers = msgspec.field(default_factory=Callers)
    signatures: Signatures | None = None
    """None where signatures are off."""
    operator: Callable[[], OperatorDoor] | None = None
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
    shelf: Shelf | None = None
    heavy: HandsOver | None = None
    documents: Mapping[str, Callable[[], Answer]] = msgspec.field(default_factory=dict)
    """What can be read under `/_api/`, open to anyone."""
    questions: Callable[[bool], Mapping[str, Question]] | None = None
    """JSON answers to a query under `/_api/`, open to anyone; those for the operator (True) may tell more."""

    def answer(self, call: Call, deadline: Deadline) -> Answer:
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

    def admit(self, call: Call) -> None:
        """Refuse, by a HandlerError, a caller of the operator's pages who may not use them, before there is a body."""
        self._through_the_cdn(call)
        path, _ = self._path(call)
        if path.startswith("/_api/"):
            if self.operator is None:
                raise NotFound(f"no page is called {path!r}", code="NotFound")
            self.operator().admit(path.removeprefix("/_api/"), call)

    def _answered(self, call: Call, deadline: Deadline) -> Answer:
        """The answer, made here or by the function for heavy work, which checks everything once more."""
        try:
            return self._routed(call, deadline)
        except HandOver:
            if self.heavy is None:
                raise
            return response.of_event(self.heavy(call.whole_event(), deadline))

    def _has_cors(self, call: Call) -> bool:
        """Whether pages of other sites may read the answer."""
        return bool(self.cors) and not (self.local_operator and unquote(call.path).startswith("/_api/"))

    def _routed(self, call: Call, deadline: Deadline) -> Answer:
        path, raw_path = self._path(call)
        if call.method == "OPTIONS":
            return self._preflight(has_cors=self._has_cors(call))
        if path == "/_health":
            return self.health()
        if path.startswith("/_api/"):
            return self._api(path.removeprefix("/_api/"), call, deadline)
        if path.startswith("/_results/") and self.shelf is not None and call.method in _PICTURE_METHODS:
            return self._result(path.removeprefix("/_results/"), call)
        if is_own(path):
            raise NotFound(f"no page is called {path!r}", code="NotFound")
        if call.method not in _PICTURE_METHODS:
            raise MethodNotAllowed(f"the method must be GET or HEAD, got {call.method}", headers={"Allow": "GET, HEAD"})
        return self._picture(path, raw_path, call, deadline)

    def _through_the_cdn(self, call: Call) -> None:
        """Whoever goes past the CDN gets neither a picture nor the fallback: all that is done for them is this."""
        if self.origin is not None and not is_one_of(call.headers.get(ORIGIN_HEADER, ""), self.origin):
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
        pairs = call.pairs(self.ignored)
        proof = self.callers.proof(path, pairs, raw_path)

        def understood(hints: Hints | None) -> ImageRequest:
            return understand(
                path,
                pairs,
                self.house,
                caller=proof.caller,
                accepts=call.accepts,
                signed_path=proof.signed_path,
                hints=hints,
            )

        request = understood(Hints.of(call.headers) if self.house.client_hints else None)
        try:
            return self._made(request, call, deadline)
        except (TooLarge, PayloadTooLarge):
            # A browser's header must not turn an answer into a refusal.
            plain = understood(None)
            if plain == request:
                raise
        return self._made(plain, call, deadline)

    def _made(self, request: ImageRequest, call: Call, deadline: Deadline) -> Answer:
        result = produce(request, self.workshop, deadline=deadline, conditions=call.conditions, shelf=self.shelf)
        if result.aside and self.shelf is not None:
            return self._hinted(response.elsewhere(result, *self.shelf.link(result, request)))
        answer = self._hinted(response.picture(result, request, self.caching))
        answer.refuse_above(self.most)
        return answer

    def _hinted(self, answer: Answer) -> Answer:
        """Where hints count, the client is asked for them, and a cache is told that they do."""
        if not self.house.client_hints:
            return answer
        told = ", ".join(HEADERS)
        varies = answer.headers.get("Vary", "")
        return answer.with_headers({"Accept-CH": told, "Vary": f"{varies}, {told}" if varies else told})

    def _result(self, path: str, call: Call) -> Answer:
        """What a redirect leads to, where no CDN and no S3 answers: however large it is, as no Lambda is in between."""
        said = dict(call.pairs(None))
        stored = self.shelf.read(path, said.get("until", ""), said.get("proof", "")) if self.shelf else None
        if stored is None:
            raise NotFound("there is no such result, or its time is over", code="NotFound")
        return response.stored(stored.info, stored.read())

    def _api(self, page: str, call: Call, deadline: Deadline) -> Answer:
        if page in self.documents and call.method in _PICTURE_METHODS:
            return self.documents[page]()
        question = self.questions(False).get(page) if self.questions else None
        if self.questions and question is not None and call.method in _PICTURE_METHODS:
            is_operator = self.operator is not None and self.operator().is_operator(call)
            question = self.questions(is_operator)[page]
            return response.report(question.answer(**_given(question, call)))
        if self.operator is None:
            raise NotFound(f"no page is called {'/_api/' + page!r}", code="NotFound")
        answer = self.operator().answer(page, call, deadline)
        answer.refuse_above(self.most)
        return answer

    def _preflight(self, *, has_cors: bool) -> Answer:
        headers = {"Allow": "GET, HEAD, OPTIONS", "X-Content-Type-Options": "nosniff"}
        if has_cors:
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
            result = produce(request, msgspec.structs.replace(self.workshop, hands_over=False), deadline=deadline)
        except (FeatureError, HandlerError) as broken:
            return answer.with_headers({"X-Fallback-Error": broken.code})
        headers = answer.headers | response.of_media_type(result.media_type)
        return msgspec.structs.replace(answer, headers=headers, body=result.body)


def _given(question: Question, call: Call) -> dict[str, str]:
    """The parameters of a question, each of them given. BadRequest."""
    given = dict(call.pairs(None))
    for name in (*question.parameters, *given):
        if name not in question.parameters or not given.get(name):
            expected = " and ".join(f"`{each}`" for each in question.parameters)
            raise BadRequest(f"the query must hold {expected}, got {', '.join(given) or 'nothing'}")
    return given
