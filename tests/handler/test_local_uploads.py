"""`image-handler serve --uploads DIR`: uploads on a laptop, without AWS and without settings."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests import pictures
from tests.local_server import Server, serving

from handler.cli.commands import run
from handler.cli.local_uploads import add_uploads
from handler.config import Settings


def _wait_for(server: Server, status: str) -> dict[str, object]:
    until = time.monotonic() + 120
    while True:
        records = json.loads(server.ask("/_api/records").body)["records"]
        if records and all(record["status"] == status for record in records):
            found: dict[str, object] = records[0]
            return found
        assert time.monotonic() < until, records
        time.sleep(0.05)


def test_uploads_are_processed_beside_the_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "cat.png").write_bytes(pictures.png())
    with serving(tmp_path / "images", "--uploads", str(tmp_path / "state")) as server:
        url = f"http://127.0.0.1:{server.port}"
        assert run(["upload", "--url", url, str(tmp_path / "images")]) == 0
        assert "1 uploaded" in capsys.readouterr().out
        record = _wait_for(server, "ready")
        assert server.ask("/cat.png?bucket=uploads&width=10").status == 200
        variant = server.ask(f"/_api/records/{record['id']}/variants/0")
        assert (variant.status, variant.headers["content-type"]) == (200, "image/webp")
        assert server.ask(f"/_api/records/{record['id']}", "DELETE").status == 202
        _wait_for(server, "deleted")
    assert [path.name for path in (tmp_path / "images").rglob("*")] == ["cat.png"]
    assert [path for path in (tmp_path / "state" / "variants" / "thumbnail").rglob("*") if path.is_file()] == []
    assert not (tmp_path / "state" / "originals" / "cat.png").exists()


def test_settings_of_the_environment_stay(tmp_path: Path) -> None:
    given = {
        "SOURCE_BUCKETS": "pictures",
        "UPLOAD_SOURCE": "pictures",
        "RECORDS": "dynamodb://records",
        "OUTPUT_BUCKET": "results",
        "PRESETS": '{"small": "width=10"}',
        "UPLOAD_PRESETS": "small",
    }
    settings = Settings.from_environment(given)
    added = add_uploads(settings, tmp_path)
    assert added.replace(source_buckets="pictures") == settings
    assert added.storage.source_buckets == f"pictures,uploads={(tmp_path / 'originals').as_uri()}"


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert run(["serve", "--images", str(tmp_path), "--uploads", str(tmp_path / "file" / "state")]) == 2
    printed = capsys.readouterr().err
    assert "--uploads must be a folder" in printed
    assert len(printed.splitlines()) == 1
