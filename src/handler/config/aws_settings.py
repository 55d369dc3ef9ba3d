"""The group of settings that say how AWS is reached. They are declared like those of `groups`."""

# There is no `from __future__ import annotations` here, for the reason that `groups` states.

from typing import Annotated

import msgspec

from handler.config.env_types import Env


class AwsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Region, endpoints and credentials of AWS, and the AWS resources that requests use."""

    region: Annotated[str, Env("AWS_REGION", "AWS region of the function and of its resources")] = ""
    endpoint_url: Annotated[
        str, Env("AWS_ENDPOINT_URL", "Endpoint of all AWS services, for replacements of AWS in tests")
    ] = ""
    endpoint_url_s3: Annotated[str, Env("AWS_ENDPOINT_URL_S3", "Endpoint of S3 or of a compatible store")] = ""
    endpoint_url_secrets: Annotated[str, Env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "Endpoint of Secrets Manager")] = ""
    endpoint_url_rekognition: Annotated[str, Env("AWS_ENDPOINT_URL_REKOGNITION", "Endpoint of Rekognition")] = ""
    endpoint_url_cloudfront: Annotated[str, Env("AWS_ENDPOINT_URL_CLOUDFRONT", "Endpoint of CloudFront")] = ""
    endpoint_url_lambda: Annotated[str, Env("AWS_ENDPOINT_URL_LAMBDA", "Endpoint of Lambda")] = ""
    endpoint_url_sns: Annotated[str, Env("AWS_ENDPOINT_URL_SNS", "Endpoint of SNS")] = ""
    endpoint_url_eventbridge: Annotated[str, Env("AWS_ENDPOINT_URL_EVENTBRIDGE", "Endpoint of EventBridge")] = ""
    endpoint_url_sqs: Annotated[str, Env("AWS_ENDPOINT_URL_SQS", "Endpoint of SQS or of a compatible queue")] = ""
    endpoint_url_dynamodb: Annotated[str, Env("AWS_ENDPOINT_URL_DYNAMODB", "Endpoint of DynamoDB")] = ""
    endpoint_url_s3_control: Annotated[str, Env("AWS_ENDPOINT_URL_S3_CONTROL", "Endpoint of S3 Control")] = ""
    access_key_id: Annotated[
        str, Env("AWS_ACCESS_KEY_ID", "Credential, set by Lambda; elsewhere AWS's default credential chain is used")
    ] = ""
    secret_access_key: Annotated[str, Env("AWS_SECRET_ACCESS_KEY", "Credential, set by Lambda")] = ""
    session_token: Annotated[str, Env("AWS_SESSION_TOKEN", "Credential, set by Lambda")] = ""
    distribution_id: Annotated[
        str, Env("DISTRIBUTION_ID", "ID of the CloudFront distribution in which /_api/purge invalidates images")
    ] = ""
    heavy_function: Annotated[
        str, Env("HEAVY_FUNCTION", "Model function, which runs the features with a model. Default: this function")
    ] = ""
