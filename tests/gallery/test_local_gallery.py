"""`image-handler serve --uploads DIR --gallery`: the gallery on a laptop, without AWS and without settings."""

from __future__ import annotations

import stat
from pathlib import Path

import click
import pytest
from tests import pictures
from tests.gallery.visiting import Browser, over_http
from tests.local_server import SAMPLES, serving

from handler.cli.local_uploads import add_gallery
from handler.config import Settings

PNG = pictures.png(pictures.scene(60, 40))


def test_a_gallery_is_kept_from_one_server_to_the_next(tmp_path: Path) -> None:
    options = ("--uploads", str(tmp_path / "state"), "--gallery")
    with serving(SAMPLES, *options) as server:
        browser = Browser(over_http(server))
        picture = browser.keep(PNG)
        result = browser.post(f"/pictures/{picture['id']}/results", recipe="smaller").json()
        assert browser.fetch(result["url"]).status == 200
        path = result["url"].partition("?")[0]
        assert browser.fetch(path).status == 403, "the original is private"
    assert f"The gallery is at http://127.0.0.1:{server.port}/_gallery/\n" in server.log
    secret = tmp_path / "state" / "signature-secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    before = secret.read_text()
    with serving(SAMPLES, *options) as server:
        again = Browser(over_http(server), browser.cookie)
        assert [each["id"] for each in again.pictures()] == [picture["id"]]
        assert again.fetch(result["url"]).status == 200
    assert (secret.read_text(), [path.name for path in secret.parent.glob("tmp*")]) == (before, [])


def test_settings_of_a_gallery_in_the_environment_stay(tmp_path: Path) -> None:
    given = {
        "SOURCE_BUCKETS": f"photos={tmp_path.as_uri()}",
        "GALLERY_SOURCE": "photos",
        "RECORDS": "dynamodb://records",
        "SECRETS_MANAGER": "secret",
    }
    settings = Settings.from_environment(given)
    assert add_gallery(settings, tmp_path) == settings
    assert [*tmp_path.iterdir()] == []


def test_a_gallery_needs_a_folder() -> None:
    with pytest.raises(click.UsageError, match="--uploads"):
        add_gallery(Settings(), None)
