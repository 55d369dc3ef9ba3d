"""Uploads through the whole service on S3: what is purged, what a scan and moderation decide, and what is recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pyvips
from msgspec.structs import replace
from tests import pictures
from tests.client import Client
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.rclone import rclone_server
from tests.stand_ins.rekognition import rekognition_server
from tests.stand_ins.scripted_http import Reply, ScriptedServer, scripted_server

from handler.aws import AwsAccess
from handler.records import open_records
from handler.records.record import ImageRecord, record_id
from handler.records.store import Records

CREATED = b"<Invalidation><Id>I123</Id><Status>InProgress</Status></Invalidation>"
TAG = "GuardDutyMalwareScanStatus"
EVENTS = Path(__file__).parents[2] / "events"


@dataclass
class Service:
    """A service on buckets of its own. The tests deliver the events."""

    moto: Moto
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    sequencer: int = 0

    def __post_init__(self) -> None:
        self.originals, self.output, self.results = (self.moto.bucket() for _ in range(3))
        environment = {
            "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.moto.url, "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret", "SOURCE_BUCKETS": f"photos=s3://{self.originals}",
            "OUTPUT_BUCKET": self.output, "RESULTS_BUCKET": self.results, "STORE_RESULTS": "Yes",
            "PUBLIC_FEATURES": "*", "RECORDS": f"sqlite:///{self.folder}/records.db",
            "PRESETS": '{"thumb": "width=20&format=webp"}', "UPLOAD_PRESETS": "thumb",
        }  # fmt: skip
        self.client = Client({**environment, **self.settings})
        self.records: Records = open_records(environment["RECORDS"], AwsAccess())

    def put(self, body: bytes, key: str = "cat.jpg", tagging: str = "") -> Any:
        """Store an original, and return what the service answers to its event."""
        self.moto.s3.put_object(Bucket=self.originals, Key=key, Body=body, Tagging=tagging)
        return self.client.invoke(self.event("Object Created", key))

    def delete(self, key: str = "cat.jpg") -> Any:
        self.moto.s3.delete_object(Bucket=self.originals, Key=key)
        return self.client.invoke(self.event("Object Deleted", key))

    def event(self, kind: str, key: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / "eventbridge-object-created.json").read_text("utf-8"))
        self.sequencer += 1
        event["detail-type"] = kind
        event["detail"]["bucket"]["name"] = self.originals
        event["detail"]["object"] = {"key": key, "sequencer": f"0055AED6DCD9{self.sequencer:06X}"}
        return event

    def scan(self, result: str, key: str = "cat.jpg") -> Any:
        """Set the tag of a scan, and return what the service answers to GuardDuty's event."""
        tags = {"TagSet": [{"Key": TAG, "Value": result}]}
        self.moto.s3.put_object_tagging(Bucket=self.originals, Key=key, Tagging=tags)
        event: dict[str, Any] = json.loads((EVENTS / "guardduty-scan-result.json").read_text("utf-8"))
        event["detail"]["s3ObjectDetails"] |= {"bucketName": self.originals, "objectKey": key}
        event["detail"]["scanResultDetails"]["scanResultStatus"] = result
        return self.client.invoke(event)

    def record(self, key: str = "cat.jpg") -> ImageRecord:
        found = self.records.get(record_id("photos", key))
        assert found is not None
        return found

    def keys_in(self, bucket: str) -> list[str]:
        return [entry["Key"] for entry in self.moto.s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


@pytest.fixture
def cloudfront() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: Reply(201, CREATED)) as server:
        yield server


