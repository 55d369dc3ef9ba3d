"""The pictures of the gallery expire, and those that moderation rejects are not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests import pictures
from tests.client import Client
from tests.gallery.conftest import gallery_settings
from tests.gallery.visiting import Browser, over_events
from tests.stand_ins.rekognition import Rekognition, rekognition_server

from handler.config import Settings, SettingsError
from handler.core.errors import UpstreamError
from handler.records.record import ImageRecord, record_id
from handler.uploads.change import OriginalChange, make_sequencer
from imaging import Deadline, ObjectRef

PNG = pictures.png(pictures.scene(60, 40))
LIFE = timedelta(days=3)


class Service:
    """A server with a gallery whose sweep is run by the test, at whatever time."""

    def __init__(self, folder: Path, **settings: str) -> None:
        (folder / "results").mkdir(exist_ok=True)
        self.folder, self.gallery = folder, folder / "gallery"
        environment = gallery_settings(
            folder,
            GALLERY_EXPIRE_DAYS="3",
            STORE_RESULTS="Yes",
            RESULTS_BUCKET=f"r=file://{folder}/results",
            **settings,
        )
        self.client = Client(environment)
        assert self.client.application.records is not None
        assert self.client.application.uploads is not None
        self.records, self.uploads = self.client.application.records(), self.client.application.uploads()
        self.browser = Browser(over_events(self.client))

    def sweep(self, after: timedelta = timedelta(0)) -> None:
        """Process what waits, and delete what has expired at a later time."""
        now = datetime.now(UTC) + after
        sweep = self.uploads.sweep
        pipeline = replace(sweep.pipeline, now=lambda: now)
        replace(sweep, pipeline=pipeline).run(Deadline.after(60), timedelta(0))

    def keep(self, image: bytes = PNG) -> str:
        """Upload a picture, and return its ID when it is processed."""
        stored = self.browser.upload(image)
        assert stored.status == 201, stored.body
        self.sweep()
        return str(stored.json()["id"])

    def record(self, identifier: str) -> ImageRecord:
        record = self.records.get(identifier)
        assert record is not None
        return record

    def files(self) -> list[Path]:
        return [path for path in self.gallery.rglob("*") if path.is_file()]

    def results(self) -> list[Path]:
        return [path for path in (self.folder / "results").rglob("*") if path.is_file() and "private" in path.parts]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.records.close()


def near(moment: datetime | None, expected: datetime) -> bool:
    return moment is not None and abs(moment - expected) < timedelta(minutes=5)


def test_processing_keeps_the_time_at_which_a_picture_expires(service: Service) -> None:
    identifier = service.keep()
    record = service.record(identifier)
    assert record.status == "ready"
    assert near(record.expires_at, datetime.now(UTC) + LIFE)
    service.uploads.pipeline.process(
        OriginalChange(ref=ObjectRef("gallery", record.key), sequencer=make_sequencer(), force=True), Deadline.after(60)
    )
    assert service.record(identifier).expires_at == record.expires_at


def test_processing_writes_how_many_bytes_a_picture_has(service: Service) -> None:
    """An upload whose size was not known takes the space of the largest one until then."""
    identifier = service.keep()
    record = service.record(identifier)
    assert service.records.write(replace(record, bytes=10**9), replaces=record.revision)
    change = OriginalChange(ref=ObjectRef("gallery", record.key), kind=None, force=True)
    service.uploads.pipeline.process(change, Deadline.after(60))
    assert service.record(identifier).bytes == len(PNG)
    assert service.records.stored_bytes("gallery", datetime.now(UTC)) == len(PNG)


def test_a_picture_has_no_variants_in_the_output_bucket(tmp_path: Path) -> None:
    """Whoever may read OUTPUT_BUCKET would see it."""
    (tmp_path / "samples").mkdir()
    (tmp_path / "output").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.gallery.conftest.SAMPLES", tmp_path / "samples")
        service = Service(
            tmp_path,
            OUTPUT_BUCKET=f"output=file://{tmp_path}/output",
            UPLOAD_PRESETS="small",
            PRESETS='{"small": "width=9"}',
        )
    identifier = service.keep()
    assert (service.record(identifier).status, service.record(identifier).variants) == ("ready", ())
    (tmp_path / "samples" / "cat.png").write_bytes(PNG)
    change = OriginalChange(ref=ObjectRef("samples", "cat.png"), sequencer=make_sequencer())
    service.uploads.pipeline.process(change, Deadline.after(60))
    stored = [path.relative_to(tmp_path / "output").as_posix() for path in (tmp_path / "output").rglob("*.png")]
    assert [each for each in stored if not each.startswith(".")] == ["small/samples/cat.png"]


def test_a_picture_without_a_record_expires_too(service: Service) -> None:
    """Such as one whose upload was given up before its bytes arrived."""
    key = f"{'a' * 32}/{'0' * 32}.png"
    (service.gallery / key).parent.mkdir()
    (service.gallery / key).write_bytes(PNG)
    change = OriginalChange(ref=ObjectRef("gallery", key), sequencer=make_sequencer())
    service.uploads.pipeline.process(change, Deadline.after(60))
    assert near(service.record(record_id("gallery", key)).expires_at, datetime.now(UTC) + LIFE)
    service.sweep(LIFE + timedelta(hours=1))
    assert service.files() == []


def test_a_picture_that_has_expired_is_deleted_with_everything_that_was_made_of_it(service: Service) -> None:
    identifier = service.keep()
    added = service.browser.post(f"/pictures/{identifier}/results", edits={"median": 3, "toFormat": "png"})
    assert added.status == 201, added.body
    url = added.json()["url"]
    assert service.browser.fetch(url).status == 200
    assert service.results()
    service.sweep(LIFE - timedelta(hours=1))
    assert len(service.files()) == 1
    assert service.browser.fetch(url).status == 200
    service.sweep(LIFE + timedelta(hours=1))
    assert service.files() == []
    assert service.results() == []
    assert service.browser.fetch(url).status == 404
    assert service.browser.ask("GET", f"/pictures/{identifier}").status == 404
    gone = service.record(identifier)
    assert (gone.status, gone.owner, gone.name, gone.applied) == ("deleted", "", "", ())
    assert service.records.stored_bytes("gallery", datetime.now(UTC)) == 0
    service.sweep(LIFE + timedelta(days=40))
    assert service.records.get(identifier) is None


def test_each_expired_picture_of_many_is_deleted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.uploads.expiry._PAGE", 2)
    for shade in range(5):
        assert service.browser.upload(pictures.png(pictures.scene(20 + shade, 20))).status == 201
    service.sweep()
    assert len(service.files()) == 5
    service.sweep(LIFE + timedelta(hours=1))
    assert service.files() == []


def test_an_upload_that_has_not_arrived_leaves_nothing(service: Service) -> None:
    """The form was granted, and nothing was sent; or the server was killed before it could record the bytes."""
    granted = service.browser.post("/pictures", name="Cat.png", bytes=len(PNG), type="image/png")
    assert granted.status == 201, granted.body
    identifier = granted.json()["id"]
    service.sweep(timedelta(hours=2))
    assert service.records.get(identifier) is None


def test_a_deletion_that_was_interrupted_is_finished(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a kill after the record said so, and before the original was deleted."""
    identifier = service.keep()

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("handler.entrypoints.gallery.originals.GalleryOriginals.delete", kill)
        with pytest.raises(Killed):
            service.browser.ask("DELETE", f"/pictures/{identifier}")
    assert service.browser.ask("GET", f"/pictures/{identifier}").status == 404
    assert len(service.files()) == 1
    service.sweep()
    assert service.files() == []
    assert service.record(identifier).status == "deleted"


