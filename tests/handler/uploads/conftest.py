"""The studio with a database, and without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.handler.uploads.studio import Studio

from handler.aws import AwsAccess
from handler.records import open_records


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    records = open_records(f"sqlite:///{tmp_path}/records.db", AwsAccess())
    yield Studio(records)
    records.close()


@pytest.fixture
def unrecorded() -> Studio:
    return Studio()