@pytest.mark.parametrize("change", ["overwritten", "deleted"])
def test_a_changed_original_takes_everything_that_was_made_of_it_along(
    change: str, moto: Moto, tmp_path: Path, cloudfront: ScriptedServer
) -> None:
    settings = {"DISTRIBUTION_ID": "E123", "AWS_ENDPOINT_URL_CLOUDFRONT": cloudfront.url}
    service = Service(moto, tmp_path, settings)
    service.put(pictures.jpeg())
    service.put(pictures.jpeg(), "dog.jpg")
    assert cloudfront.asked == [], "a first version has no copies"
    cat, dog = (service.client.get(f"/{name}.jpg?width=40&format=avif") for name in ("cat", "dog"))
    tags = [answer.headers["x-amz-meta-cache-tag"] for answer in (cat, dog)]
    moto.s3.put_object(Bucket=service.results, Key=f"detections/{tags[0]}/faces-1.json", Body=b"{}")
    assert len(service.keys_in(service.results)) == 3
    if change == "deleted":
        assert service.delete()["deleted"] == ["cat.jpg"]
    else:
        assert service.put(pictures.png())["stored"] == ["thumb/photos/cat.jpg"]
    assert [key.split("/")[1] for key in service.keys_in(service.results)] == [tags[1]]
    (asked,) = cloudfront.asked
    assert re.findall(rb"<Path>#([^<]*)</Path>", asked.body) == [tags[0].encode()]
    assert service.record().status == ("deleted" if change == "deleted" else "ready")
    kept = ["thumb/photos/dog.jpg"] if change == "deleted" else ["thumb/photos/cat.jpg", "thumb/photos/dog.jpg"]
    assert sorted(service.keys_in(service.output)) == kept


def test_an_original_waits_for_its_scan(moto: Moto, tmp_path: Path) -> None:
    service = Service(moto, tmp_path, {"REQUIRE_TAG": f"{TAG}=NO_THREATS_FOUND"})
    service.put(pictures.jpeg())
    waiting = service.record()
    assert waiting.error is not None
    assert (waiting.status, waiting.error.code) == ("uploading", "TagMissing")
    assert service.keys_in(service.output) == []
    refused = service.client.get("/cat.jpg?width=20")
    assert (refused.status, refused.json()["code"]) == (403, "TagMissing")
    service.scan("NO_THREATS_FOUND")
    assert (service.record().status, service.record().error) == ("ready", None)
    assert service.keys_in(service.output) == ["thumb/photos/cat.jpg"]
    assert service.client.get("/cat.jpg?width=20").status == 200
    service.scan("NO_THREATS_FOUND")
    assert service.record().attempts == 1, "the same version is not processed again"


def test_an_original_with_malware_is_rejected(moto: Moto, tmp_path: Path) -> None:
    service = Service(moto, tmp_path, {"REQUIRE_TAG": f"{TAG}=NO_THREATS_FOUND"})
    service.put(pictures.jpeg(), tagging=f"{TAG}=NO_THREATS_FOUND")
    assert service.record().status == "ready"
    service.put(pictures.png())
    service.scan("THREATS_FOUND")
    rejected = service.record()
    assert rejected.error is not None
    assert (rejected.status, rejected.error.code) == ("rejected", "TagRefused")
    assert "NO_THREATS_FOUND" in rejected.error.message
    assert service.keys_in(service.output) == []


def test_a_scan_that_is_reported_before_its_upload(moto: Moto, tmp_path: Path) -> None:
    service = Service(moto, tmp_path, {"REQUIRE_TAG": f"{TAG}=NO_THREATS_FOUND"})
    moto.s3.put_object(Bucket=service.originals, Key="cat.jpg", Body=pictures.jpeg())
    service.scan("NO_THREATS_FOUND")
    assert service.record().status == "ready"
    service.client.invoke(service.event("Object Created", "cat.jpg"))
    assert service.record().status == "ready"
    assert service.record().sequencer == "55AED6DCD9000001"


def test_a_picture_that_moderation_rejects(moto: Moto, tmp_path: Path) -> None:
    red = (pyvips.Image.black(200, 150, bands=3) + [220, 20, 20]).cast("uchar").copy(interpretation="srgb")
    with rekognition_server() as rekognition:
        rekognition.labels = lambda image: {"Weapons": 97.5} if image.extract_band(1).avg() < 60 else {}
        always = {"contentModeration": {"action": "reject"}}
        service = Service(moto, tmp_path, {**rekognition.environment, "ALWAYS": json.dumps(always)})
        service.put(pictures.png(red), "bad.png")
        service.put(pictures.png(), "good.png")
    rejected = service.record("bad.png")
    assert rejected.error is not None
    assert (rejected.status, rejected.error.code) == ("rejected", "ContentModeration::Rejected")
    assert "Weapons" in rejected.error.message
    assert service.record("good.png").status == "ready"
    assert service.keys_in(service.output) == ["thumb/photos/good.png"]
    assert rekognition.asked == ["DetectModerationLabels"] * 2, "each original is analysed once"


