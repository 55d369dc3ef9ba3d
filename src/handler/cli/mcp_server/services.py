"""Where the tools send their requests: to a deployed service, or to this process, which reads a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from handler.app import answer_call
from handler.aws.client import AnswerTooLarge, Connection
from handler.core.errors import HandlerError, UpstreamError
from handler.entrypoints.http_call import HttpRequest

ACCEPT = "image/webp,image/png,image/jpeg,application/json;q=0.9,*/*;q=0.5"
"""What assistants can look at, so that `format=auto` chooses among it."""
_JSON_BYTES = 1_000_000
_SECONDS = 35.0
"""Longer than the 30 seconds of API Gateway."""


class Response(msgspec.Struct, frozen=True):
    """A response, with header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    is_cut: bool = False
    """Whether the body was left out because it has more bytes than the request allows."""

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def error(self) -> dict[str, Any]:
        """The status, code and message of an error; the code is empty if it comes from a CDN or a gateway."""
        content = self.content
        message = content.get("message") or f"the answer has the status {self.status} and no message"
        return {"status": self.status, "code": content.get("code", ""), "message": str(message)[:2000]}

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object of the body; empty if the body is anything else."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


class Service(Protocol):
    """Answers requests for a path with its query."""

    @property
    def base(self) -> str:
        """What stands before a path in the URLs of this service; empty if nothing serves them."""

    def get(self, target: str, max_bytes: int = _JSON_BYTES) -> Response:
        """Return the answer, without its body if that has more than `max_bytes`. Raise HandlerError without one."""

    def owns(self, url: str) -> bool:
        """Return whether a URL, or a path, is one of this service."""


class RemoteService(msgspec.Struct, frozen=True):
    """A deployed service; redirects are not followed."""

    base: str
    token: str = ""
    """The operator's token, which only requests to `/_api/` carry."""

    def get(self, target: str, max_bytes: int = _JSON_BYTES) -> Response:
        """Request a path with its query."""
        headers = {"Accept": ACCEPT}
        if self.token and target.startswith("/_api/"):
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            with Connection(self.base, _SECONDS) as connection:
                reply = connection.send("GET", target, None, headers, max_bytes=max_bytes)
        except AnswerTooLarge as error:
            return Response(error.status, error.headers, is_cut=True)
        except (OSError, ValueError) as error:
            raise UpstreamError(f"{self.base} does not answer: {error}", code="Unreachable") from error
        return Response(reply.status, reply.headers, reply.body)

    def owns(self, url: str) -> bool:
        """Return whether a URL has the scheme and the host of this service, or is a path."""
        if url.startswith("/") and not url.startswith("//"):
            return True
        parts, own = urlsplit(url), urlsplit(self.base)
        return (parts.scheme, parts.netloc.lower()) == (own.scheme, own.netloc.lower())


class LocalService(msgspec.Struct, frozen=True):
    """The application of this process."""

    base: str = ""

    def get(self, target: str, max_bytes: int = _JSON_BYTES) -> Response:
        """Answer a request for a path with its query here, as the entrypoint of HTTP requests does."""
        path, _, query = target.partition("?")
        answer = answer_call(HttpRequest("GET", path, True, query, {"accept": ACCEPT}), None)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if answer.size > max_bytes:
            return Response(answer.status, headers, is_cut=True)
        try:
            body = answer.body if answer.stored is None else answer.stored.read()
        except HandlerError as error:
            return Response(int(error.status), {}, json.dumps({"code": error.code, "message": error.message}).encode())
        return Response(int(answer.status), headers, body)

    def owns(self, url: str) -> bool:
        """Return whether it is a path: nothing serves this application under a host."""
        return url.startswith("/") and not url.startswith("//")