def test_processing_does_not_undo_a_deletion(service: Service) -> None:
    """A picture is processed again after its record says that it is deleted, and before its original is."""
    identifier = service.keep()
    record = service.record(identifier)
    gone = datetime.now(UTC)
    assert service.records.write(replace(record, owner="", name="", expires_at=gone), replaces=record.revision)
    change = OriginalChange(ref=ObjectRef("gallery", record.key), kind=None, force=True)
    service.uploads.pipeline.process(change, Deadline.after(60))
    assert service.record(identifier).expires_at == gone
    service.sweep()
    assert service.files() == []


def test_what_cannot_be_deleted_is_tried_again_and_stops_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = service.keep(), service.keep(pictures.png(pictures.scene(30, 30)))
    stuck = service.record(first).key
    retention = service.uploads.pipeline.retention

    def fail(key: str) -> None:
        if key == stuck:
            raise UpstreamError("the disk does not answer")
        retention.delete(key)

    def sweep(delete: Callable[[str], None]) -> None:
        pipeline = replace(service.uploads.pipeline, retention=replace(retention, delete=delete))
        uploads = replace(service.uploads, pipeline=pipeline, sweep=replace(service.uploads.sweep, pipeline=pipeline))
        monkeypatch.setattr(service, "uploads", uploads)
        service.sweep(LIFE + timedelta(hours=1))

    sweep(fail)
    assert [path.relative_to(service.gallery).as_posix() for path in service.files()] == [stuck]
    assert service.record(second).status == "deleted"
    assert service.record(first).status != "deleted"
    sweep(retention.delete)
    assert service.files() == []


