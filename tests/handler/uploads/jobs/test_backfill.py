"""`image-handler backfill`: what is out of date is processed, once, and a run can be stopped and resumed."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest
from tests import pictures
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.scripted_http import ParsedRequest, Reply, scripted_server

from handler.aws import AwsAccess
from handler.cli import commands
from handler.composition import wiring
from handler.config import Settings
from handler.core.errors import HandlerError, UpstreamError
from handler.records import open_records
from handler.records.record import ImageRecord, ProcessingError, record_id
from handler.records.store import Records
from handler.uploads.change import OriginalChange
from handler.uploads.jobs.backfill import Backfill, Candidate
from imaging import Deadline, ObjectRef

ROOT = Path(__file__).parents[4]
FAILURE = ProcessingError(code="UpstreamError", message="the store did not answer", attempts=1)
PRESETS = {"thumb": {"resize": {"width": 8}, "toFormat": "png"}, "wide": {"resize": {"width": 16}, "toFormat": "png"}}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Three originals in a folder, another folder for their variants, and a database."""
    (tmp_path / "photos/2026").mkdir(parents=True)
    (tmp_path / "variants").mkdir()
    for name in ("a.jpg", "b.jpg", "2026/c.jpg"):
        (tmp_path / "photos" / name).write_bytes(pictures.jpeg())
    return {
        "SOURCE_BUCKETS": f"photos=file://{tmp_path}/photos",
        "OUTPUT_BUCKET": f"variants=file://{tmp_path}/variants",
        "PRESETS": json.dumps(PRESETS),
        "UPLOAD_PRESETS": "thumb",
        "RECORDS": f"sqlite:///{tmp_path}/records.db",
    }


@pytest.fixture(autouse=True)
def no_application() -> Iterator[None]:
    yield
    wiring._built.clear()


@dataclass
class Result:
    exit_code: int
    output: str


def run(environment: Mapping[str, str], *arguments: str) -> Result:
    wiring._built.clear()
    # What the environment of the tests says of AWS does not count.
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    output = io.StringIO()
    patched = mock.patch.dict(os.environ, {**others, **environment}, clear=True)
    with patched, redirect_stdout(output), redirect_stderr(output):
        exit_code = commands.run(["backfill", *arguments])
    return Result(exit_code, output.getvalue())


def last_line(result: Result, exit_code: int = 0) -> str:
    assert result.exit_code == exit_code, result.output
    return [line for line in result.output.splitlines() if " listed" in line][-1]


def records_of(environment: Mapping[str, str]) -> Records:
    return open_records(environment["RECORDS"], AwsAccess())


def record_of(environment: Mapping[str, str], key: str, source: str = "photos") -> ImageRecord:
    records = records_of(environment)
    found = records.get(record_id(source, key))
    records.close()
    assert found
    return found


def variants(environment: Mapping[str, str]) -> set[str]:
    folder = Path(environment["OUTPUT_BUCKET"].partition("file://")[2])
    return {str(path.relative_to(folder)) for path in folder.rglob("*.jpg")}


def test_all_originals_are_processed_once(environment: dict[str, str]) -> None:
    assert last_line(run(environment)) == "3 listed, 3 ready"
    assert variants(environment) == {"thumb/photos/a.jpg", "thumb/photos/b.jpg", "thumb/photos/2026/c.jpg"}
    first = record_of(environment, "a.jpg")
    assert (first.status, [variant.preset for variant in first.variants]) == ("ready", ["thumb"])
    assert last_line(run(environment)) == "3 listed, 3 up to date"
    assert record_of(environment, "a.jpg") == first


def test_a_prefix_chooses_originals(environment: dict[str, str]) -> None:
    assert last_line(run(environment, "--prefix", "2026/")) == "1 listed, 1 ready"
    assert variants(environment) == {"thumb/photos/2026/c.jpg"}


def test_a_new_preset_is_added_without_rendering_the_others_again(environment: dict[str, str]) -> None:
    run(environment)
    (before,) = record_of(environment, "a.jpg").variants
    both = {**environment, "UPLOAD_PRESETS": "thumb,wide"}
    assert last_line(run(both, "--presets", "thumb")) == "3 listed, 3 up to date"
    assert last_line(run(both, "--presets", "wide")) == "3 listed, 3 ready"
    after = {variant.preset: variant for variant in record_of(environment, "a.jpg").variants}
    assert {*after} == {"thumb", "wide"}
    assert after["thumb"] == before


