"""A gallery on the local server, and in a function with events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gallery.visiting import SECRET, Browser, over_http
from tests.local_server import SAMPLES, Server, running
from tests.stand_ins.moto import Moto, moto_server
from tests.stand_ins.postgres import Postgres, postgres_server
from tests.tools import require_tool


def gallery_settings(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a gallery in a folder."""
    (folder / "gallery").mkdir(exist_ok=True)
    secret = folder / "secret"
    if not secret.exists():
        secret.write_text(SECRET)
    return {
        "SOURCE_BUCKETS": f"samples={SAMPLES.as_uri()},gallery={(folder / 'gallery').as_uri()}",
        "GALLERY_SOURCE": "gallery",
        "RECORDS": f"sqlite:///{folder}/records.db",
        "SIGNATURE_SECRET_FILE": str(secret),
        **more,
    }


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with moto_server() as started:
        yield started


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as started:
        yield started


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gallery with the default settings."""
    program = require_tool("image-handler", "make setup")
    environment = gallery_settings(tmp_path_factory.mktemp("gallery"))
    with running(program, "serve", "--port", "0", environment=environment) as served:
        yield served


@pytest.fixture
def browser(server: Server) -> Browser:
    """A new visitor."""
    return Browser(over_http(server))
