"""The same words for the same fault, whichever store it comes from."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from handler.errors import Forbidden, HandlerError, NotFound, PayloadTooLarge, UpstreamError
from imaging import ObjectRef

CANNOT_ACCESS = "ImageBucket::CannotAccessBucket"


def not_found(ref: ObjectRef, detail: str = "") -> NotFound:
    """There is no such object."""
    return NotFound(f"the key `{ref.key}` does not exist in bucket `{ref.bucket}`", detail=detail)


def no_access(ref: ObjectRef, detail: str = "") -> Forbidden:
    """The store refuses. Without `s3:ListBucket` it says so of a missing key as well."""
    return Forbidden(
        f"bucket `{ref.bucket}` does not let the key `{ref.key}` be read, or it does not exist",
        code=CANNOT_ACCESS,
        detail=f"grant s3:GetObject, and s3:ListBucket for a 404 instead of this where the key is missing; {detail}",
    )


def too_large(ref: ObjectRef, size: int, limit: int) -> PayloadTooLarge:
    """The object is above the limit of bytes; `size` is what came before it was given up."""
    return PayloadTooLarge(f"`{ref.key}` must have at most {limit} bytes, got {size}")


def failed(ref: ObjectRef, detail: str) -> UpstreamError:
    """The store answers, but not as it should."""
    return UpstreamError(f"bucket `{ref.bucket}` does not answer as it should", detail=detail)


def slow(ref: ObjectRef, detail: str) -> UpstreamError:
    """The store does not answer in time."""
    message = f"bucket `{ref.bucket}` does not answer in time"
    return UpstreamError(message, detail=detail, status=HTTPStatus.GATEWAY_TIMEOUT)


def busy(ref: ObjectRef, detail: str) -> UpstreamError:
    """The store says that it has too much to do."""
    message = f"bucket `{ref.bucket}` has too much to do"
    return UpstreamError(message, detail=detail, status=HTTPStatus.SERVICE_UNAVAILABLE)


def of_status(ref: ObjectRef, status: int, detail: str) -> HandlerError:
    """What an HTTP status of a store other than 2xx means for the one who asked."""
    kinds: dict[int, Callable[[ObjectRef, str], HandlerError]] = {
        401: no_access,
        403: no_access,
        429: busy,
        503: busy,
        504: slow,
    }
    if status in kinds:
        return kinds[status](ref, detail)
    # 400, 404, 410, 414 and the like: the store has nothing under such a key.
    return not_found(ref, detail) if 400 <= status < 500 else failed(ref, detail)
