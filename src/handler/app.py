"""The entry point: choose the entrypoint for an event, and answer whatever it raises."""

from __future__ import annotations

import imaging  # noqa: F401 - before the first import of msgspec, see imaging.fast_msgspec_import

# isort: split
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from handler import response
from handler.composition.wiring import Application, application
from handler.config import SettingsError, starts_from_snapshot
from handler.core.errors import BadRequest, HandlerError
from handler.entrypoints.http_call import HttpRequest, is_http_event, path_of, read_http_request
from handler.observability.logs import log_exception, log_request, logs_requests
from handler.response import Answer
from imaging import Deadline

T = TypeVar("T")
_MARGIN_SECONDS = 0.5
"""Time reserved for encoding the answer and returning it before Lambda ends the call."""
_DEPLOYMENT_TASKS = frozenset({"self-check", "fill-demo", "sync-signing-keys"})
"""What the provider of the stack's custom resources asks for: the names in `composition.deployment.TASKS`."""
_DEPLOYMENT_SECONDS = 60.0
"""Time for such a task where there is no Lambda context."""
_DEPLOYMENT_MARGIN_SECONDS = 3.0
"""Time reserved for its answer."""
_logged_faults: set[str] = set()


class LambdaContext(Protocol):
    """The part of Lambda's context object that is used here."""

    def get_remaining_time_in_millis(self) -> int: ...


def lambda_handler(event: object, context: LambdaContext | None) -> dict[str, object]:
    """Answer any event. An event in HTTP shape never reaches another entrypoint than HTTP's.

    Only the upload entrypoint raises, so that S3 or the queue sends the event again.
    """
    fields: Mapping[str, Any] = event if isinstance(event, Mapping) else {}
    is_http = is_http_event(fields)
    if not is_http and fields.get("task") in _DEPLOYMENT_TASKS:
        return _handle_deployment_task(str(fields["task"]), context, raises=fields.get("raises") is True)
    try:
        app = application()
    except SettingsError as error:
        if not is_http and _is_upload_event(fields):
            raise
        return response.refusal(_log_faults(error), response.Caching()).as_event()
    deadline = _deadline(app, context)
    if not is_http and _is_upload_event(fields):
        return _handle_upload(app, fields, deadline)
    with log_request("http" if is_http else "direct-invocation") as log_fields:
        if is_http:
            path = path_of(fields)
            return _answer_errors(
                app,
                log_fields,
                lambda: _handle_http_event(app, fields, deadline, log_fields),
                lambda answer: app.http.with_cors(answer, path).as_event(),
            )
        return _answer_errors(
            app, log_fields, lambda: _handle_direct_invocation(app, fields, deadline), Answer.as_event
        )


def answer_call(call: HttpRequest, context: LambdaContext | None) -> Answer:
    """Answer an HTTP request that did not arrive as an event: neither body is encoded in base64."""
    app = application()
    deadline = _deadline(app, context)
    with log_request("http") as log_fields:
        return _answer_errors(
            app,
            log_fields,
            lambda: _answer_http(app, call, deadline, log_fields),
            lambda answer: app.http.with_cors(answer, call.path),
        )


def _answer_errors(
    app: Application, log_fields: dict[str, Any], work: Callable[[], T], convert: Callable[[Answer], T]
) -> T:
    """Return the result of `work`; for whatever it raises, an error answer that `convert` gives the same type."""
    try:
        return work()
    except HandlerError as error:
        log_fields.update(status=int(error.status), code=error.code, detail=error.detail)
        return convert(response.refusal(error, app.http.caching))
    except Exception:  # noqa: BLE001 - the last resort: the details are for the log, not for the client
        log_exception(log_fields)
        app.health.check()
        return convert(response.refusal(HandlerError("the image could not be rendered"), app.http.caching))


def _handle_http_event(
    app: Application, event: Mapping[str, Any], deadline: Deadline, log_fields: dict[str, Any]
) -> dict[str, object]:
    call = read_http_request(event)
    return _answer_http(app, call, deadline, log_fields).as_event(head=call.method == "HEAD")


def _answer_http(app: Application, call: HttpRequest, deadline: Deadline, log_fields: dict[str, Any]) -> Answer:
    log_fields.update(method=call.method, **(call.redacted_address() if logs_requests() else {}))
    try:
        answer = app.http.answer(call, deadline)
    except Exception:
        log_fields.update(call.redacted_address())
        raise
    log_fields.update(status=int(answer.status), bytes=answer.size, **answer.for_the_log)
    return answer


def _is_upload_event(event: Mapping[str, Any]) -> bool:
    from handler.entrypoints.uploads.events import is_upload_event  # noqa: PLC0415 - an HTTP request does not need it

    return is_upload_event(event)


def _handle_direct_invocation(app: Application, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
    from handler.entrypoints.direct_invocation import is_direct_invocation  # noqa: PLC0415 - HTTP does not need it

    if not is_direct_invocation(event):
        raise BadRequest("the event must be an HTTP request, an S3 event, or have a field `imageKey` or `image`")
    return app.direct_invocation().invoke(event, deadline)


def _handle_upload(app: Application, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
    if app.uploads is None:
        raise HandlerError("uploads cannot be processed: neither OUTPUT_BUCKET nor RECORDS is set")
    with log_request("uploads"):
        try:
            return app.uploads().handle(event, deadline)
        except Exception:
            app.health.check()
            raise


def _handle_deployment_task(task: str, context: LambdaContext | None, *, raises: bool) -> dict[str, object]:
    """Do what CloudFormation's provider asks for, before the application is built: a setting may be invalid.

    With `raises`, which a schedule sends, faults are raised, so that Lambda counts them as errors.
    """
    from handler.composition import deployment  # noqa: PLC0415 - an image does not need it

    seconds = context.get_remaining_time_in_millis() / 1000 if context else _DEPLOYMENT_SECONDS
    with log_request(task):
        report = deployment.TASKS[task](Deadline.after(seconds - _DEPLOYMENT_MARGIN_SECONDS))
        if raises and report["faults"]:
            raise RuntimeError(f"{task}: {report['faults']}")
        return report


def _log_faults(error: SettingsError) -> HandlerError:
    """Log the faults of the settings once in this process, and return the error that clients get."""
    if str(error) not in _logged_faults:
        _logged_faults.add(str(error))
        log_exception({"faults": str(error).splitlines()})
    return HandlerError("the service is not configured correctly, its log says how", code="Configuration")


def _deadline(app: Application, context: LambdaContext | None) -> Deadline:
    seconds = float(app.settings.limits.max_seconds)
    if context is not None:
        seconds = min(seconds, context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS)
    return Deadline.after(seconds)


if starts_from_snapshot():
    from handler.composition import snapshot

    snapshot.register()
