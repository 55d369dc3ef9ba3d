"""Rekognition's stand-in, and an application that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.client import Client
from tests.stand_ins.rekognition import Rekognition, rekognition_server

Serve = Callable[..., Client]


@pytest.fixture
def rekognition() -> Iterator[Rekognition]:
    with rekognition_server() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The source of pictures."""
    sources = tmp_path / "sources"
    sources.mkdir()
    return sources


@pytest.fixture
def serve(folder: Path, rekognition: Rekognition) -> Serve:
    """Makes an application over the folder; settings by name."""

    def made(**settings: Any) -> Client:
        environment = {
            "SOURCE_BUCKETS": f"pictures=file://{folder}",
            **rekognition.environment,
            "PUBLIC_FEATURES": "*",
            # Without U²-Net, unless a test wants it.
            "WEIGHTS": str(folder.parent / "none"),
        }
        return Client({**environment, **settings})

    return made
