"""Stand-ins; each process of the tests has its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.stand_ins.moto import Moto, moto_server
from tests.template.edge import IGNORED, Edge, Passed, Viewer, code, run


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with moto_server() as running:
        yield running


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    """The edge function of the template in njs, one process a call."""

    def passed(viewers: Sequence[Viewer], ignored: str = IGNORED) -> list[Passed]:
        return run(code(ignored), viewers, tmp_path)

    return passed
