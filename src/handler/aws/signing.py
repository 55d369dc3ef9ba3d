"""Signature Version 4, with which AWS's services authenticate a request."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from json import dumps
from urllib.parse import quote, urlsplit

import msgspec

from handler.aws import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"


class AwsRequest(msgspec.Struct, frozen=True):
    """A POST request without a query: every AWS service that is called here takes one."""

    service: str
    region: str
    url: str
    body: bytes
    headers: Mapping[str, str]


def signed_headers(request: AwsRequest, credentials: Credentials, now: datetime) -> dict[str, str]:
    """Return the request's headers and those of Signature Version 4 (AWS: "Signing AWS API requests")."""
    moment, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"host": urlsplit(request.url).netloc, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    # Escapes in the path are escaped once more, by every service but S3.
    path = quote(urlsplit(request.url).path or "/", safe="/~")
    canonical = f"POST\n{path}\n\n{lines}\n{signed}\n{hashlib.sha256(request.body).hexdigest()}"
    scope = f"{day}/{request.region}/{request.service}/aws4_request"
    signature = _sign(_to_sign(canonical, moment, scope), scope, credentials)
    authorization = f"Credential={credentials.access_key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
    return {**headers, "authorization": f"{_ALGORITHM} {authorization}"}


def presigned_s3_url(
    method: str,
    url: str,
    region: str,
    credentials: Credentials,
    now: datetime,
    *,
    seconds: int,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Return a URL of S3 with its signature in the query (AWS: "Authenticating requests: using query parameters").

    `url` has its path percent-encoded once and no query. The request must have exactly these `headers`, whose names
    are in lower case; its body is not signed. AWS accepts at most 604,800 `seconds`.
    """
    scope = f"{now:%Y%m%d}/{region}/s3/aws4_request"
    signed = {"host": urlsplit(url).netloc, **(headers or {})}
    params = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": ";".join(sorted(signed)),
        **(query or {}),
    }
    if credentials.session_token:
        params["X-Amz-Security-Token"] = credentials.session_token
    pairs = "&".join(sorted(f"{_encode(name)}={_encode(value)}" for name, value in params.items()))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    path = urlsplit(url).path or "/"
    canonical = f"{method}\n{path}\n{pairs}\n{lines}\n{params['X-Amz-SignedHeaders']}\nUNSIGNED-PAYLOAD"
    signature = _sign(_to_sign(canonical, params["X-Amz-Date"], scope), scope, credentials)
    return f"{url}?{pairs}&X-Amz-Signature={signature}"


def signed_post_fields(
    fields: Mapping[str, str],
    conditions: Sequence[object],
    region: str,
    credentials: Credentials,
    now: datetime,
    *,
    expires: datetime,
) -> dict[str, str]:
    """Return the fields of a form that posts one object to S3, with its policy and signature.

    Every one of `fields` becomes a condition of the policy, beside `conditions` (AWS: "Browser-based uploads using
    POST"). The bucket must be one of them.
    """
    scope = f"{now:%Y%m%d}/{region}/s3/aws4_request"
    signed = {
        **fields,
        "x-amz-algorithm": _ALGORITHM,
        "x-amz-credential": f"{credentials.access_key_id}/{scope}",
        "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}",
    }
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    rules = [*conditions, *({name: value} for name, value in signed.items())]
    policy = {"expiration": f"{expires:%Y-%m-%dT%H:%M:%S}.000Z", "conditions": rules}
    encoded = b64encode(dumps(policy).encode()).decode()
    return {**signed, "policy": encoded, "x-amz-signature": _sign(encoded, scope, credentials)}


def _encode(text: str) -> str:
    return quote(text, safe="~")


def _to_sign(canonical: str, moment: str, scope: str) -> str:
    return f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def _sign(text: str, scope: str, credentials: Credentials) -> str:
    """Return the signature of a text, in hex: the key is derived from the secret and each part of the scope."""
    key = b"AWS4" + credentials.secret_access_key.encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()
