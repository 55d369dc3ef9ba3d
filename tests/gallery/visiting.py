"""A browser of the gallery: it keeps its cookie, and sends requests by HTTP or in events of API Gateway."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.client import Client, answered
from tests.forms import BOUNDARY
from tests.local_server import Server

API = "/_api/gallery"
SECRET = "a secret of forty characters, as it should be"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json()["code"])


Send = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Sends method, address, headers and body."""


def over_http(server: Server) -> Send:
    def send(method: str, address: str, headers: Mapping[str, str], body: bytes) -> Reply:
        answer = server.ask(address, method, body or None, **headers)
        return Reply(answer.status, answer.headers, answer.body)

    return send


Shape = Callable[[str, str, dict[str, str], bytes], dict[str, Any]]
"""Makes an event of method, address, headers and body."""


def http_api_event(method: str, address: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Return the event of an HTTP API, payload 2.0: the cookies are not among the headers."""
    path, _, query = address.partition("?")
    cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": headers,
        "requestContext": {
            "domainName": "a1b2c3.execute-api.eu-west-1.amazonaws.com",
            "stage": "$default",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7"},
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def rest_api_event(method: str, address: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Return the event of a REST API, payload 1.0."""
    path, _, query = address.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in pairs} or None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "stage": "image",
            "domainName": "a1b2c3.execute-api.eu-west-1.amazonaws.com",
            "identity": {"sourceIp": "198.51.100.7"},
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def over_events(client: Client, shape: Shape = http_api_event, host: str = "gallery.example.com") -> Send:
    """Send requests in events of API Gateway."""

    def send(method: str, address: str, headers: Mapping[str, str], body: bytes) -> Reply:
        named = {"host": host, **{name.lower(): value for name, value in headers.items()}}
        answer = answered(client.invoke(shape(method, address, named, body)))
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)

    return send


@dataclass
class Browser:
    """A visitor."""

    send: Send
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"X-Gallery": "1"})

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """Send a request of the gallery's API, and keep the cookie of the answer."""
        named = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self.send(method, API + path, named | ({"Cookie": self.cookie} if self.cookie else {}), body)
        if "set-cookie" in reply.headers:
            self.cookie = reply.headers["set-cookie"].partition(";")[0]
        return reply

    def post(self, path: str, method: str = "POST", **fields: object) -> Reply:
        return self.ask(method, path, json.dumps(fields).encode(), Content_Type="application/json")

    def upload(self, image: bytes, name: str = "Cat.png", **fields: str) -> Reply:
        """Upload a picture by a form, as a page does."""
        body = encode_picture({"name": name, **fields}, image)
        return self.ask("POST", "/pictures", body, Content_Type=f"multipart/form-data; boundary={BOUNDARY}")

    def pictures(self) -> list[dict[str, Any]]:
        listed = self.ask("GET", "/pictures")
        assert listed.status == 200, listed.body
        found: list[dict[str, Any]] = listed.json()["pictures"]
        return found

    def wait(self, identifier: str) -> dict[str, Any]:
        """Return a picture when it is processed."""
        picture: dict[str, Any] = {}
        for _ in range(600):
            picture = self.ask("GET", f"/pictures/{identifier}").json()
            if picture["status"] not in ("uploading", "processing"):
                return picture
            time.sleep(0.1)
        raise AssertionError(picture)

    def keep(self, image: bytes, name: str = "Cat.png") -> dict[str, Any]:
        """Upload a picture, and return it when it is ready."""
        stored = self.upload(image, name)
        assert stored.status == 201, stored.body
        picture = self.wait(stored.json()["id"])
        assert picture["status"] == "ready", picture
        return picture

    def fetch(self, url: str) -> Reply:
        """Fetch an image, without a cookie."""
        return self.send("GET", url, {}, b"")


def encode_picture(fields: Mapping[str, str], image: bytes) -> bytes:
    """Return the body of a form with a picture as its last field."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="cat.png"\r\n\r\n'
    return "".join((*parts, file)).encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
