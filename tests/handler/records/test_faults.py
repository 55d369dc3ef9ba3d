"""Databases that fail: what a caller is told, and that the next call works again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.handler.records.samples import record
from tests.stand_ins.postgres import Postgres

from handler.aws import AwsAccess
from handler.core.errors import UpstreamError
from handler.records import open_records


def test_postgresql_is_reached_again_after_it_was_killed(postgres: Postgres) -> None:
    records = open_records(postgres.create_database(), AwsAccess())
    assert records.write(record(), replaces=None)
    postgres.restart()
    assert records.write(record(at=1), replaces=1)
    assert records.write(record(at=2), replaces=2)
    records.close()


def test_a_database_that_does_not_answer_is_an_upstream_error_without_the_password(tmp_path: Path) -> None:
    records = open_records(f"postgresql+psycopg://user:hunter2@/records?host={tmp_path}", AwsAccess())
    for _ in range(2):
        with pytest.raises(UpstreamError, match="the database of records does not answer") as raised:
            records.write(record(), replaces=None)
        assert raised.value.status == 503
        assert "No such file" in raised.value.detail
        cause: BaseException | None = raised.value
        while cause:
            assert "hunter2" not in repr(cause) + str(cause)
            cause = cause.__cause__ or cause.__context__


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "records.db",
            "sqlite://",
            "sqlite:///:memory:",
            "sqlite:///file.db?mode=ro",
            "mysql://user:hunter2@host/db",
        ),
        *("postgresql://user:hunter2@host/db", "postgresql+psycopg://user:hunter2@host:port/db"),
    ],
)
def test_another_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ValueError, match="must") as raised:
        open_records(address, AwsAccess())
    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_database_is_an_upstream_error(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"no database" * 1000)
    records = open_records(f"sqlite:///{tmp_path}/records.db", AwsAccess())
    with pytest.raises(UpstreamError, match="does not answer"):
        records.get("0" * 32)
    (tmp_path / "records.db").unlink()
    assert records.get("0" * 32) is None
    records.close()


def test_only_this_user_can_read_the_files(tmp_path: Path) -> None:
    records = open_records(f"sqlite:///{tmp_path}/new/folder/records.db", AwsAccess())
    assert records.write(record(), replaces=None)
    files = sorted((tmp_path / "new" / "folder").iterdir())
    assert {path.name for path in files} >= {"records.db", "records.db-wal"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    records.close()
