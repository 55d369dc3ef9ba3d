"""What an upload does to the record of its original, and when the original is handed to the processing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from handler.aws import AwsAccess
from handler.core.errors import BadRequest, Busy, PayloadTooLarge
from handler.records import open_records
from handler.records.record import ImageRecord, record_id
from handler.records.store import Records
from handler.storage.sources.locations import read_location
from handler.storage.upload_stores import open_upload_store
from handler.uploads.ingest.form_policy import FormSigner, ProcessSecret
from handler.uploads.ingest.ingest import Ingest, PartsGrant
from handler.uploads.ingest.requests import UploadRequest
from imaging import ObjectRef

NOW = datetime(2026, 8, 1, tzinfo=UTC)
BODY = b"some bytes"
REQUEST = UploadRequest(key="a.png", sha256=hashlib.sha256(BODY).hexdigest(), name="Mia")
ID = record_id("originals", "a.png")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    records = open_records(f"sqlite:///{tmp_path}/records.db", AwsAccess())
    yield records
    records.close()


@pytest.fixture
def submitted() -> list[ObjectRef]:
    return []


@pytest.fixture
def ingest(tmp_path: Path, records: Records, submitted: list[ObjectRef]) -> Ingest:
    (tmp_path / "originals").mkdir()
    store = open_upload_store(read_location(f"originals={(tmp_path / 'originals').as_uri()}"), AwsAccess())
    signer = FormSigner(ProcessSecret())
    return Ingest("originals", store, "{uuid}", 1_000, signer, records=records, submit=submitted.append)


def test_a_stored_original_is_handed_to_the_processing(
    ingest: Ingest, records: Records, submitted: list[ObjectRef]
) -> None:
    assert ingest.write(REQUEST, [BODY], NOW).is_new
    assert submitted == [ObjectRef("originals", "a.png")]
    record = records.get(ID)
    assert record is not None
    assert (record.status, record.name) == ("uploading", "Mia")


def test_an_original_that_was_not_taken_over_is_handed_over_at_the_next_attempt(
    ingest: Ingest, records: Records, submitted: list[ObjectRef]
) -> None:
    def refuse(_: ObjectRef) -> None:
        raise Busy("the queue is full")

    with pytest.raises(Busy):
        replace(ingest, submit=refuse).write(REQUEST, [BODY], NOW)
    assert not ingest.write(REQUEST, [BODY], NOW).is_new
    assert submitted == [ObjectRef("originals", "a.png")]
    record = records.get(ID)
    assert record is not None
    assert records.write(replace(record, status="ready", sequencer="1"), replaces=record.revision)
    assert not ingest.write(REQUEST, [BODY], NOW).is_new
    assert len(submitted) == 1


def test_an_upload_that_is_given_up_leaves_no_record(ingest: Ingest, records: Records) -> None:
    begun = ingest.begin_parts(replace(REQUEST, bytes=len(BODY)), NOW)
    assert isinstance(begun, PartsGrant)
    assert records.get(ID) is not None
    ingest.abort_parts("a.png", begun.upload)
    assert records.get(ID) is None


def test_the_record_of_a_deleted_original_keeps_its_sequencer(ingest: Ingest, records: Records) -> None:
    """A late event of the deleted version must still count as older."""
    deleted = ImageRecord(
        id=ID, source="originals", key="a.png", status="deleted", created_at=NOW, updated_at=NOW, sequencer="7"
    )
    assert records.write(deleted, replaces=None)
    begun = ingest.begin_parts(replace(REQUEST, bytes=len(BODY)), NOW)
    assert isinstance(begun, PartsGrant)
    record = records.get(ID)
    assert record is not None
    assert (record.status, record.sequencer) == ("uploading", "7")
    ingest.abort_parts("a.png", begun.upload)
    assert records.get(ID) is not None


def test_an_upload_that_is_refused_leaves_no_record(ingest: Ingest, records: Records, tmp_path: Path) -> None:
    (tmp_path / "originals" / "a.png").mkdir()
    (tmp_path / "originals" / "a.png" / "b.png").write_bytes(BODY)
    with pytest.raises(BadRequest, match="beside its other keys"):
        ingest.write(REQUEST, [BODY], NOW)
    with pytest.raises(PayloadTooLarge):
        ingest.write(replace(REQUEST, key="c.png"), [bytes(2_000)], NOW)
    assert [records.get(record_id("originals", key)) for key in ("a.png", "c.png")] == [None, None]


def test_a_refused_upload_leaves_the_record_of_another_one(ingest: Ingest, records: Records) -> None:
    ingest.grant_form(replace(REQUEST, sha256=""), NOW)
    with pytest.raises(PayloadTooLarge):
        ingest.write(REQUEST, [bytes(2_000)], NOW)
    assert records.get(ID) is not None
