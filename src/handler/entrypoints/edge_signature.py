"""Requests whose signature the CDN's edge function has verified and moved from the query into headers.

So all signed URLs of one image share a cache key. The signature is verified again here, like any other.
"""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from handler.auth import canonical
from handler.entrypoints.http_call import HttpRequest
from handler.errors import HandlerError
from handler.response import Caching

SIGNATURE_HEADER = "x-signature"
EXPIRES_HEADER = "x-expires"


def with_moved_signature(call: HttpRequest) -> HttpRequest:
    """Return the request with the signature and the expiry that the CDN has moved from the query into headers.

    Only for requests that have the CDN's secret. Raise HandlerError if the CDN does not send the headers.
    """
    prefix = next((each for each in (canonical.SIGNED, canonical.EXPIRING) if call.path.startswith(each)), "")
    if not prefix:
        return call
    moved = ((SIGNATURE_HEADER, canonical.SIGNATURE), (EXPIRES_HEADER, canonical.EXPIRES))
    pairs = tuple(
        (name, call.headers.get(header, "")) for header, name in moved[: 2 if prefix == canonical.EXPIRING else 1]
    )
    if not all(value for _, value in pairs):
        detail = "the CDN's behaviour lacks the stack's origin request policy (output OriginRequestPolicyId)"
        raise HandlerError(
            "the CDN does not send the signature that it has verified", code="Configuration", detail=detail
        )
    if isinstance(call.query, str):
        query: str | canonical.Pairs = "&".join(
            filter(None, (call.query, *(f"{name}={value}" for name, value in pairs)))
        )
    else:
        query = (*call.query, *((name, unquote(value)) for name, value in pairs))
    path = canonical.WRAPPED + call.path.removeprefix(prefix)
    return msgspec.structs.replace(call, path=path, query=query, verified_prefix=prefix)


def caching_of(call: HttpRequest, caching: Caching) -> Caching:
    """Return how long the answer may be cached.

    Neither the end of one URL nor an error that its signature causes may become the answer for the others.
    """
    if not call.verified_prefix:
        return caching
    return msgspec.structs.replace(caching, error=0, ends_at_edge=call.verified_prefix == canonical.EXPIRING)
