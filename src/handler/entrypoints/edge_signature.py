"""Requests whose signature the CDN's edge function has verified and moved from the query into headers.

So all signed URLs of one image share a cache key. The signature is verified again here, like any other.
"""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from handler.auth import canonical
from handler.core.errors import HandlerError
from handler.entrypoints.http_call import HttpRequest

SIGNATURE_HEADER = "x-signature"
EXPIRES_HEADER = "x-expires"


def with_moved_signature(call: HttpRequest) -> HttpRequest:
    """Return the request with the signature and the expiry that the CDN has moved from the query into headers.

    Only for requests that have the CDN's secret, and whose path has one of the two prefixes. Raise HandlerError if the
    CDN does not send the headers.
    """
    prefix = canonical.EXPIRING if call.path.startswith(canonical.EXPIRING) else canonical.SIGNED
    moved = {canonical.SIGNATURE: call.headers.get(SIGNATURE_HEADER, "")}
    if prefix == canonical.EXPIRING:
        moved[canonical.EXPIRES] = call.headers.get(EXPIRES_HEADER, "")
    if not all(moved.values()):
        raise HandlerError(
            "the CDN does not send the signature that it has verified",
            code="Configuration",
            detail="the CDN's behaviour lacks the stack's origin request policy (output OriginRequestPolicyId)",
        )
    # The edge function has encoded both values as in the query.
    if isinstance(call.query, str):
        pairs = [f"{name}={value}" for name, value in moved.items()]
        query: str | canonical.Pairs = "&".join(filter(None, (call.query, *pairs)))
    else:
        query = (*call.query, *((name, unquote(value)) for name, value in moved.items()))
    path = canonical.WRAPPED + call.path.removeprefix(prefix)
    return msgspec.structs.replace(call, path=path, query=query, verified_prefix=prefix)
