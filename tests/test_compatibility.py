"""What docs/compatibility.md says is built answers, and its lists name what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests import pictures
from tests.client import Client

from handler.config import SETTINGS
from handler.requests.dialects.thumbor import aws, effects, filters

DOCUMENT = (Path(__file__).parent.parent / "docs/compatibility.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"`\?([^`]+)`", DOCUMENT)
FOR_MODELS = ("smartCropping", "contentModeration")
"""What needs eyes, which the tests of these features bring."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "cat.jpg").write_bytes(pictures.jpeg(pictures.scene(640, 480)))
    (folder / "overlay.png").write_bytes(pictures.png(pictures.scene(64, 48)))
    (folder / "overlay.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><defs><linearGradient id="g">'
        '<stop stop-opacity="0"/><stop offset="1"/></linearGradient></defs>'
        '<rect width="64" height="48" fill="url(#g)"/></svg>'
    )
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", "PUBLIC_FEATURES": "*"})


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_called_built_answers(client: Client, query: str) -> None:
    if query.startswith(FOR_MODELS):
        assert client.get("/nosuch.jpg?" + query).status == 404  # understood
    else:
        answer = client.get("/cat.jpg?" + query)
        assert answer.status == 200, answer.body


def test_every_filter_is_listed() -> None:
    known = {*filters.GEOMETRY_FILTERS, *filters.OUTPUT_FILTERS, *effects.EFFECTS, *aws.FILTERS}
    assert {name for name in known if f"`{name}" not in DOCUMENT} == set()


def test_settings_that_are_named_exist() -> None:
    ours = {setting.variable for setting in SETTINGS.values()}
    of_thumbor = {"AUTO_AVIF", "AUTO_HEIF", "AUTO_JPG", "AUTO_PNG", "AUTO_PNG_TO_JPG", "RESPECT_ORIENTATION"}
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", DOCUMENT)) - of_thumbor <= ours
