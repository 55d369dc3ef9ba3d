"""Stand-ins that several tests share; each process of the tests has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.stand_ins.moto import Moto, moto_server
from tests.stand_ins.postgres import Postgres, postgres_server


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with moto_server() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as running:
        yield running