def test_a_file_that_is_too_large(moto: Moto, tmp_path: Path) -> None:
    service = Service(moto, tmp_path, {"MAX_SOURCE_BYTES": "3000"})
    answer = service.put(pictures.png(pictures.scene(300, 300)))
    rejected = service.record()
    assert rejected.error is not None
    assert (rejected.status, rejected.error.code) == ("rejected", "TooLargeImageException")
    assert "3000 bytes" in rejected.error.message
    assert [refused["code"] for refused in answer["refused"]] == ["TooLargeImageException"]


def test_records_without_an_output_bucket(moto: Moto, tmp_path: Path) -> None:
    service = Service(moto, tmp_path, {"OUTPUT_BUCKET": "", "UPLOAD_PRESETS": ""})
    assert service.put(pictures.jpeg()) == {"stored": [], "kept": [], "refused": [], "deleted": []}
    record = service.record()
    assert (record.status, record.variants, record.facts["format"]) == ("ready", (), "jpeg")
    assert service.delete()["deleted"] == ["cat.jpg"]


def test_a_sweep_ends_what_was_left_in_process(moto: Moto, tmp_path: Path) -> None:
    """One attempt was interrupted, and of another original all attempts were; the event of the scheduler ends both."""
    service = Service(moto, tmp_path, {"UPLOAD_STALE_SECONDS": "60", "UPLOAD_MAX_ATTEMPTS": "3"})
    for key, attempts in (("once.jpg", 1), ("always.jpg", 3)):
        service.put(pictures.jpeg(), key)
        ready = service.record(key)
        stale = replace(
            ready, status="processing", attempts=attempts, updated_at=ready.updated_at - timedelta(minutes=2)
        )
        assert service.records.write(stale, replaces=ready.revision)
    assert service.client.invoke({"task": "sweep"}) == {"swept": 2}
    assert service.record("once.jpg").status == "ready"
    failed = service.record("always.jpg")
    assert failed.error is not None
    assert (failed.status, failed.error.code, failed.variants) == ("failed", "Interrupted", ())
    assert service.keys_in(service.output) == ["thumb/photos/once.jpg"]
    assert service.client.invoke({"task": "sweep"}) == {"swept": 0}


def test_another_s3_and_events_of_its_kind(tmp_path: Path) -> None:
    """A second S3 server, which verifies signatures, with events as MinIO writes them."""
    for name in ("originals/photos", "variants"):
        (tmp_path / name).mkdir(parents=True)
    with rclone_server(tmp_path / "originals") as access:
        assert access.credentials is not None
        client = Client(
            {
                "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": access.endpoint_url_s3,
                "AWS_ACCESS_KEY_ID": access.credentials.access_key_id,
                "AWS_SECRET_ACCESS_KEY": access.credentials.secret_access_key, "SOURCE_BUCKETS": "photos",
                "OUTPUT_BUCKET": f"variants={(tmp_path / 'variants').as_uri()}",
                "RECORDS": f"sqlite:///{tmp_path}/records.db", "PRESETS": '{"thumb": "width=20&format=webp"}',
                "UPLOAD_PRESETS": "thumb",
            }
        )  # fmt: skip
        event = json.loads((EVENTS / "minio-put.json").read_text("utf-8"))
        details = event["Records"][0]["s3"]["object"]
        details["key"] = "cat.jpg"
        (tmp_path / "originals/photos/cat.jpg").write_bytes(pictures.jpeg())
        assert client.invoke(event)["stored"] == ["thumb/photos/cat.jpg"]
        (tmp_path / "originals/photos/cat.jpg").unlink()
        event["Records"][0]["eventName"] = "s3:ObjectRemoved:Delete"
        details["sequencer"] += "1"
        assert client.invoke(event)["deleted"] == ["cat.jpg"]
    assert [*(tmp_path / "variants").glob("thumb/**/*.jpg")] == []
