"""A client that sends events to the real entry point, with settings of its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyvips

from handler import app
from handler.composition import wiring
from handler.config import Settings


@dataclass(frozen=True)
class Answered:
    """An answer, decoded."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class FakeLambdaContext:
    """The part of Lambda's context that the entry point reads."""

    def __init__(self, seconds: float = 29) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


def function_url_event(
    address: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> dict[str, Any]:
    """Return a function URL's event: payload 2.0 with the path still encoded."""
    path, _, query = address.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(headers or {}),
        "requestContext": {
            "domainName": "abc.lambda-url.eu-central-1.on.aws",
            "stage": "$default",
            "http": {"method": method, "path": path, "sourceIp": "198.51.100.7"},
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def answered(raw: Mapping[str, Any]) -> Answered:
    """Decode the answer that the entry point returned."""
    body = raw["body"]
    plain = base64.b64decode(body, validate=True) if raw["isBase64Encoded"] else body.encode()
    return Answered(raw["statusCode"], dict(raw["headers"]), plain)


class Client:
    """Build an application with an environment of its own."""

    def __init__(self, environment: Mapping[str, str], **more: Any) -> None:
        settings = Settings.from_environment(environment).replace(**more)
        self.application = wiring.build(settings)

    def invoke(self, event: Mapping[str, Any], *, seconds: float = 29) -> Any:
        wiring.use(self.application)
        return app.lambda_handler(event, FakeLambdaContext(seconds))

    def get(self, address: str, *, method: str = "GET", seconds: float = 29, **headers: str) -> Answered:
        """GET a URL; header names are written with underscores."""
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        return answered(self.invoke(function_url_event(address, method=method, headers=wanted), seconds=seconds))

    def post(self, address: str, body: bytes, **headers: str) -> Answered:
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        return answered(self.invoke(function_url_event(address, method="POST", headers=wanted, body=body)))


def size(body: bytes) -> tuple[int, int]:
    """Return width and height of the first frame of an image."""
    image = pyvips.Image.new_from_buffer(body, "")
    return image.width, image.height
