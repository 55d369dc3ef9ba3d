"""boto3, for what this package's own client does not cover. The first client imports it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from handler.aws import AwsAccess

_lock = threading.Lock()


class SdkError(Exception):
    """A call through boto3 has failed; the subclasses name known causes."""


class SdkRefusal(SdkError):
    """The service has answered with an error."""

    def __init__(self, message: str, code: str, status: int, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        """AWS's error code, such as `NoSuchKey`."""
        self.status = status
        self.reasons = reasons
        """Why DynamoDB has cancelled a transaction: a code for each of its items, `None` for one without a fault."""


class SdkTimeout(SdkError):
    """The service has not answered in time."""


class SdkResponseError(SdkError):
    """The response is not the service's: it is not JSON or XML, or has another structure."""


class SdkCredentialsError(SdkError):
    """No credentials were found."""


def sdk_client(
    service: str,
    aws: AwsAccess,
    *,
    region: str,
    endpoint: str = "",
    connect_timeout: float,
    read_timeout: float,
    attempts: int,
    **config: Any,
) -> Any:
    """Return a client of boto3 with these credentials; an empty endpoint is AWS's own. Timeouts are in seconds."""
    from botocore.config import Config  # noqa: PLC0415 - see _open_session

    keys = aws.credentials
    bounds = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        **config,
    )
    if keys is None:
        # Credentials that boto3 finds by itself are cached with the session, and SnapStart's restore makes them stale.
        return _open_session().client(service, region_name=region, endpoint_url=endpoint or None, config=bounds)
    # A session is not safe for threads; the clients that it makes are.
    with _lock:
        return _shared_session().client(
            service,
            region_name=region,
            endpoint_url=endpoint or None,
            config=bounds,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token or None,
        )


def _open_session() -> Any:
    import boto3  # noqa: PLC0415 - 200 ms and 30 MB that other requests do not pay

    return boto3.Session()


@cache
def _shared_session() -> Any:
    """Return the session of this process. It keeps what it has read of AWS's services, which takes 50 ms and 7 MB."""
    return _open_session()


@contextmanager
def sdk_errors() -> Iterator[None]:
    """Raise botocore's errors as SdkError, with their text.

    botocore's parsers do not validate a response. If it is not JSON or has another structure, they raise arbitrary
    exceptions.
    """
    from botocore.exceptions import (  # noqa: PLC0415 - see sdk_client
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        NoCredentialsError,
        ReadTimeoutError,
    )
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - see sdk_client

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        reasons = tuple(str(reason.get("Code")) for reason in error.response.get("CancellationReasons", ()))
        raise SdkRefusal(str(error), code, status, reasons) from error
    except NoCredentialsError as error:
        raise SdkCredentialsError(str(error)) from error
    except (ConnectTimeoutError, ReadTimeoutError) as error:
        raise SdkTimeout(str(error)) from error
    except BotoCoreError as error:
        raise SdkError(str(error)) from error
    except (ResponseParserError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise SdkResponseError(f"the response cannot be read: {error!r:.500}") from error