def test_a_version_whose_event_was_lost_is_processed(environment: dict[str, str], tmp_path: Path) -> None:
    run(environment)
    before = record_of(environment, "b.jpg")
    (tmp_path / "photos/b.jpg").write_bytes(pictures.png())
    assert last_line(run(environment)) == "3 listed, 1 ready, 2 up to date"
    after = record_of(environment, "b.jpg")
    assert after.etag != before.etag
    assert after.variants[0].etag != before.variants[0].etag


def test_what_was_rejected_is_not_tried_again_until_it_changes(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "photos/text.jpg").write_text("not an image")
    assert last_line(run(environment)) == "4 listed, 3 ready, 1 rejected"
    assert last_line(run(environment)) == "4 listed, 1 rejected before, 3 up to date"
    assert last_line(run(environment, "--again")) == "4 listed, 3 ready, 1 rejected"


def test_again_renders_what_is_stored(environment: dict[str, str]) -> None:
    run(environment)
    path = Path(environment["OUTPUT_BUCKET"].partition("file://")[2]) / "thumb/photos/a.jpg"
    before = path.stat().st_mtime_ns
    assert last_line(run(environment, "--again")) == "3 listed, 3 ready"
    assert path.stat().st_mtime_ns > before


def test_a_dry_run_counts_and_processes_nothing(environment: dict[str, str]) -> None:
    run(environment, "--prefix", "a")
    result = run(environment, "--dry-run", "--seconds", "2", "--memory", "2048")
    assert last_line(result) == "3 listed, 1 up to date"
    assert "2 originals to process" in result.output
    assert re.search(r"S3, PUT of variants: +2\n", result.output)
    assert re.search(r"hours at concurrency 1,000: +0\.00\n", result.output)
    assert variants(environment) == {"thumb/photos/a.jpg"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--presets", "nothing"), "--presets must name presets of UPLOAD_PRESETS, got nothing"),
        (("--presets", ","), "--presets must name presets of UPLOAD_PRESETS"),
        (("--rate", "0"), "--rate"),
        (("--batch",), "--batch needs --stack"),
        (("--batch", "--stack", "s", "--manifest", "m", "--prefix", "p"), "leave out --prefix"),
    ],
)
def test_invalid_options_are_refused(environment: dict[str, str], arguments: tuple[str, ...], message: str) -> None:
    result = run(environment, *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_a_rate_bounds_how_many_begin_in_a_second(environment: dict[str, str]) -> None:
    started = time.monotonic()
    assert last_line(run(environment, "--rate", "5")) == "3 listed, 3 ready"
    assert time.monotonic() - started >= 0.4


def test_a_stopped_run_can_be_resumed(environment: dict[str, str], tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"photos/{number}.jpg").write_bytes(pictures.jpeg())
    command = [sys.executable, "-c", "from handler.cli import main; main()", "backfill", "--rate", "20", "--jobs", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src"), **environment},
    )  # fmt: skip
    while len(variants(environment)) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=60)
    assert process.returncode == 130, log
    assert "Run the same command again" in log
    done = len(variants(environment))
    assert 3 <= done < 23
    assert last_line(run(environment)) == f"23 listed, {23 - done} ready, {done} up to date"


