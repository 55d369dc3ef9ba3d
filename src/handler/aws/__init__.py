"""How AWS, or a service with its interface, is reached: region, endpoints and credentials.

Every connection to AWS is opened in this package: `client` sends one signed HTTPS request without an SDK, `sdk` makes
clients of boto3, and `secrets`, `lambda_invoke` and `cloudfront` call one service each. Object stores have clients of
their own (`handler.storage.sources`, `handler.storage.results`), with the access that is described here.
"""

from __future__ import annotations

import msgspec


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
