"""Writes whose answer, or whose request, is lost on the way: a call recognises its own write."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from sqlalchemy import make_url
from tests.handler.records.samples import moment, record
from tests.stand_ins.lossy_proxy import LossyProxy, lossy_proxy
from tests.stand_ins.moto import Moto
from tests.stand_ins.postgres import Postgres

from handler.aws import AwsAccess
from handler.core.errors import UpstreamError
from handler.records import open_records
from handler.records.dynamodb import client as dynamodb_client
from handler.records.record import notice_of
from handler.records.store import Records

COMMITS = {
    "postgresql": [b"COMMIT"],
    "dynamodb": [b"DynamoDB_20120810.PutItem", b"DynamoDB_20120810.TransactWriteItems"],
}
"""What a request that commits a write contains: without notices, and with them."""


@contextmanager
def behind_a_proxy(kind: str, request: pytest.FixtureRequest) -> Iterator[tuple[Records, LossyProxy]]:
    """Open an empty database through a proxy."""
    if kind == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = make_url(postgres.create_database())

        def connect() -> socket.socket:
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{Path(str(url.query['host']))}/.s.PGSQL.5432")
            return server

        with lossy_proxy(connect) as proxy:
            yield (
                open_records(f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/{url.database}", AwsAccess()),
                proxy,
            )
        return
    moto: Moto = request.getfixturevalue("moto")
    at = urlsplit(moto.url)
    with lossy_proxy(lambda: socket.create_connection((str(at.hostname), at.port or 0))) as proxy:
        access = msgspec.structs.replace(moto.access, endpoint_url=f"http://127.0.0.1:{proxy.port}")
        yield open_records(f"dynamodb://{moto.table()}", access), proxy


@pytest.fixture(params=["postgresql", "dynamodb"])
def lossy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Records, LossyProxy]]:
    with behind_a_proxy(request.param, request) as (records, proxy):
        records.get("0" * 32)
        yield request.param, records, proxy
        records.close()


@pytest.mark.parametrize("with_notice", [False, True])
def test_a_write_whose_answer_is_lost_has_succeeded(lossy: tuple[str, Records, LossyProxy], with_notice: bool) -> None:
    kind, records, proxy = lossy
    for replaces in (None, 1, 2):
        written = record(at=replaces or 0, sequencer=str(replaces))
        proxy.lose(COMMITS[kind][-1 if with_notice else 0], "answer")
        assert records.write(written, replaces=replaces, notices=[notice_of(written)] if with_notice else [])
        assert proxy.has_lost_all
        found = records.get(written.id)
        assert found == msgspec.structs.replace(written, revision=(replaces or 0) + 1)
    assert len(records.pending(moment(9), 9)) == (3 if with_notice else 0)


def test_adding_within_a_limit_recognises_its_own_write(lossy: tuple[str, Records, LossyProxy]) -> None:
    kind, records, proxy = lossy
    mine = [record(f"{n}.jpg", owner="me") for n in range(3)]
    for each, expected in zip(mine, ("added", "added", "full"), strict=True):
        if expected == "added":
            proxy.lose(COMMITS[kind][-1], "answer")
        assert records.add_within(each, owner_limit=2) == expected
    assert proxy.has_lost_all


def test_a_write_that_did_not_arrive_can_be_repeated(lossy: tuple[str, Records, LossyProxy]) -> None:
    kind, records, proxy = lossy
    cat = record()
    # boto3 repeats a request by itself, PostgreSQL's client does not.
    for _ in range(1 if kind == "postgresql" else dynamodb_client._SDK_ATTEMPTS):
        proxy.lose(COMMITS[kind][0], "request")
    with pytest.raises(UpstreamError, match="does not answer"):
        records.write(cat, replaces=None)
    assert proxy.has_lost_all
    assert records.get(cat.id) is None
    assert records.write(cat, replaces=None)
    assert records.get(cat.id) == msgspec.structs.replace(cat, revision=1)


def test_a_write_of_unknown_outcome_is_repeated_without_harm(lossy: tuple[str, Records, LossyProxy]) -> None:
    """Neither the answer arrives nor can the database be read: the caller does not know, and tries again."""
    kind, records, proxy = lossy
    cat = record()
    notice = notice_of(cat)
    lost: list[Any] = [(COMMITS[kind][-1], "answer")]
    if kind == "postgresql":
        lost += [(b"image_records", "request")]
    else:
        lost *= dynamodb_client._SDK_ATTEMPTS
    for pattern, loss in lost:
        proxy.lose(pattern, loss)
    with pytest.raises(UpstreamError):
        records.write(cat, replaces=None, notices=[notice])
    assert proxy.has_lost_all
    assert records.get(cat.id) == msgspec.structs.replace(cat, revision=1), "it was written all the same"
    assert not records.write(cat, replaces=None, notices=[notice])
    assert records.write(record(at=1), replaces=1, notices=[notice])
    assert [each.notice.id for each in records.pending(moment(9), 9)] == [notice.id]