def test_an_original_that_fails_is_tried_again_and_reported(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handler.uploads.jobs.backfill._PAUSES", (0.0, 0.0))
    run(environment, "--prefix", "b")
    (tmp_path / "variants/thumb/photos/a.jpg").mkdir(parents=True)  # nothing can be stored under this key
    (tmp_path / "variants/thumb/photos/a.jpg/x").write_text("")
    assert last_line(run(environment, "--prefix", "a"), 1) == "1 listed, 1 failed"
    assert record_of(environment, "a.jpg").status == "failed"


class Down:
    """A database that does not answer."""

    def get(self, record_id: str) -> ImageRecord | None:
        raise UpstreamError("the database of records does not answer")


def engine(environment: Mapping[str, str], **fields: Any) -> Backfill:
    application = wiring.build(Settings.from_environment(environment))
    assert application.uploads
    uploads = application.uploads()
    defaults: dict[str, Any] = {"pipeline": uploads.pipeline, "finish": uploads.finish}
    return Backfill(
        presets=frozenset({"thumb"}), seconds=30, stale_after=timedelta(hours=1), sleep=lambda _: None,
        **{**defaults, **fields},
    )  # fmt: skip


def candidates(count: int) -> Iterator[Candidate]:
    return (Candidate(ObjectRef("photos", f"{number}.jpg"), 1, "") for number in range(count))


def test_a_run_ends_once_everything_fails(environment: dict[str, str]) -> None:
    working = engine(environment)
    down = engine(environment, pipeline=msgspec.structs.replace(working.pipeline, records=Down()))
    with pytest.raises(HandlerError, match="the last 20 originals have failed"):
        down.run(candidates(1000), jobs=2, rate=None)
    assert 20 <= down.progress.outcomes["failed"] <= 30


def test_a_cdn_that_refuses_does_not_end_a_run(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handler.uploads.jobs.backfill._FINISH_EVERY", 5)
    for number in range(11):
        (tmp_path / f"photos/{number}.jpg").write_bytes(pictures.jpeg())
    calls = []

    def finish(deadline: Deadline) -> None:
        calls.append(deadline)
        if len(calls) == 1:
            raise UpstreamError("CloudFront has too many invalidations in progress")

    running = engine(environment, finish=finish)
    running.run(candidates(11), jobs=2, rate=None)
    assert running.progress.outcomes == {"ready": 11}
    assert len(calls) >= 2


def test_what_another_process_works_on_is_left_to_it(environment: dict[str, str]) -> None:
    running = engine(environment)
    records = running.pipeline.records
    now = running.pipeline.now()
    fields: dict[str, Any] = {"source": "photos", "status": "processing", "created_at": now, "etag": "e"}
    for key, age, error in (("new", 0, None), ("old", 7200, None), ("failed", 0, FAILURE)):
        record = ImageRecord(
            id=record_id("photos", key), key=key, updated_at=now - timedelta(seconds=age), error=error, **fields
        )
        assert records.write(record, replaces=None)
    decisions = {key: running.decide(Candidate(ObjectRef("photos", key), 1, "")) for key in ("new", "old", "failed")}
    assert decisions["new"] == "in process"
    assert all(isinstance(decisions[key], OriginalChange) for key in ("old", "failed"))


INVENTORY = """"{bucket}","a.jpg","true","false","1000","{etag}"
"{bucket}","folder/","true","false","0","e"
"{bucket}","caf%C3%A9+1.jpg","true","false","1000","{etag}"
"{bucket}","old.jpg","false","false","1000","e"
"{bucket}","gone.jpg","true","true","","",
"elsewhere","a.jpg","true","false","1000","e"
"""


def put_inventory(moto: Moto, bucket: str, text: str, **manifest: object) -> str:
    report = moto.bucket()
    moto.s3.put_object(Bucket=report, Key="i/data/1.csv.gz", Body=gzip.compress(text.encode()))
    content = {
        "sourceBucket": bucket,
        "destinationBucket": f"arn:aws:s3:::{report}",
        "version": "2016-11-30",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, IsLatest, IsDeleteMarker, Size, ETag",
        "files": [{"key": "i/data/1.csv.gz", "size": 1, "MD5checksum": "0"}],
        **manifest,
    }
    moto.s3.put_object(Bucket=report, Key="i/manifest.json", Body=json.dumps(content).encode())
    return f"s3://{report}/i/manifest.json"


@pytest.fixture
def in_s3(moto: Moto, environment: dict[str, str]) -> tuple[str, dict[str, str]]:
    """A bucket with two originals, and the settings for it."""
    bucket = moto.bucket(**{"a.jpg": pictures.jpeg(), "café 1.jpg": pictures.jpeg()})
    settings = {
        "SOURCE_BUCKETS": bucket, "OUTPUT_BUCKET": moto.bucket(), "AWS_ENDPOINT_URL": moto.url, "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret",
    }  # fmt: skip
    return bucket, {**environment, **settings}


def test_an_inventory_takes_the_place_of_listing(moto: Moto, in_s3: tuple[str, dict[str, str]]) -> None:
    bucket, settings = in_s3
    etag = moto.s3.head_object(Bucket=bucket, Key="a.jpg")["ETag"].strip('"')
    text = INVENTORY.replace('"",\n', '""\n').format(bucket=bucket, etag=etag)
    manifest = put_inventory(moto, bucket, text)
    assert last_line(run(settings, "--manifest", manifest)) == "2 listed, 2 ready"
    assert record_of(settings, "café 1.jpg", bucket).etag == etag
    assert last_line(run(settings, "--manifest", manifest)) == "2 listed, 2 up to date"


def test_an_inventory_that_is_older_than_the_records_changes_nothing(
    moto: Moto, in_s3: tuple[str, dict[str, str]]
) -> None:
    bucket, settings = in_s3
    run(settings)
    before = record_of(settings, "a.jpg", bucket)
    manifest = put_inventory(moto, bucket, f'"{bucket}","a.jpg","true","false","1000","0123"\n')
    assert last_line(run(settings, "--manifest", manifest)) == "1 listed, 1 up to date"
    assert record_of(settings, "a.jpg", bucket) == before


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"fileFormat": "ORC"}, "must be in the format CSV, got ORC"),
        ({"fileFormat": "Parquet"}, "must be in the format CSV, got Parquet"),
        ({"fileSchema": "Bucket, Size"}, "must have the columns Bucket and Key, lacks Key"),
        ({"files": [{"key": "i/manifest.json"}]}, "must be a file of S3 Inventory"),
        ({"files": "none"}, "must be the manifest of an S3 Inventory"),
        ({"fileSchema": "Bucket, Key"}, "a row has 6 columns, and the manifest names 2"),
    ],
)
def test_other_inventories_are_refused(
    moto: Moto, in_s3: tuple[str, dict[str, str]], manifest: dict[str, object], message: str
) -> None:
    bucket, settings = in_s3
    url = put_inventory(moto, bucket, f'"{bucket}","a.jpg","true","false","1","e"\n', **manifest)
    result = run(settings, "--manifest", url)
    assert message in result.output


