"""Stand-ins; each process of the tests has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.stand_ins.moto import Moto, moto_server


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with moto_server() as running:
        yield running
