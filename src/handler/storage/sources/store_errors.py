"""The errors of all stores, so that the same fault has the same message in each."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from handler.core.errors import Forbidden, HandlerError, NotFound, PayloadTooLarge, UpstreamError
from imaging import ObjectRef

CANNOT_ACCESS = "ImageBucket::CannotAccessBucket"


def not_found(ref: ObjectRef, detail: str = "") -> NotFound:
    """Return the error for a missing object."""
    return NotFound(f"the key `{ref.key}` does not exist in bucket `{ref.bucket}`", detail=detail)


def no_access(ref: ObjectRef, detail: str = "") -> Forbidden:
    """Return the error for a refused object. Without `s3:ListBucket` S3 refuses missing keys as well."""
    return Forbidden(
        f"access to the key `{ref.key}` in bucket `{ref.bucket}` is denied, or the key does not exist",
        code=CANNOT_ACCESS,
        detail=f"grant s3:GetObject, and s3:ListBucket to get a 404 for missing keys; {detail}",
    )


def too_large(ref: ObjectRef, size: int, limit: int) -> PayloadTooLarge:
    """Return the error for an object with more bytes than the limit, of which `size` were announced or received."""
    return PayloadTooLarge(f"`{ref.key}` must have at most {limit} bytes, got {size}")


def failed(ref: ObjectRef, detail: str) -> UpstreamError:
    """Return the error for an unexpected response of the store, or for none."""
    return UpstreamError(f"the request to bucket `{ref.bucket}` failed", detail=detail)


def slow(ref: ObjectRef, detail: str) -> UpstreamError:
    """Return the error for a timeout."""
    message = f"bucket `{ref.bucket}` does not answer in time"
    return UpstreamError(message, detail=detail, status=HTTPStatus.GATEWAY_TIMEOUT)


def busy(ref: ObjectRef, detail: str) -> UpstreamError:
    """Return the error for a store that throttles requests."""
    message = f"bucket `{ref.bucket}` is throttling requests"
    return UpstreamError(message, detail=detail, status=HTTPStatus.SERVICE_UNAVAILABLE)


def of_status(ref: ObjectRef, status: int, detail: str) -> HandlerError:
    """Return the error for an HTTP status other than 2xx."""
    kinds: dict[int, Callable[[ObjectRef, str], HandlerError]] = {
        401: no_access,
        403: no_access,
        429: busy,
        503: busy,
        504: slow,
    }
    if status in kinds:
        return kinds[status](ref, detail)
    # 400, 404, 410, 414 and the like: the store has no object with such a key.
    return not_found(ref, detail) if 400 <= status < 500 else failed(ref, detail)
