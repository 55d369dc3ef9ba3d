"""The errors with which a request is refused, and the one table of their HTTP statuses.

HandlerError
├── BadRequest            400  the request cannot be parsed
├── BadSignature          403  (or 400 when it is missing)
│   └── PrivateSource     403  an object of a private source is requested without a signature
├── Forbidden             403  the caller may not do that
├── Unauthorized          401  the operator's token is missing or wrong
├── NotFound              404  no such object
│   └── NoSuchPage        404  no such page of the service itself
├── MethodNotAllowed      405
├── Conflict              409  the object exists already, or has been changed in the meantime
├── PayloadTooLarge       413
├── UriTooLong            414
├── Busy                  503  every worker is busy
└── UpstreamError         502, 503 or 504  a store or service fails
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from imaging import (
    DamagedSource,
    FeatureError,
    InvalidParameter,
    Rejected,
    TimeExceeded,
    TooLarge,
    Unavailable,
    UnsupportedSource,
)


class HandlerError(Exception):
    """Base of all errors of the handler; `message` is safe for the client, `detail` is for the log."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        detail: str = "",
        status: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.headers = dict(headers or {})
        self.code = code or type(self).code
        self.status = HTTPStatus(status) if status else type(self).status


class BadRequest(HandlerError):
    """The request cannot be parsed."""

    status = HTTPStatus.BAD_REQUEST
    code = "BadRequest"


class BadSignature(HandlerError):
    """The signature is missing or wrong, or does not cover all that it must."""

    status = HTTPStatus.FORBIDDEN
    code = "SignatureDoesNotMatch"


class PrivateSource(BadSignature):
    """An object of a private source is requested by a URL that is not signed."""

    code = "AuthorizationQueryParametersError"


class Unauthorized(HandlerError):
    """The operator's token is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED
    code = "Unauthorized"


class Forbidden(HandlerError):
    """The caller is not allowed to do this."""

    status = HTTPStatus.FORBIDDEN
    code = "Forbidden"


class NotFound(HandlerError):
    """The object or page does not exist."""

    status = HTTPStatus.NOT_FOUND
    code = "NoSuchKey"


class NoSuchPage(NotFound):
    """The service has no page of its own at this path."""

    code = "NotFound"

    def __init__(self, path: str) -> None:
        super().__init__(f"no page is called {path!r}")


class MethodNotAllowed(HandlerError):
    """The path does not allow this method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "MethodNotAllowed"


class Conflict(HandlerError):
    """The object exists already, or has been changed in the meantime."""

    status = HTTPStatus.CONFLICT
    code = "Conflict"


class PayloadTooLarge(HandlerError):
    """The request or its answer is too large."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "TooLargeImageException"


class UriTooLong(HandlerError):
    """The URL is too long."""

    status = HTTPStatus.REQUEST_URI_TOO_LONG
    code = "UriTooLong"


class Busy(HandlerError):
    """Every worker is busy and the queue is full."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "TooManyRequests"


class UpstreamError(HandlerError):
    """A store or a service that the handler calls fails, refuses access or is too slow."""

    status = HTTPStatus.BAD_GATEWAY
    code = "UpstreamError"


def hide_source(error: HandlerError) -> HandlerError:
    """Return the error without the place of the original, which the URL holds encrypted.

    A place that cannot be decrypted, that is in no source and that has no original get one answer; the log has the
    reason.
    """
    if error.status < HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, PayloadTooLarge):
        message = "the encrypted URL must be that of an original that is served here"
        return NotFound(message, code="InvalidSourceURL", detail=error.message)
    message = "the original of the encrypted URL cannot be read, or is too large"
    return type(error)(message, code=error.code, detail=f"{error.message}; {error.detail}", status=error.status)


class InvalidURL(InvalidParameter):
    """A part of a URL is invalid, in a dialect whose own service answers 404 to that."""

    code = "InvalidURL"


STATUSES: Mapping[type[FeatureError], HTTPStatus] = {
    InvalidParameter: HTTPStatus.BAD_REQUEST,
    InvalidURL: HTTPStatus.NOT_FOUND,
    UnsupportedSource: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    DamagedSource: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TimeExceeded: HTTPStatus.GATEWAY_TIMEOUT,
    Unavailable: HTTPStatus.NOT_IMPLEMENTED,
    Rejected: HTTPStatus.FORBIDDEN,
}


def status_of(error: FeatureError | HandlerError) -> HTTPStatus:
    """Return the HTTP status of an error."""
    if isinstance(error, HandlerError):
        return error.status
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), HTTPStatus.INTERNAL_SERVER_ERROR)
