"""contentModeration through the real door: nothing that moderation keeps back leaves, and nobody is asked twice."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pyvips
from tests import pictures
from tests.client import Client, size
from tests.handler.detection.conftest import Serve
from tests.stand_ins.rekognition import Fault, Rekognition

from imaging import Deadline, ObjectRef

REJECT = json.dumps({"contentModeration": {"action": "reject"}})


def red(width: int = 200, height: int = 150) -> Any:
    """What the stand-in takes offence at."""
    return (pyvips.Image.black(width, height, bands=3) + [220, 20, 20]).cast("uchar").copy(interpretation="srgb")


def reds(picture: Any) -> dict[str, float]:
    red, green, *_ = (band.avg() for band in picture.bandsplit())
    return {"Exposed Buttocks or Anus": 97.5, "Weapons": 40.0} if red > green + 60 else {}


@pytest.fixture(autouse=True)
def _offended(rekognition: Rekognition, folder: Path) -> None:
    rekognition.labels = reds
    (folder / "bad.png").write_bytes(pictures.png(red()))
    (folder / "good.jpg").write_bytes(pictures.jpeg())


@pytest.mark.parametrize(
    "address",
    [
        "/bad.png",
        "/bad.png?width=50",
        "/bad.png?info=true",
        "/bad.png?preset=thumb",
        "/_key/bad.png",
        "/good.jpg?watermark.key=bad.png",
        "/good.jpg?watermark.key=bad.png&info=true",
        "/good.jpg?watermark.address=/bad.png%3Fnegate=true",
        "/good.jpg?watermark.address=/good.jpg%3Fwatermark.address=/bad.png%253Fcrop.width=1",
        "/good.jpg?steps=[{%22watermark%22:{%22address%22:%22/bad.png%22}}]&info=true",
        "/" + base64.b64encode(b'{"key": "bad.png", "edits": {"grayscale": true}}').decode(),
        "/bad.png?contentModeration.minConfidence=99",
        "/bad.png?contentModeration.action=report",
    ],
)
def test_always_moderates_every_answer(serve: Serve, address: str) -> None:
    client = serve(ALWAYS=REJECT, PRESETS='{"thumb": {"resize": {"width": 9}}}')
    refused = client.get(address)
    assert refused.status == 403
    said = refused.json()
    assert said["code"] == "ContentModeration::Rejected"
    assert "Exposed Buttocks or Anus, Explicit Nudity, Explicit" in said["message"]
    assert client.get(address, method="HEAD").status == 403
    assert client.get(address, if_none_match="*").status == 403


def test_what_is_clean_leaves_as_if_nobody_had_looked(serve: Serve) -> None:
    plain = serve().get("/good.jpg")
    watched = serve(ALWAYS=REJECT).get("/good.jpg")
    assert (watched.status, watched.body) == (200, plain.body)
    assert watched.headers["Cache-Control"] == plain.headers["Cache-Control"]


def test_the_fallback_picture_is_judged_too(serve: Serve) -> None:
    fallback = {"ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes", "DEFAULT_FALLBACK_IMAGE_KEY": "bad.png"}
    answer = serve(ALWAYS=REJECT, **fallback).get("/nothing.jpg")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/json")
    assert answer.headers["X-Fallback-Error"] == "ContentModeration::Rejected"


def test_posted_pictures_are_judged_by_their_bytes(serve: Serve, rekognition: Rekognition) -> None:
    client = serve(ALWAYS=REJECT)
    for _ in range(2):
        refused = client.invoke({"image": base64.b64encode(pictures.png(red())).decode()})
        assert (refused["status"], refused["code"]) == (403, "ContentModeration::Rejected")
    assert "image" in client.invoke({"image": base64.b64encode(pictures.png()).decode()})
    assert len(rekognition.asked) == 2


def test_uploads_are_judged(serve: Serve, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    client = serve(
        ALWAYS=REJECT, OUTPUT_BUCKET=f"out=file://{output}", UPLOAD_PRESETS="thumb",
        PRESETS='{"thumb": {"resize": {"width": 9}}}',
    )  # fmt: skip
    assert client.application.uploads is not None
    # Only S3 tells of uploads; here its bucket is a folder.
    door = msgspec.structs.replace(client.application.uploads(), source_of=lambda _, key: ObjectRef("pictures", key))
    records = [_created("bad.png"), _created("good.jpg")]
    report = door.handle({"Records": records}, Deadline.after(20))
    assert [refusal["code"] for refusal in report["refused"]] == ["ContentModeration::Rejected"]  # type: ignore[attr-defined]  # a report is JSON
    assert report["stored"] == ["thumb/pictures/good.jpg"]


def _created(key: str) -> dict[str, Any]:
    event = json.loads((Path(__file__).parents[2] / "events" / "s3-put.json").read_text())["Records"][0]
    event["s3"]["object"]["key"] = key
    event["s3"]["bucket"]["name"] = "pictures"
    return dict(event)


def test_an_original_is_judged_once_for_all_of_its_variations(serve: Serve, rekognition: Rekognition) -> None:
    client = serve(ALWAYS=REJECT)
    for query in ("", "?width=50", "?blur=3", "?info=true", "?watermark.key=good.jpg", "?contentModeration=true"):
        assert client.get(f"/good.jpg{query}").status == 200
    assert rekognition.asked == ["DetectModerationLabels"]


def test_a_new_original_under_the_old_key_is_judged_anew(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    client = serve(ALWAYS=REJECT)
    assert client.get("/good.jpg").status == 200
    (folder / "good.jpg").write_bytes(pictures.jpeg(red(321, 123)))
    assert client.get("/good.jpg").status == 403
    assert len(rekognition.asked) == 2


def test_verdicts_outlive_the_process_in_the_private_part_of_the_results(
    serve: Serve, tmp_path: Path, rekognition: Rekognition
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    settings = {"ALWAYS": REJECT, "RESULTS_BUCKET": f"kept=file://{results}"}
    assert serve(**settings).get("/bad.png").status == 403
    assert serve(**settings).get("/bad.png?width=50").status == 403
    assert rekognition.asked == ["DetectModerationLabels"]
    kept = [path for path in results.rglob("*.json") if ".results" not in path.parts]
    assert [path.relative_to(results).parts[0] for path in kept] == ["detections"]
    kept[0].write_text("broken")
    assert serve(**settings).get("/bad.png").status == 403
    assert len(rekognition.asked) == 2
    assert json.loads(kept[0].read_text())["model"] == "7.0"


def test_a_newer_model_is_asked_again(serve: Serve, tmp_path: Path, rekognition: Rekognition) -> None:
    results = tmp_path / "results"
    results.mkdir()
    settings = {"ALWAYS": REJECT, "RESULTS_BUCKET": f"kept=file://{results}"}
    serve(**settings).get("/bad.png")
    rekognition.version = "8.0"
    client = serve(**settings)
    client.get("/good.jpg")
    assert client.get("/bad.png").status == 403
    assert client.get("/bad.png").status == 403
    assert len(rekognition.asked) == 3


def test_the_verdict_is_part_of_what_names_an_answer(serve: Serve, rekognition: Rekognition) -> None:
    first = serve().get("/bad.png?contentModeration=blur&format=png")
    rekognition.labels = lambda _: {}
    second = serve().get("/bad.png?contentModeration=blur&format=png")
    assert first.headers["ETag"] != second.headers["ETag"]
    again = serve().get("/bad.png?contentModeration=blur&format=png", if_none_match=second.headers["ETag"])
    assert again.status == 304


def test_the_report_and_aws_words_for_it(serve: Serve) -> None:
    said = serve().get("/bad.png?feature=contentModeration&action=report&minConfidence=30").json()
    assert said["flagged"]
    assert [label["name"] for label in said["moderationLabels"]] == [
        "Exposed Buttocks or Anus", "Explicit Nudity", "Explicit", "Weapons", "Violence",
    ]  # fmt: skip
    assert said["moderationLabels"][0]["above"] == ["Explicit Nudity", "Explicit"]
    edits = {"contentModeration": {"minConfidence": 90, "blur": 80, "moderationLabels": ["Violence"]}}
    path = base64.b64encode(json.dumps({"key": "bad.png", "edits": edits}).encode()).decode()
    clean = serve().get(f"/{path}")
    assert (clean.status, size(clean.body)) == (200, (200, 150))


def test_five_frames_of_an_animation_are_judged_together(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    frames = [*(pictures.scene(turn=3 * index) for index in range(9)), red(160, 120)]
    tall = pyvips.Image.arrayjoin(frames, across=1).copy()
    tall.set_type(pyvips.GValue.gint_type, "page-height", 120)
    (folder / "film.webp").write_bytes(bytes(tall.webpsave_buffer()))
    assert serve(ALWAYS=REJECT).get("/film.webp?page=0").status == 403
    assert len(rekognition.asked) == 5


def test_what_is_billed_wants_a_signature(serve: Serve) -> None:
    refused = serve(PUBLIC_FEATURES="").get("/bad.png?contentModeration=true")
    assert (refused.status, refused.json()["code"]) == (403, "Forbidden")


def test_without_rekognition_it_says_what_to_set(serve: Serve) -> None:
    refused = serve(VISION="local").get("/bad.png?contentModeration=true")
    assert refused.status == 501
    assert "VISION=rekognition" in refused.json()["message"]
    assert serve(VISION="local", ALWAYS=REJECT).get("/good.jpg").status == 501


def _faults(rekognition: Rekognition, code: str, count: int = 3, status: int = 400) -> None:
    rekognition.faults = [Fault(code, status)] * count


@pytest.mark.parametrize("fail", ["closed", "open"])
def test_a_picture_that_cannot_be_judged_is_refused(serve: Serve, rekognition: Rekognition, fail: str) -> None:
    _faults(rekognition, "InvalidImageFormatException")
    assert serve(ALWAYS=REJECT, MODERATION_FAIL=fail).get("/good.jpg").status == 422
    assert len(rekognition.asked) == 1


def test_open_lets_pictures_pass_unjudged_and_nobody_keeps_them(serve: Serve, rekognition: Rekognition) -> None:
    client = serve(ALWAYS=REJECT, MODERATION_FAIL="open", ENABLE_SIGNATURE="No")
    _faults(rekognition, "ThrottlingException")
    answer = client.get("/bad.png?expires=29991231T235959Z")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "Expires" not in answer.headers
    assert client.get("/bad.png").status == 403


def test_damage_is_reported_for_the_damaged_file(serve: Serve, folder: Path) -> None:
    client: Client = serve(ALWAYS=REJECT)
    (folder / "broken.jpg").write_bytes(pictures.jpeg()[:3000])
    assert client.get("/broken.jpg").status == 422
    refused = client.get("/good.jpg?watermark.key=broken.jpg")
    assert refused.status == 422
    assert "`broken.jpg`" in refused.json()["message"]