def test_other_sources_do_not_expire(tmp_path: Path) -> None:
    service = Service(tmp_path)
    (tmp_path / "samples").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.gallery.conftest.SAMPLES", tmp_path / "samples")
        service = Service(tmp_path)
    (tmp_path / "samples" / "cat.png").write_bytes(PNG)
    change = OriginalChange(ref=ObjectRef("samples", "cat.png"), sequencer=make_sequencer())
    service.uploads.pipeline.process(change, Deadline.after(60))
    assert service.record(record_id("samples", "cat.png")).expires_at is None
    service.sweep(timedelta(days=4000))
    assert (tmp_path / "samples" / "cat.png").exists()


# --- moderation


@pytest.fixture
def rekognition() -> Iterator[Rekognition]:
    with rekognition_server() as running:
        yield running


@pytest.fixture
def moderated(tmp_path: Path, rekognition: Rekognition) -> Service:
    return Service(tmp_path, GALLERY_MODERATION="80", **rekognition.environment)


def test_a_picture_that_moderation_rejects_is_not_kept(moderated: Service, rekognition: Rekognition) -> None:
    rekognition.labels = lambda _: {"Explicit Nudity": 91.0}
    identifier = moderated.keep()
    assert moderated.files() == []
    record = moderated.record(identifier)
    assert (record.status, record.bytes, record.variants) == ("rejected", 0, ())
    assert record.error is not None
    assert record.error.code == "ContentModeration::Rejected"
    shown = moderated.browser.ask("GET", f"/pictures/{identifier}").json()
    assert (shown["status"], shown["original"]) == ("rejected", None)
    assert "Explicit Nudity" in shown["error"]["message"]
    # The store reports the deletion, and the record goes on to say why.
    change = OriginalChange(ref=ObjectRef("gallery", record.key), sequencer=make_sequencer(), kind="deleted")
    moderated.uploads.pipeline.process(change, Deadline.after(60))
    assert moderated.record(identifier).status == "rejected"
    assert moderated.browser.ask("DELETE", f"/pictures/{identifier}").status == 204
    moderated.sweep()
    assert moderated.record(identifier).status == "deleted"


def test_a_label_of_less_confidence_rejects_nothing(moderated: Service, rekognition: Rekognition) -> None:
    rekognition.labels = lambda _: {"Explicit Nudity": 79.0}
    identifier = moderated.keep()
    record = moderated.record(identifier)
    assert (record.status, record.facts["width"]) == ("ready", 60)
    assert len(moderated.files()) == 1


def test_a_kill_after_the_rejected_picture_was_deleted_loses_no_reason(
    moderated: Service, rekognition: Rekognition
) -> None:
    rekognition.labels = lambda _: {"Explicit Nudity": 91.0}
    retention = moderated.uploads.pipeline.retention

    class Killed(BaseException):
        pass

    def delete_and_die(key: str) -> None:
        retention.delete(key)
        raise Killed

    stored = moderated.browser.upload(PNG).json()["id"]
    record = moderated.record(stored)
    pipeline = replace(moderated.uploads.pipeline, retention=replace(retention, delete=delete_and_die))
    change = OriginalChange(ref=ObjectRef("gallery", record.key), kind=None)
    with pytest.raises(Killed):
        pipeline.process(change, Deadline.after(60))
    assert moderated.files() == []
    moderated.sweep()
    again = moderated.record(stored)
    assert again.error is not None
    assert (again.status, again.error.code) == ("rejected", "ContentModeration::Rejected")


@pytest.mark.parametrize(("vision", "is_valid"), [("local", False), ("auto", False), ("rekognition", True)])
def test_moderation_needs_rekognition(tmp_path: Path, vision: str, is_valid: bool) -> None:
    settings: dict[str, Any] = gallery_settings(tmp_path, GALLERY_MODERATION="80", VISION=vision)
    if is_valid:
        assert Settings.from_environment(settings).gallery.gallery_moderation == 80
        return
    with pytest.raises(SettingsError, match="GALLERY_MODERATION needs VISION=rekognition"):
        Settings.from_environment(settings)
