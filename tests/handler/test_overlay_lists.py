"""Several overlays of one kind, in the order of a list: in queries, in JSON and in the paths of other languages."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import pyvips
from tests import pictures
from tests.client import Answered, Client

COLOURS = {"red": [250, 0, 0], "green": [0, 250, 0]}


@pytest.fixture
def served(tmp_path: Path) -> Client:
    (tmp_path / "cat.png").write_bytes(pictures.scene(80, 60).pngsave_buffer())
    for name, levels in COLOURS.items():
        image: Any = (pyvips.Image.black(20, 20, bands=3) + levels).cast("uchar").copy(interpretation="srgb")
        (tmp_path / f"{name}.png").write_bytes(image.pngsave_buffer())
    presets = {"both": {"watermark": [{"key": "red.png"}, {"key": "green.png", "left": 0}]}}
    return Client(
        {
            "SOURCE_BUCKETS": f"p=file://{tmp_path}",
            "PRESETS": json.dumps(presets),
            "DIALECTS": "json,imagor,query",
        }
    )


def levels(answer: Answered) -> Any:
    assert answer.status == 200, answer.body
    return pyvips.Image.new_from_buffer(answer.body, "")[:3].numpy()


LIST = [{"key": "red.png", "left": 0, "top": 0}, {"key": "green.png", "left": 10, "top": 10}]
QUERY = (
    "watermark.0.key=red.png&watermark.0.left=0&watermark.0.top=0"
    "&watermark.1.key=green.png&watermark.1.left=10&watermark.1.top=10"
)


def in_json(edits: object) -> str:
    return "/" + base64.urlsafe_b64encode(json.dumps({"key": "cat.png", "edits": edits}).encode()).decode()


def test_the_last_of_a_list_is_on_top(served: Client) -> None:
    both = levels(served.get(f"/cat.png?{QUERY}&format=png"))
    assert (both[5, 5] == COLOURS["red"]).all()
    assert (both[15, 15] == COLOURS["green"]).all()
    assert (both[25, 25] == COLOURS["green"]).all()
    other = levels(served.get(in_json({"watermark": LIST[::-1], "toFormat": "png"})))
    assert (other[15, 15] == COLOURS["red"]).all()


def test_query_json_steps_and_paths_have_the_same_list(served: Client) -> None:
    query = served.get(f"/cat.png?{QUERY}&format=png")
    steps = quote(json.dumps([{"watermark": each} for each in LIST]))
    path = "/unsafe/filters:watermark(red.png,0,0):watermark(green.png,10,10):format(png)/cat.png"
    for address in (in_json({"watermark": LIST, "toFormat": "png"}), f"/cat.png?steps={steps}&format=png", path):
        assert np.array_equal(levels(served.get(address)), levels(query)), address
    assert query.headers["ETag"] == served.get(in_json({"watermark": LIST, "toFormat": "png"})).headers["ETag"]


def test_a_list_keeps_the_place_of_its_feature(served: Client) -> None:
    # After the resize and before the tint, wherever it stands.
    explained = served.get(f"/_api/explain?url={quote(f'/cat.png?tint=blue&{QUERY}&width=40', safe='')}").json()
    assert [step["feature"] for step in explained["steps"]] == ["resize", "watermark", "watermark", "tint"]


def test_a_list_replaces_that_of_a_preset(served: Client) -> None:
    address = f"/_api/explain?url={quote('/cat.png?preset=both&blur=3&watermark=green.png', safe='')}"
    assert [step["feature"] for step in served.get(address).json()["steps"]] == ["blur", "watermark"]
    address = f"/_api/explain?url={quote('/cat.png?preset=both&blur=3', safe='')}"
    assert [step["feature"] for step in served.get(address).json()["steps"]] == ["blur", "watermark", "watermark"]


def test_translate_keeps_a_list(served: Client) -> None:
    for to in ("query", "json"):
        made = served.get(f"/_api/translate?url={quote(f'/cat.png?{QUERY}', safe='')}&to={to}").json()
        assert made["unsaid"] == []
        assert np.array_equal(levels(served.get(made["url"])), levels(served.get(f"/cat.png?{QUERY}")))


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("watermark.0.key=red.png&watermark.0.key=red.png", "watermark.0.key"),
        ("watermark.0.key=red.png&watermark.2.key=red.png", "`watermark.1` must be given"),
        ("watermark.1.key=red.png", "`watermark.0` must be given"),
        ("watermark.0.key=red.png&watermark.key=red.png", "`watermark` must be given with numbers alone"),
        ("watermark.0.key=red.png&watermark.1.opacity=200&watermark.1.key=a", "`watermark.1.opacity` must be"),
        ("watermark.0.nosuch=1", "`watermark.0.nosuch` must be a known parameter"),
        ("watermark.0.opacity=3", "`watermark.key` must be given"),
        ("blur.0.sigma=3", "`blur.0.sigma` must be written without a number"),
        ("nosuch.0.sigma=3", "`nosuch.0.sigma` must be one of"),
        ("&".join(f"watermark.{n}.key=red.png" for n in range(17)), "`watermark` must be 1 to 16 objects"),
    ],
)
def test_a_bad_list_is_refused_by_name(served: Client, query: str, named: str) -> None:
    answer = served.get(f"/cat.png?{query}")
    assert answer.status == 400
    assert named in answer.json()["message"]


def test_a_bad_list_in_json_is_refused_by_name(served: Client) -> None:
    answer = served.get(in_json({"watermark": [LIST[0], {"key": "red.png", "opacity": 200}]}))
    assert answer.status == 400
    assert "`edits.watermark[1].opacity` must be" in answer.json()["message"]
    assert served.get(in_json({"blur": [{"sigma": 3}]})).status == 400


def test_texts_gradients_and_shapes_are_listed_too(served: Client) -> None:
    edits = {
        "shape": [{"color": "red", "width": 10, "height": 10}, {"color": "lime", "width": 4, "height": 4}],
        "gradient": [{"angle": 0, "opacity": 1}, {"angle": 90, "opacity": 1}],
        "toFormat": "png",
    }
    made = levels(served.get(in_json(edits)))
    assert (made[30, 40] == [0, 255, 0]).all()
    # Under one per cent of black.
    assert abs(made[26, 36].astype(int) - [255, 0, 0]).max() <= 5
