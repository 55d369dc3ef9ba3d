"""The entry point: each event reaches its entrypoint, and an unexpected exception is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client, answered, size

from handler import app
from handler.composition import wiring
from handler.config import Settings, SettingsError
from handler.core.errors import HandlerError

EVENTS = Path(__file__).parents[1] / "events"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    output.mkdir()
    (source / "cat.jpg").write_bytes(pictures.jpeg(pictures.scene(64, 48)))
    return source, output


def upload_event(bucket: str, key: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": bucket},
            "object": {"key": key, "size": 5, "etag": "e", "sequencer": "00617F08299329D189"},
            "reason": "PutObject",
        },
    }
    return event


def test_an_unexpected_exception_is_a_500_without_detail(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{folders[0]}"})

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the cellar is flooded")

    monkeypatch.setattr("handler.entrypoints.http.render", broken)
    answer = client.get("/cat.jpg?width=9")
    assert answer.status == 500
    assert answer.json() == {"status": 500, "code": "InternalError", "message": "the image could not be rendered"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_upload_without_a_place_for_results_is_brought_again(folders: tuple[Path, Path]) -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{folders[0]}"})
    with pytest.raises(HandlerError, match="OUTPUT_BUCKET"):
        client.invoke(upload_event("p", "cat.jpg"))


def test_settings_that_conflict_are_reported_together(folders: tuple[Path, Path]) -> None:
    with pytest.raises(SettingsError) as told:
        wiring.build(
            Settings.from_environment(
                {
                    "SOURCE_BUCKETS": "ftp://nowhere",
                    "PRESETS": '{"thumb": {"resize": {"width": -1}}}',
                    "IGNORED_PARAMETERS": "sig*",
                }
            )
        )
    for word in ("ftp://nowhere", "PRESETS.thumb", "IGNORED_PARAMETERS"):
        assert word in str(told.value)


@pytest.mark.parametrize(
    ("variable", "said", "word"),
    [
        ("PRESETS", "[1]", "PRESETS"),
        ("PRESETS", '{"a": {"nosuch": 1}}', "PRESETS.a.nosuch"),
        ("PRESETS", "{", "PRESETS"),
        ("ALWAYS", '{"blur": 0}', "ALWAYS.blur"),
        ("PUBLIC_FEATURES", "nosuch", "nosuch"),
        ("UPLOAD_PRESETS", "nosuch", "nosuch"),
        ("SIGNATURE_SECRET_FILE", "/nowhere/secret", "/nowhere/secret"),
        ("DEFAULT_FALLBACK_IMAGE_BUCKET", "nosuch", "nosuch"),
        ("CORS_ORIGIN", "a\r\nb", "CORS_ORIGIN"),
    ],
)
def test_a_setting_that_is_wrong_is_named(folders: tuple[Path, Path], variable: str, said: str, word: str) -> None:
    source, output = folders
    environment = {"SOURCE_BUCKETS": f"p=file://{source}", "OUTPUT_BUCKET": f"o=file://{output}"}
    if variable.startswith("DEFAULT_FALLBACK"):
        environment |= {"ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes", "DEFAULT_FALLBACK_IMAGE_KEY": "cat.jpg"}
    with pytest.raises(SettingsError, match=word):
        wiring.build(Settings.from_environment({**environment, variable: said}))


def test_a_broken_setting_is_a_500_that_the_log_explains_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wiring, "_built", [])
    monkeypatch.setattr(app, "_logged_faults", set())
    monkeypatch.setenv("PRESETS", '{"thumb": "widht=100"}')
    event = json.loads((EVENTS / "function-url.json").read_text("utf-8"))
    for _ in range(2):
        answer = answered(app.lambda_handler(event, None))
        assert (answer.status, answer.json()["code"]) == (500, "Configuration")
        assert b"widht" not in answer.body, "what is wrong is for the operator"
        assert answered(app.lambda_handler({"imageKey": "cat.jpg"}, None)).status == 500
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ["PRESETS.thumb" in str(line.get("faults")) for line in lines] == [True]
    with pytest.raises(SettingsError, match="widht"):  # the queue keeps the message
        app.lambda_handler(upload_event("b", "cat.jpg"), None)
    assert "widht" in str(app.lambda_handler({"task": "self-check"}, None)["faults"])


def test_presets_and_always_may_be_stored_in_an_object(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "presets.json").write_text(json.dumps({"thumb": "width=20"}))
    (tmp_path / "always.json").write_text(json.dumps({"toFormat": "png"}))
    client = Client(
        {
            "SOURCE_BUCKETS": f"p=file://{folders[0]}",
            "PRESETS": f"file://{tmp_path}/presets.json",
            "ALWAYS": f"file://{tmp_path}/always.json",
        }
    )
    answer = client.get("/cat.jpg?preset=thumb")
    assert size(answer.body) == (20, 15)
    assert answer.headers["Content-Type"] == "image/png"


def test_the_application_is_built_from_the_environment_once(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_BUCKETS", f"p=file://{folders[0]}")
    monkeypatch.setattr(wiring, "_built", [])
    event = json.loads((EVENTS / "function-url.json").read_text())
    assert answered(app.lambda_handler(event, None)).status == 200
    assert wiring.application() is wiring.application()
