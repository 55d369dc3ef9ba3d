"""Access to AWS and to services with the same API: region, endpoints and credentials.

Every connection to AWS is opened in this package: `client` sends one signed HTTPS request without an SDK, `sdk` makes
clients of boto3, and `secrets`, `lambda_invoke` and `cloudfront` call one service each. Object stores have clients of
their own (`handler.storage.sources`, `handler.storage.results`), which use the access that is defined here.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Credentials(msgspec.Struct, frozen=True):
    """The keys that sign requests."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        """Return a text without the secrets, which must not be logged."""
        return f"Credentials({self.access_key_id!r})"


class AwsAccess(msgspec.Struct, frozen=True):
    """Region, endpoints and credentials. An empty endpoint means AWS's own for the region."""

    region: str = ""
    endpoint_url: str = ""
    """The endpoint of all services (`AWS_ENDPOINT_URL`)."""
    endpoint_url_s3: str = ""
    """The endpoint of S3 (`AWS_ENDPOINT_URL_S3`); takes precedence over `endpoint_url`. Addressed path-style."""
    endpoint_url_secrets: str = ""
    """The endpoint of Secrets Manager (`AWS_ENDPOINT_URL_SECRETS_MANAGER`); takes precedence over `endpoint_url`."""
    endpoint_url_rekognition: str = ""
    """The endpoint of Rekognition (`AWS_ENDPOINT_URL_REKOGNITION`); takes precedence over `endpoint_url`."""
    endpoint_url_cloudfront: str = ""
    """The endpoint of CloudFront (`AWS_ENDPOINT_URL_CLOUDFRONT`); takes precedence over `endpoint_url`."""
    endpoint_url_lambda: str = ""
    """The endpoint of Lambda (`AWS_ENDPOINT_URL_LAMBDA`); takes precedence over `endpoint_url`."""
    endpoint_url_sns: str = ""
    """The endpoint of SNS (`AWS_ENDPOINT_URL_SNS`); takes precedence over `endpoint_url`."""
    endpoint_url_eventbridge: str = ""
    """The endpoint of EventBridge (`AWS_ENDPOINT_URL_EVENTBRIDGE`); takes precedence over `endpoint_url`."""
    endpoint_url_sqs: str = ""
    """The endpoint of SQS (`AWS_ENDPOINT_URL_SQS`); takes precedence over the host in a queue's URL."""
    endpoint_url_dynamodb: str = ""
    """The endpoint of DynamoDB (`AWS_ENDPOINT_URL_DYNAMODB`); takes precedence over `endpoint_url`."""
    endpoint_url_s3_control: str = ""
    """The endpoint of S3 Control (`AWS_ENDPOINT_URL_S3_CONTROL`); takes precedence over `endpoint_url`."""
    endpoint_url_key_value_store: str = ""
    """The endpoint of CloudFront's key value stores (`AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE`)."""
    credentials: Credentials | None = None
    """Those of Lambda's environment. If None, botocore's chain is used: profile, web identity, container, instance."""
    is_restored: bool = False
    """Whether the process starts from a snapshot. Lambda then has credentials at an address that obstore does not
    know, and only botocore's chain finds them."""

    trace_header: Callable[[], str] = str
    """Returns the tracing header of the current request, which signed calls pass on; empty where nothing traces."""

    @property
    def home(self) -> str:
        """The region; by default the one that AWS itself falls back to."""
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
    def dynamodb(self) -> str:
        """The configured endpoint of DynamoDB, empty for AWS's own."""
        return self.endpoint_url_dynamodb or self.endpoint_url

    @property
    def cloudfront(self) -> str:
        """The endpoint of CloudFront, which has no region."""
        own = "https://cloudfront.cn-northwest-1.amazonaws.com.cn" if self.home.startswith("cn-") else ""
        return self.endpoint_url_cloudfront or self.endpoint_url or own or "https://cloudfront.amazonaws.com"

    @property
    def functions(self) -> str:
        """The endpoint of Lambda in the region."""
        return self.endpoint_url_lambda or self.endpoint_url or endpoint_of("lambda", self.home)

    def endpoint(self, service: str, region: str) -> str:
        """Return the endpoint of SNS (`sns`) or EventBridge (`events`) in a region."""
        configured = {"sns": self.endpoint_url_sns, "events": self.endpoint_url_eventbridge}
        return configured[service] or self.endpoint_url or endpoint_of(service, region)


def endpoint_of(service: str, region: str) -> str:
    """Return AWS's own endpoint of a service: `https://s3.eu-west-1.amazonaws.com`."""
    return f"https://{service}.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
