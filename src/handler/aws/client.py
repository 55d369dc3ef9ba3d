"""Calls of AWS's services through the standard library: no SDK to import, no second try that nobody asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.parse import urlsplit

import msgspec

from handler.aws import AwsAccess, Call, signed_headers
from handler.aws.secrets import found_credentials
from handler.aws.tls import connection_to


class Reply(msgspec.Struct, frozen=True):
    """What a service answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


def answer_to(call: Call, aws: AwsAccess, timeout: float) -> Reply:
    """The service's answer to a signed call. TimeoutError or OSError if there is none within so many seconds."""
    headers = signed_headers(call, aws.credentials or found_credentials(), datetime.now(UTC))
    connection = connection_to(call.url, timeout)
    try:
        connection.request("POST", urlsplit(call.url).path or "/", call.body, headers)
        response = connection.getresponse()
        said = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, said, response.read())
    except HTTPException as error:
        raise OSError(f"no answer in HTTP: {error!r}") from error
    finally:
        connection.close()
