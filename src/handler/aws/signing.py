"""Signature Version 4, with which AWS's services authenticate a request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
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
    to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + credentials.secret_access_key.encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    authorization = f"Credential={credentials.access_key_id}/{scope}, SignedHeaders={signed}, Signature={key.hex()}"
    return {**headers, "authorization": f"{_ALGORITHM} {authorization}"}
