"""What an address means to a service in which every address has to be signed."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.client import Client, answered
from tests.mutants import ORIGIN, SECRET, Event

from handler.core.errors import NotFound
from handler.entrypoints import http
from handler.observability import logs
from handler.requests.image_request import ImageRequest
from imaging import describe, describe_steps


class Meanings:
    """Takes events and tells what the accepted ones ask for; nothing is fetched or drawn."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, text in (("signature", SECRET), ("origin", ORIGIN)):
            (folder / name).write_text(text)
        settings = {
            "SOURCE_BUCKETS": ",".join(f"{name}=file://{folder}" for name in ("first", "second", "private")),
            "SOURCE_PATHS": "private/=private",
            "ENABLE_SIGNATURE": "Yes",
            "SIGNATURE_SECRET_FILE": str(folder / "signature"),
            "PRESETS": '{"p": "width=5", "q": "width=6"}',
        }
        self._direct = Client(settings)
        self._behind_the_cdn = Client({**settings, "ORIGIN_SECRET_FILE": str(folder / "origin")})
        self._requests: list[ImageRequest] = []
        self._known: dict[str, Any] = {}
        monkeypatch.setattr(http, "render", self._render)
        monkeypatch.setattr(logs, "_out", logging.NullHandler())

    def of(self, event: Event | None) -> Any:
        """What the accepted request asks for; None for a refused one, and where there is none. Equal events once."""
        if event is None:
            return None
        name = json.dumps(event, sort_keys=True)
        if name not in self._known:
            self._known[name] = self._ask(event)
        return self._known[name]

    def _ask(self, event: Event) -> Any:
        self._requests.clear()
        client = self._behind_the_cdn if "x-origin-secret" in event.get("headers", {}) else self._direct
        answer = answered(client.invoke(event))
        if answer.status == 302 and not self._requests:
            return None  # the address of a page, which leads to another one
        assert 400 <= answer.status < 500, answer.body
        if not self._requests:
            return None
        (request,) = self._requests
        assert request.signed
        steps, output = json.dumps(describe_steps(request.steps)), json.dumps(describe(request.output))
        return request.source, steps, output, dict(request.headers), request.expires

    def _render(self, request: ImageRequest, *_: object, **__: object) -> NoReturn:
        self._requests.append(request)
        raise NotFound("the test has no pictures")
