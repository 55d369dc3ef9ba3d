"""A service that is asked over the network, with its addresses sent as they are written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import click

from handler.aws.client import Connection

_SECONDS = 35
"""A gateway waits for 30."""


class Got(NamedTuple):
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def refusal(self) -> dict[str, Any]:
        """The error that the handler wrote, empty where the answer is somebody else's."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) and "code" in said else {}

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    def told(self) -> str:
        """In words what came: for whoever has to mend it."""
        if self.refusal:
            return f"{self.status} {self.refusal['code']}: {str(self.refusal.get('message', ''))[:200]}"
        return f"{self.status} {self.media_type or 'without a type'}, {len(self.body)} bytes"


class Site:
    """One host; no redirect is followed, no path made smooth."""

    def __init__(self, url: str, token: str = "") -> None:
        """`url`: scheme and host. ClickException for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise click.ClickException(f"--url must be https:// and a host, got {url!r}")
        self.scheme, self.host = parts.scheme, parts.netloc
        self.token = token
        self.signs = False
        """Whether addresses have to be signed."""

    def get(self, address: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> Got:
        """Ask for a path and query; names of headers with underscores. ClickException where nobody answers."""
        requested = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._asked(method, address, body, {"Accept": "*/*", **requested})

    def picture(self, key: str, query: str = "", **more: Any) -> Got:
        """Ask for a key, signed where that is needed."""
        path = "/" + quote(key)
        return self.get(self.signed(path + (f"?{query}" if query else "")), **more)

    def api(self, page: str, body: Mapping[str, Any] | None = None) -> Got:
        """Ask an operator's page, as who has the token."""
        token = f"Bearer {self.token}"
        if body is None:
            return self.get(f"/_api/{page}", authorization=token)
        said = json.dumps(body).encode()
        return self.get(f"/_api/{page}", method="POST", body=said, authorization=token, content_type="application/json")

    def signed(self, address: str) -> str:
        """The address as a page of the site would have it. ClickException where it cannot be signed."""
        if not self.signs:
            return address
        got = self.api("sign", {"url": address})
        if got.status != 200:
            raise click.ClickException(f"/_api/sign must sign {address[:80]!r}, got {got.told()}")
        return str(json.loads(got.body)["url"])

    def insecure(self, address: str) -> Got:
        """The same without TLS."""
        return Site(f"http://{self.host}").get(address)

    def _asked(self, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> Got:
        origin = f"{self.scheme}://{self.host}"
        try:
            with Connection(origin, _SECONDS) as connection:
                reply = connection.send(method, address, body or None, headers)
        except OSError as error:
            raise click.ClickException(f"{origin} does not answer: {error!r}") from error
        return Got(reply.status, dict(reply.headers), reply.body)


Faults = Iterator[str]
"""What is wrong, in words."""


class NotAsked(Exception):
    """Why a question does not apply here."""


class Subject(NamedTuple):
    """What is examined: the service, and a picture that it has."""

    site: Site
    key: str
    query: str = ""
    """Names the picture's bucket, where it is not the default one."""
    api: str = ""
    """Address of the API behind the CDN."""

    def picture(self, query: str = "", **headers: str) -> Got:
        """That picture, with this query."""
        return self.site.picture(self.key, "&".join(filter(None, (self.query, query))), **headers)
