"""The entry point: which door does an event belong to?"""

from __future__ import annotations

import imaging  # noqa: F401 - before the first import of msgspec, see imaging.fast_msgspec_import

# isort: split
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from handler import response
from handler.auth.canonical import WRAPPED, unwrap
from handler.composition.factories import aws_of
from handler.composition.wiring import Application, application
from handler.config import Settings, demo_bucket
from handler.entrypoints.direct_invocation import is_direct_invocation
from handler.entrypoints.http_call import HttpRequest, is_http_event, read_http_request
from handler.entrypoints.upload_events import is_upload_event
from handler.errors import BadRequest, HandlerError
from handler.observability import log_exception, log_request
from handler.redaction import redact_address
from handler.response import Answer
from imaging import Deadline

T = TypeVar("T")
# What is left for encoding the answer and handing it over before Lambda ends the call.
_MARGIN_SECONDS = 0.5
_STACK_SECONDS, _TO_ANSWER_SECONDS = 300.0, 45.0


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


def lambda_handler(event: object, context: LambdaContext | None) -> dict[str, object]:
    """Answer any event; one in HTTP shape never reaches another door than HTTP's.

    Only the upload door raises: whoever brought the event, S3 or a queue, is to bring it again.
    """
    said: Mapping[str, Any] = event if isinstance(event, Mapping) else {}
    is_http = is_http_event(said)
    # Only one function of a stack has a demo bucket; for all others such an event is no event of theirs.
    if not is_http and "ResponseURL" in said and demo_bucket():
        return _stack(said, context)
    app = application()
    deadline = _deadline(app, context)
    if not is_http and is_upload_event(said):
        return _uploads(app, said, deadline)
    with log_request("http" if is_http else "console") as facts:
        if is_http:
            return _guarded(app, facts, lambda: _http_event(app, said, deadline, facts), Answer.as_event)
        return _guarded(app, facts, lambda: _console(app, said, deadline), Answer.as_event)


def answer_call(call: HttpRequest, context: LambdaContext | None) -> Answer:
    """Answer an HTTP request that came in no event: neither its body nor that of the answer is encoded in base64."""
    app = application()
    deadline = _deadline(app, context)
    with log_request("http") as facts:
        return _guarded(app, facts, lambda: _http(app, call, deadline, facts), lambda answer: answer)


def _guarded(app: Application, facts: dict[str, Any], work: Callable[[], T], shape: Callable[[Answer], T]) -> T:
    """What the work gives, or a refusal in the same shape for whatever it raises."""
    try:
        return work()
    except HandlerError as error:
        facts.update(status=int(error.status), code=error.code, detail=error.detail)
        return shape(response.refusal(error, app.http.caching))
    except Exception:  # noqa: BLE001 - the last resort: the client learns nothing of the fault, the log everything
        log_exception(facts)
        app.health.check()
        return shape(response.refusal(HandlerError("the picture could not be made"), app.http.caching))


def _http_event(
    app: Application, event: Mapping[str, Any], deadline: Deadline, facts: dict[str, Any]
) -> dict[str, object]:
    call = read_http_request(event)
    return _http(app, call, deadline, facts).as_event(head=call.method == "HEAD")


def _http(app: Application, call: HttpRequest, deadline: Deadline, facts: dict[str, Any]) -> Answer:
    facts.update(method=call.method, path=_loggable(call.path))
    answer = app.http.answer(call, deadline)
    facts.update(status=int(answer.status), bytes=len(answer.body), **answer.for_the_log)
    return answer


def _loggable(path: str) -> str:
    """A path without the signature in it; of a wrapped one that holds one, or that cannot be read, the beginning."""
    if path.startswith(WRAPPED):
        try:
            plain = unwrap(path)
        except HandlerError:
            return f"{WRAPPED}…"
        return path if redact_address(plain) == plain else f"{WRAPPED}…"
    return redact_address(path)


def _console(app: Application, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
    if not is_direct_invocation(event):
        raise BadRequest("the event must be an HTTP request, an S3 event, or hold `imageKey` or `image`")
    return app.console.invoke(event, deadline)


def _uploads(app: Application, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
    if app.uploads is None:
        raise HandlerError("an upload cannot be taken: OUTPUT_BUCKET and UPLOAD_PRESETS are not set")
    with log_request("uploads"):
        try:
            return app.uploads.handle(event, deadline)
        except Exception:
            app.health.check()
            raise


def _stack(event: Mapping[str, Any], context: LambdaContext | None) -> dict[str, object]:
    """Before anything is built: even where the settings are at fault, CloudFormation waits for an answer."""
    from handler.entrypoints.custom_resource import handle  # noqa: PLC0415 - a stack asks once

    left = context.get_remaining_time_in_millis() / 1000 if context else _STACK_SECONDS
    deadline = Deadline.after(left - _TO_ANSWER_SECONDS)
    with log_request("stack") as facts:
        try:
            return handle(event, demo_bucket(), lambda: aws_of(Settings.from_environment()), deadline)
        except HandlerError as error:
            facts.update(status=int(error.status), code=error.code, detail=error.message)
            return response.refusal(error, response.Caching()).as_event()


def _deadline(app: Application, context: LambdaContext | None) -> Deadline:
    seconds = float(app.settings.limits.max_seconds)
    if context is not None:
        seconds = min(seconds, context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS)
    return Deadline.after(seconds)
