"""Stand-ins; each process of the tests has its own."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from tests.stand_ins.moto import REGION, Moto, moto_server
from tests.template.edge import IGNORED, Edge, Passed, Viewer, code, run

from handler.records.dynamodb.table import TABLE

BUCKETS = ("photos", "other.photos", "resultsbucket", "demobucket", "variations", "gallerybucket")
"""What the buckets of a stack, and those that it reads, are called in `tests.template.account`."""


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with moto_server() as running:
        yield running


@pytest.fixture(scope="module")
def running() -> Iterator[Moto]:
    """A stand-in of one file's own: buckets have names that the template knows."""
    with moto_server() as server:
        yield server


@pytest.fixture
def fresh_account(running: Moto) -> Moto:
    """An account with the empty buckets and the table of a stack, fresh for each test."""
    urllib.request.urlopen(f"{running.url}/moto-api/reset", b"").close()
    for bucket in BUCKETS:
        running.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    running.client("dynamodb").create_table(TableName="Records", **TABLE)
    return running


def create_secrets(moto: Moto, values: Mapping[str, str]) -> None:
    """Store secrets by their names."""
    secrets = moto.client("secretsmanager")
    for name, value in values.items():
        secrets.create_secret(Name=name, SecretString=value)


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    """The edge function of the template in njs, one process a call."""

    def passed(viewers: Sequence[Viewer], ignored: str = IGNORED) -> list[Passed]:
        return run(code(ignored), viewers, tmp_path)

    return passed
