"""The headers X-Image-*: what an image is, and what its original is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests import pictures
from tests.client import Answered, Client

from handler.render import render

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    originals = tmp_path / "originals"
    originals.mkdir()
    (tmp_path / "results").mkdir()
    (originals / "turned.jpg").write_bytes(pictures.jpeg(pictures.scene(60, 80), orientation=6))
    (originals / "film.gif").write_bytes(pictures.gif(pictures.film(40, 30, delays=(100, 200))))
    return {
        "SOURCE_BUCKETS": f"p=file://{originals}",
        "RESULTS_BUCKET": f"r=file://{tmp_path / 'results'}",
        "STORE_RESULTS": "Yes",
        "SOURCE_PATHS": "cards/=_canvas",
        "IMAGE_HEADERS": "Yes",
        "CORS_ENABLED": "Yes",
    }


def facts(answer: Answered) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("X-Image-")}


def test_an_image_tells_its_size_and_that_of_its_original(environment: dict[str, str]) -> None:
    client = Client(environment)
    answer = client.get("/turned.jpg?width=30&format=webp")
    assert facts(answer) == {
        "X-Image-Format": "webp",
        "X-Image-Width": "30",
        "X-Image-Height": "40",
        "X-Image-Frames": "1",
        "X-Image-Original-Format": "jpeg",
        "X-Image-Original-Width": "60",
        "X-Image-Original-Height": "80",
        "X-Image-Original-Frames": "1",
        "X-Image-Original-Bytes": str(len(Path(environment["SOURCE_BUCKETS"][9:], "turned.jpg").read_bytes())),
    }
    assert answer.headers["Access-Control-Expose-Headers"].split(", ") == list(facts(answer))
    film = facts(client.get("/film.gif?width=20"))
    assert (film["X-Image-Frames"], film["X-Image-Original-Frames"]) == ("2", "2")
    still = facts(client.get("/film.gif?width=20&format=png"))
    assert (still["X-Image-Frames"], still["X-Image-Original-Frames"]) == ("1", "2")
    assert facts(client.get("/turned.jpg?width=30", method="HEAD")) == facts(client.get("/turned.jpg?width=30"))


def test_a_stored_result_has_the_same_headers(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    address = "/turned.jpg?width=30&blur=3&format=avif"
    # The setting is not a part of what is stored.
    first = Client(environment | {"IMAGE_HEADERS": "No"}).get(address)
    assert not facts(first)
    assert "Access-Control-Expose-Headers" not in first.headers
    monkeypatch.setattr(render, "run", None)  # it is not drawn again
    again = Client(environment).get(address)
    assert again.body == first.body
    assert facts(again)["X-Image-Original-Width"] == "60"
    assert len(facts(again)) == 9


def test_a_canvas_has_no_original(environment: dict[str, str]) -> None:
    client = Client(environment)
    for address in ("/_canvas?width=50&height=20", "/cards/50x20-red?blur=2"):
        told = facts(client.get(address))
        assert told["X-Image-Width"] == "50"
        assert not [name for name in told if "Original" in name]


def test_other_answers_have_none(environment: dict[str, str]) -> None:
    client = Client(environment)
    etag = client.get("/turned.jpg").headers["ETag"]
    answers = [
        client.get("/turned.jpg?info=true"),
        client.get("/turned.jpg?width=-5"),
        client.get("/nosuch.jpg"),
        client.get("/turned.jpg", If_None_Match=etag),
    ]
    assert [answer.status for answer in answers] == [200, 400, 404, 304]
    assert not any(facts(answer) for answer in answers)


def test_the_documents_list_them_all(environment: dict[str, str]) -> None:
    client = Client(environment)
    sent = set(facts(client.get("/turned.jpg")))
    page = (ROOT / "docs/urls.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(X-Image-[\w-]+)`", page)) == sent
    picture = client.get("/_api/openapi.json").json()["components"]["responses"]["Picture"]
    assert set(picture["headers"]) == sent
