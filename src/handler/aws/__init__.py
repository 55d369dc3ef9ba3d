"""How AWS, or a store that speaks like it, is reached: region, endpoints, credentials; and its request signature."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

import msgspec

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(msgspec.Struct, frozen=True):
    """What requests are signed with."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        """Without the secrets, which must not get into a log."""
        return f"Credentials({self.access_key_id!r})"


class AwsAccess(msgspec.Struct, frozen=True):
    """Region and endpoints; an empty endpoint is AWS's own for the region."""

    region: str = ""
    endpoint_url: str = ""
    """Of all services (`AWS_ENDPOINT_URL`)."""
    endpoint_url_s3: str = ""
    """Of S3 alone (`AWS_ENDPOINT_URL_S3`); wins over `endpoint_url`. Addressed path-style."""
    endpoint_url_secrets: str = ""
    """Of Secrets Manager alone (`AWS_ENDPOINT_URL_SECRETS_MANAGER`); wins over `endpoint_url`."""
    endpoint_url_rekognition: str = ""
    """Of Rekognition alone (`AWS_ENDPOINT_URL_REKOGNITION`); wins over `endpoint_url`."""
    endpoint_url_cloudfront: str = ""
    """Of CloudFront alone (`AWS_ENDPOINT_URL_CLOUDFRONT`); wins over `endpoint_url`."""
    endpoint_url_lambda: str = ""
    """Of Lambda alone (`AWS_ENDPOINT_URL_LAMBDA`); wins over `endpoint_url`."""
    credentials: Credentials | None = None
    """As Lambda hands them over; without them the usual chain is asked (profile, web identity, container, instance)."""

    @property
    def home(self) -> str:
        """The region, where none is set the one that AWS itself falls back to."""
        return self.region or "us-east-1"

    @property
    def s3(self) -> str:
        """The configured endpoint of S3, empty for AWS's own."""
        return self.endpoint_url_s3 or self.endpoint_url

    @property
    def secrets(self) -> str:
        """The configured endpoint of Secrets Manager, empty for AWS's own."""
        return self.endpoint_url_secrets or self.endpoint_url

    @property
    def rekognition(self) -> str:
        """The configured endpoint of Rekognition, empty for AWS's own."""
        return self.endpoint_url_rekognition or self.endpoint_url

    @property
    def cloudfront(self) -> str:
        """The endpoint of CloudFront, which has no region."""
        own = "https://cloudfront.cn-northwest-1.amazonaws.com.cn" if self.home.startswith("cn-") else ""
        return self.endpoint_url_cloudfront or self.endpoint_url or own or "https://cloudfront.amazonaws.com"

    @property
    def functions(self) -> str:
        """The endpoint of Lambda in the region."""
        return self.endpoint_url_lambda or self.endpoint_url or endpoint_of("lambda", self.home)


def endpoint_of(service: str, region: str) -> str:
    """AWS's own endpoint of a service: `https://s3.eu-west-1.amazonaws.com`."""
    return f"https://{service}.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


class Call(msgspec.Struct, frozen=True):
    """A POST without a query, which is how AWS's services are called here."""

    service: str
    region: str
    url: str
    body: bytes
    headers: Mapping[str, str]


def signed_headers(call: Call, credentials: Credentials, now: datetime) -> dict[str, str]:
    """The call's headers with Signature Version 4 among them, as AWS's "Signing AWS API requests" describes it."""
    moment, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    headers = {name.lower(): value for name, value in call.headers.items()}
    headers |= {"host": urlsplit(call.url).netloc, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    # Escapes in the path are escaped once more, by every service but S3.
    path = quote(urlsplit(call.url).path or "/", safe="/~")
    canonical = f"POST\n{path}\n\n{lines}\n{signed}\n{hashlib.sha256(call.body).hexdigest()}"
    scope = f"{day}/{call.region}/{call.service}/aws4_request"
    to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + credentials.secret_access_key.encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    authorization = f"Credential={credentials.access_key_id}/{scope}, SignedHeaders={signed}, Signature={key.hex()}"
    return {**headers, "authorization": f"{_ALGORITHM} {authorization}"}
