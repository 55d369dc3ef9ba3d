"""HTTP requests through the standard library, without an SDK and without retries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec

from handler.aws import AwsAccess
from handler.aws.credentials import found_credentials
from handler.aws.signing import AwsRequest, signed_headers
from handler.aws.tls import connection_to


class Reply(msgspec.Struct, frozen=True):
    """An HTTP response, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class AnswerTooLarge(OSError):
    """The body of a response has more bytes than the request allows."""

    def __init__(self, status: int, headers: Mapping[str, str], max_bytes: int) -> None:
        super().__init__(f"the answer has more than {max_bytes} bytes")
        self.status = status
        self.headers = headers


class Connection:
    """A connection to the host of a URL, for one request after another; closed at the end of a `with` block."""

    def __init__(self, url: str, timeout: float) -> None:
        """`timeout`: seconds for connecting, and for each step of a request."""
        self._connection = connection_to(url, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def send(
        self,
        method: str,
        target: str,
        body: str | bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
        *,
        max_bytes: int | None = None,
    ) -> Reply:
        """Send a request for a path with its query, and read the response. A body in blocks needs a Content-Length.

        Raise AnswerTooLarge if the body has more than `max_bytes`, after which the connection is of no more use;
        TimeoutError or another OSError if there is no HTTP response.
        """
        try:
            self._connection.request(method, target, body, dict(headers))
            response = self._connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            content = response.read(None if max_bytes is None else max_bytes + 1)
            if max_bytes is not None and len(content) > max_bytes:
                raise AnswerTooLarge(response.status, fields, max_bytes)
            return Reply(response.status, fields, content)
        except HTTPException as error:
            raise OSError(f"no answer in HTTP: {error!r}") from error

    def call(self, request: AwsRequest, aws: AwsAccess) -> Reply:
        """Sign and send a request to AWS. Raise OSError as `send` does, or UpstreamError without credentials."""
        headers = signed_headers(request, aws.credentials or found_credentials(), datetime.now(UTC))
        if trace := aws.trace_header():
            headers["x-amzn-trace-id"] = trace  # unsigned, since proxies may change it
        return self.send("POST", urlsplit(request.url).path or "/", request.body, headers)


def send(
    method: str, url: str, body: str | bytes | Iterable[bytes] | None, headers: Mapping[str, str], timeout: float
) -> Reply:
    """Send one request, unsigned, over a connection of its own. Raise OSError as `Connection.send` does."""
    parts = urlsplit(url)
    with Connection(url, timeout) as connection:
        return connection.send(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)


def call(request: AwsRequest, aws: AwsAccess, timeout: float) -> Reply:
    """Call an AWS service over a connection of its own. Raise errors as `Connection.call` does."""
    with Connection(request.url, timeout) as connection:
        return connection.call(request, aws)
