"""The databases of records: SQLite in a file and a running PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.stand_ins.moto import Moto
from tests.stand_ins.postgres import Postgres

from handler.aws import AwsAccess
from handler.records import open_records
from handler.records.store import Records

DATABASES = ("sqlite", "postgresql", "dynamodb")


@pytest.fixture(params=DATABASES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.db"
    if request.param == "dynamodb":
        moto: Moto = request.getfixturevalue("moto")
        return f"dynamodb://{moto.table()}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.create_database()


@pytest.fixture
def access(request: pytest.FixtureRequest, address: str) -> AwsAccess:
    """The access to the AWS in which the address is."""
    if not address.startswith("dynamodb"):
        return AwsAccess()
    moto: Moto = request.getfixturevalue("moto")
    return moto.access


@pytest.fixture
def reopen(address: str, access: AwsAccess) -> Iterator[Callable[[], Records]]:
    """Opens the same database again, as another process would."""
    with ExitStack() as opened:

        def open_again() -> Records:
            records = open_records(address, access)
            opened.callback(records.close)
            return records

        yield open_again


@pytest.fixture
def records(reopen: Callable[[], Records]) -> Records:
    return reopen()
