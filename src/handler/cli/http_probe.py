"""Sends requests to a deployed service, with every URL exactly as it is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import click

from handler.aws.client import Connection

_TIMEOUT_SECONDS = 35
"""Longer than the 30 seconds of API Gateway."""


class Response(NamedTuple):
    """A response, with header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error that the handler has written; empty if the response comes from the CDN or a gateway."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) and "code" in content else {}

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    def describe(self) -> str:
        """Return status and error, or status, type and size, for a message."""
        if self.error:
            return f"{self.status} {self.error['code']}: {str(self.error.get('message', ''))[:200]}"
        return f"{self.status} {self.media_type or 'without a Content-Type'}, {len(self.body)} bytes"


class Service:
    """A deployed service: one host, without following redirects or normalising paths."""

    def __init__(self, url: str, token: str = "") -> None:
        """`url` is scheme and host. Raise UsageError for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise click.UsageError(f"--url must be https:// and a host, got {url!r}")
        self.scheme, self.host = parts.scheme, parts.netloc
        self.token = token
        self.needs_signatures = False
        """Whether URLs have to be signed."""

    def get(self, url: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> Response:
        """Send a request for a path and query; header names are written with underscores.

        Raise ClickException if there is no response.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        origin = f"{self.scheme}://{self.host}"
        try:
            with Connection(origin, _TIMEOUT_SECONDS) as connection:
                reply = connection.send(method, url, body or None, {"Accept": "*/*", **named})
        except OSError as error:
            raise click.ClickException(f"{origin} does not answer: {error!r}") from error
        return Response(reply.status, dict(reply.headers), reply.body)

    def get_image(self, key: str, query: str = "", **options: Any) -> Response:
        """Request a key, with a signature if the service needs one."""
        path = "/" + quote(key)
        return self.get(self.sign(path + (f"?{query}" if query else "")), **options)

    def call_api(self, page: str, body: Mapping[str, Any] | None = None) -> Response:
        """Call a page of the operator API with the operator's token."""
        token = f"Bearer {self.token}"
        if body is None:
            return self.get(f"/_api/{page}", authorization=token)
        content = json.dumps(body).encode()
        return self.get(
            f"/_api/{page}", method="POST", body=content, authorization=token, content_type="application/json"
        )

    def sign(self, url: str, expires: str = "") -> str:
        """Return a URL signed by the operator API if the service needs signatures; `expires` is its time to live.

        Raise ClickException.
        """
        if not self.needs_signatures:
            return url
        response = self.call_api("sign", {"url": url} | ({"expires": expires} if expires else {}))
        if response.status != 200:
            raise click.ClickException(f"/_api/sign must sign {url[:80]!r}, got {response.describe()}")
        return str(json.loads(response.body)["url"])


class Skipped(Exception):
    """A check does not apply to this service; the message says why."""


class Target(NamedTuple):
    """A service, and an image that is stored in one of its sources."""

    service: Service
    key: str
    query: str = ""
    """Names the image's bucket if it is not the default one."""
    api: str = ""
    """URL of the API behind the CDN."""
    has_cdn: bool = True
    """Whether CloudFront is in front of the service."""

    @property
    def is_local_server(self) -> bool:
        """Whether it is a server of this machine, whose operator API may be open to this machine without a token."""
        host = urlsplit(f"//{self.service.host}").hostname or ""
        return not self.has_cdn and (host in ("localhost", "::1") or host.startswith("127."))

    def get_image(self, query: str = "", **options: str) -> Response:
        """Request the image with this query."""
        return self.service.get_image(self.key, "&".join(filter(None, (self.query, query))), **options)


Failures = Iterator[str]
"""Messages of a check, one for each failure."""
