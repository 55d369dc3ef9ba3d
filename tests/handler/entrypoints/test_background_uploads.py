"""A server that processes its own uploads: in their order, again after a failure, and after a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.handler.uploads.studio import CAT, Studio

from handler.aws import AwsAccess
from handler.composition import processing
from handler.core.errors import Busy, UpstreamError
from handler.entrypoints.uploads import background as background_module
from handler.entrypoints.uploads.background import BackgroundOptions, BackgroundUploads
from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
from handler.records import open_records
from handler.uploads.recovery import Sweep
from imaging import Deadline, ObjectRef


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    records = open_records(f"sqlite:///{tmp_path}/records.db", AwsAccess())
    yield Studio(records)
    records.close()


def test_only_the_first_server_of_a_database_is_alone(tmp_path: Path) -> None:
    """A second one must not take for left over what the first is processing."""
    database = f"sqlite:///{tmp_path}/records.db"
    assert [processing._is_only_server(database) for _ in "12"] == [True, False]
    assert not processing._is_only_server("postgresql+psycopg://db/images")
    assert not processing._is_only_server(f"sqlite:///{tmp_path}/nosuch/records.db")


@contextmanager
def background(
    studio: Studio, send_notices: Callable[[Deadline], object] | None = None, **options: Any
) -> Iterator[BackgroundUploads]:
    entrypoint = UploadEntrypoint(
        pipeline=studio.pipeline,
        source_of=lambda _, key: ObjectRef("photos", key),
        sweep=Sweep(studio.pipeline, timedelta(minutes=30)),
        send_notices=send_notices,
    )
    running = BackgroundUploads(lambda: entrypoint, BackgroundOptions(**options))
    running.start()
    yield running
    assert running.close(30)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_upload_is_processed_and_announced(studio: Studio) -> None:
    studio.put(40)
    sent: list[str] = []
    with background(studio, lambda _: sent.extend(studio.notices())) as running:
        running.process_in_background(CAT)
        wait_for(lambda: "image.ready" in sent)
        assert set(studio.output.shades().values()) == {40}
        studio.put(90)
        running.process_in_background(CAT)
        wait_for(lambda: sent.count("image.ready") >= 3)
        assert set(studio.output.shades().values()) == {90}
        del studio.originals.bodies[CAT]
        running.process_in_background(CAT, "deleted")
        wait_for(lambda: "image.deleted" in sent)
        assert studio.output.objects == {}


def test_a_failed_upload_is_tried_again(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_module, "_RETRY_SECONDS", 0.01)
    studio.put(40)
    studio.originals.errors[CAT] = [UpstreamError("down"), UpstreamError("down")]
    with background(studio) as running:
        running.process_in_background(CAT)
        wait_for(lambda: studio.record().status == "ready")
    assert studio.record().attempts == 3


def test_an_upload_that_fails_each_time_has_failed(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_module, "_RETRY_SECONDS", 0.01)
    studio.put(40)
    studio.originals.errors[CAT] = [UpstreamError("down") for _ in range(10)]
    with background(studio) as running:
        running.process_in_background(CAT)
        wait_for(lambda: studio.record().status == "failed")
    assert len(studio.originals.errors[CAT]) == 7


def test_what_a_kill_has_left_behind_is_processed_at_the_next_start(studio: Studio) -> None:
    """One upload was waiting, the original of another one was deleted meanwhile, and one was being processed."""
    keys = [ObjectRef("photos", f"{name}.png") for name in ("waiting", "gone", "begun")]
    entrypoint = UploadEntrypoint(
        pipeline=studio.pipeline, source_of=lambda _, key: None, sweep=Sweep(studio.pipeline, timedelta(minutes=30))
    )
    killed = BackgroundUploads(lambda: entrypoint, BackgroundOptions())
    for ref in keys:
        studio.put(40, ref)
        killed.process_in_background(ref)
    del studio.originals.bodies[keys[1]]
    studio.originals.errors[keys[2]] = [KeyboardInterrupt()]  # type: ignore[list-item]  # it ends the attempt as a kill does
    with pytest.raises(KeyboardInterrupt):
        studio.process("", ref=keys[2])
    assert {studio.record(ref).status for ref in keys} == {"processing"}
    studio.now += timedelta(seconds=1)
    with background(studio, is_alone=True):
        wait_for(lambda: {studio.record(ref).status for ref in keys} == {"ready", "deleted"})
    assert studio.record(keys[1]).status == "deleted"
    assert studio.record(keys[2]).attempts == 2


def test_another_process_may_be_at_work_on_what_is_in_process(studio: Studio) -> None:
    studio.put(40)
    entrypoint = UploadEntrypoint(
        pipeline=studio.pipeline, source_of=lambda _, key: None, sweep=Sweep(studio.pipeline, timedelta(minutes=30))
    )
    BackgroundUploads(lambda: entrypoint, BackgroundOptions()).process_in_background(CAT)
    assert entrypoint.sweep.run(Deadline.after(60)) == 0
    studio.now += timedelta(minutes=31)
    assert entrypoint.sweep.run(Deadline.after(60)) == 1
    assert studio.record().status == "ready"


def test_a_full_queue_refuses_uploads(studio: Studio) -> None:
    entrypoint = UploadEntrypoint(
        pipeline=studio.pipeline, source_of=lambda _, key: None, sweep=Sweep(studio.pipeline, timedelta(minutes=30))
    )
    waiting = BackgroundUploads(lambda: entrypoint, BackgroundOptions(queue=2))
    for number in range(2):
        waiting.process_in_background(ObjectRef("photos", f"{number}.png"))
    with pytest.raises(Busy):
        waiting.check()
    with pytest.raises(Busy):
        waiting.process_in_background(CAT)
    assert waiting.close(0)