@pytest.mark.parametrize("url", ["manifest.json", "s3://bucket/", "https://example.com/manifest.json"])
def test_a_manifest_is_an_object_of_s3(in_s3: tuple[str, dict[str, str]], url: str) -> None:
    result = run(in_s3[1], "--manifest", url)
    assert "the manifest must be s3://bucket/" in result.output


OUTPUTS = {
    "UploadFunctionName": "uploads",
    "BatchRoleArn": "arn:aws:iam::111122223333:role/backfill",
    "ResultsBucketName": "reports",
}


def create_stack(moto: Moto, **outputs: str) -> str:
    name = f"stack-{os.urandom(8).hex()}"
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    moto.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    return name


class FakeControl:
    """S3 Control, which moto has without jobs. Everything else is passed to moto."""

    def __init__(self) -> None:
        self.body = ""

    def answer(self, request: ParsedRequest) -> Reply:
        assert (request.method, request.path) == ("POST", "http://111122223333.control.test/v20180820/jobs")
        self.body = request.body.decode()
        return Reply(200, b"<CreateJobResult><JobId>job-1</JobId></CreateJobResult>")


@pytest.mark.parametrize("with_manifest", [False, True])
def test_a_job_of_s3_batch_operations(moto: Moto, in_s3: tuple[str, dict[str, str]], *, with_manifest: bool) -> None:
    bucket, settings = in_s3
    stack, fake = create_stack(moto, **OUTPUTS), FakeControl()
    manifest = put_inventory(moto, bucket, "") if with_manifest else ""
    chosen = ["--manifest", manifest] if with_manifest else ["--prefix", "2026/"]
    with scripted_server(fake.answer) as server:
        # boto3 puts the account's number before the host, which therefore has no address here.
        control = {"AWS_ENDPOINT_URL_S3_CONTROL": "http://control.test", "HTTP_PROXY": server.url}
        result = run(
            {**settings, **control, "NO_PROXY": "127.0.0.1"}, "--batch", "--stack", stack,
            "--again", *chosen,
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Job job-1 is created; confirm it" in result.output
    body = fake.body
    assert "<ConfirmationRequired>true</ConfirmationRequired>" in body
    assert f"<FunctionArn>arn:aws:lambda:{REGION}:111122223333:function:uploads</FunctionArn>" in body
    assert f"<RoleArn>{OUTPUTS['BatchRoleArn']}</RoleArn>" in body
    assert "<InvocationSchemaVersion>2.0</InvocationSchemaVersion>" in body
    assert "<Prefix>batch</Prefix>" in body
    assert "<key>presets</key><value>thumb</value>" in body
    assert "<Bucket>arn:aws:s3:::reports</Bucket>" in body
    if with_manifest:
        assert "<Format>S3InventoryReport_CSV_20161130</Format>" in body
        assert f"<ObjectArn>arn:aws:s3:::{manifest.removeprefix('s3://')}</ObjectArn>" in body
    else:
        assert f"<SourceBucket>arn:aws:s3:::{bucket}</SourceBucket>" in body
        assert "<MatchAnyPrefix><member>2026/</member></MatchAnyPrefix>" in body


def test_a_stack_without_uploads_is_refused(moto: Moto, in_s3: tuple[str, dict[str, str]]) -> None:
    stack = create_stack(moto, Other="x")
    result = run(in_s3[1], "--batch", "--stack", stack)
    assert result.exit_code == 2
    assert "has no output UploadFunctionName, BatchRoleArn, ResultsBucketName" in result.output
