"""`steps`: edits in an order of their own, presets between them, and presets of presets."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pictures
from tests.client import Answered, Client, size

from handler.core.errors import HandlerError
from handler.requests.parse import parse_request
from handler.requests.policy import Policy
from handler.requests.presets import read_presets, read_recipe
from imaging import InvalidParameter, describe_steps

PRESETS = {"half": {"resize": {"width": 60}, "toFormat": "webp"}, "soft": "blur.sigma=3&quality=40"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cat.png").write_bytes(pictures.scene(120, 80).pngsave_buffer())
    return tmp_path


def client(folder: Path, **more: str) -> Client:
    return Client({"SOURCE_BUCKETS": f"pictures=file://{folder}", "PRESETS": json.dumps(PRESETS), **more})


def query(steps: object, more: str = "") -> str:
    return f"/cat.png?steps={quote(json.dumps(steps))}{more}"


def in_json(edits: object) -> str:
    return "/" + base64.urlsafe_b64encode(json.dumps({"key": "cat.png", "edits": edits}).encode()).decode()


def levels(answer: Answered) -> Any:
    assert answer.status == 200, answer.body
    return pyvips.Image.new_from_buffer(answer.body, "").numpy()


def test_steps_are_applied_in_their_order(folder: Path) -> None:
    served = client(folder)
    corner = {"crop": {"left": 0, "top": 0, "width": 30, "height": 30}}
    small = {"resize": {"width": 60}}
    cut_first = levels(served.get(query([corner, small], "&format=png")))
    cut_last = levels(served.get(query([small, corner], "&format=png")))
    assert cut_first.shape[:2] == (60, 60)
    assert cut_last.shape[:2] == (30, 30)
    original = pictures.scene(120, 80)
    expected = original.resize(0.5).crop(0, 0, 30, 30).numpy()
    assert np.abs(cut_last.astype(float) - expected).mean() < 2


def test_a_feature_may_occur_several_times(folder: Path) -> None:
    served = client(folder)
    steps = [{"rotate": 90}, {"extend": {"top": 5, "background": "red"}}, {"rotate": 90}, {"extend": {"left": 7}}]
    assert size(served.get(query(steps)).body) == (120 + 5 + 7, 80)


def test_json_and_query_have_the_same_chain(folder: Path) -> None:
    served = client(folder)
    steps = [{"resize": {"width": 40}, "grayscale": True}, {"preset": "soft"}, {"rotate": 90}]
    ours, theirs = served.get(query(steps)), served.get(in_json({"steps": steps}))
    assert ours.body == theirs.body
    assert ours.headers["ETag"] == theirs.headers["ETag"]


def test_edits_beside_steps_apply_first_and_output_options_concern_the_whole(folder: Path) -> None:
    served = client(folder)
    answer = served.get(query([{"extend": {"top": 10}}], "&width=60&format=webp"))
    assert answer.headers["Content-Type"] == "image/webp"
    assert size(answer.body) == (60, 50)


def test_another_order_has_another_etag(folder: Path) -> None:
    served = client(folder)
    one, other = [{"blur": 3}, {"negate": True}], [{"negate": True}, {"blur": 3}]
    etags = {served.get(query(steps)).headers["ETag"] for steps in (one, other, [{"blur": 3}])}
    assert len(etags) == 3
    again = served.get(query(one), If_None_Match=served.get(query(one)).headers["ETag"])
    assert again.status == 304


def test_a_preset_is_applied_where_it_stands(folder: Path) -> None:
    served = client(folder)
    steps = [{"extend": {"left": 30}}, {"preset": "half"}]
    answer = served.get(query(steps))
    assert answer.headers["Content-Type"] == "image/webp"
    assert size(answer.body)[0] == 60
    assert size(served.get(query(steps[::-1])).body)[0] == 90
    # What the URL says itself wins over the preset's output options.
    assert served.get(query(steps, "&format=png")).headers["Content-Type"] == "image/png"


def test_presets_are_made_of_presets() -> None:
    made = read_presets(
        {
            "card": {"steps": [{"preset": "half"}, {"rotate": 90}, {"preset": "tinted"}]},
            "tinted": 'steps=[{"tint":"red"},{"preset":"soft"}]',
            **PRESETS,
        }
    )
    assert [step.feature.name for step in made["card"].steps] == ["resize", "rotate", "tint", "blur"]
    assert made["card"].output.format == "webp"
    assert made["card"].output.quality == 40
    assert list(made) == ["card", "tinted", "half", "soft"]


@pytest.mark.parametrize(
    ("presets", "message"),
    [
        ({"a": {"steps": [{"preset": "b"}]}, "b": {"steps": [{"preset": "a"}]}}, "a → b → a"),
        ({"a": {"steps": [{"preset": "a"}]}}, "a → a"),
        ({"a": {"steps": [{"blur": 2}, {"preset": "c"}]}}, "PRESETS.a.steps[1].preset"),
        (
            {"a0": "blur=3", **{f"a{n + 1}": {"steps": [{"preset": f"a{n}"}] * 2} for n in range(40)}},
            "at most 64 steps",
        ),
    ],
)
def test_presets_that_cannot_be_completed_are_named(presets: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, InvalidParameter)) as caught:
        read_presets(presets)
    assert message in str(caught.value)


def test_a_recipe_outside_of_presets_names_none() -> None:
    with pytest.raises(InvalidParameter, match=r"ALWAYS.steps\[0\].preset"):
        read_recipe({"steps": [{"preset": "soft"}]}, "ALWAYS")


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ("[", "`steps` must be a JSON list"),
        ("{}", "`steps` must be a list of 1 to 64 edits"),
        ("[]", "`steps` must be a list of 1 to 64 edits"),
        (json.dumps([{"flip": True}] * 65), "`steps` must be a list of 1 to 64 edits"),
        ('[{"flip":true},3]', "`steps[1]` must be an object of edits"),
        ('[{"flip":true},{}]', "`steps[1]` must be an object of edits"),
        ('[{"flip":true},{"blurr":3}]', "`steps[1].blurr` must be one of"),
        ('[{"flip":true},{"blur":{"sigma":-3}}]', "`steps[1].blur.sigma` must be"),
        ('[{"blur":3,"blur":4}]', "`blur` must be given once"),
        ('[{"quality":3}]', "`steps[0].quality` must be left out"),
        ('[{"steps":[{"flip":true}]}]', "`steps[0].steps` must be left out"),
        ('[{"preset":"half","flip":true}]', "`steps[0].preset` must be the name of a preset, and alone"),
        ('[{"flip":true},{"preset":"none"}]', "`steps[1].preset` must be one of half, soft"),
        ('[{"info":true},{"flip":true}]', "`steps[1]` must be left out behind `info`"),
    ],
)
def test_bad_steps_are_refused_by_name_and_index(folder: Path, steps: str, named: str) -> None:
    answer = client(folder).get(f"/cat.png?steps={quote(steps)}")
    assert answer.status == 400
    assert named in answer.json()["message"]


def test_steps_are_given_once(folder: Path) -> None:
    one = quote('[{"flip":true}]')
    assert client(folder).get(f"/cat.png?steps={one}&steps={one}").status == 400


def test_what_is_closed_to_the_public_is_closed_in_a_chain(folder: Path) -> None:
    served = client(folder)
    answer = served.get(query([{"flip": True}, {"smartCropping": True}]))
    assert answer.status == 403
    assert "`smartCropping` is not open to all" in answer.json()["message"]
    only = client(folder, PRESETS_ONLY="Yes")
    assert only.get(query([{"flip": True}])).status == 403
    assert only.get("/cat.png?preset=half").status == 200


def test_the_budget_counts_the_whole_chain(folder: Path) -> None:
    sigma = [{"median": 9}, {"rotate": 20}]
    served = client(folder, WORK_BUDGET="1")
    assert served.get(query(sigma)).status == 200
    refused = served.get(query(sigma * 30))
    assert refused.status == 413
    assert "as step" in refused.json()["message"]
    assert served.get(query([{"flip": True}] * 64, "&flop=1")).status == 413


def test_a_redaction_comes_first_wherever_it_stands(folder: Path) -> None:
    served = client(folder)
    hidden = {"redact": {"areas": "0,0,60,80", "mode": "fill", "color": "black"}}
    steps = [{"crop": {"left": 0, "top": 0, "width": 40, "height": 40}}, {"negate": True}]
    first = levels(served.get(query([hidden, *steps], "&format=png")))
    last = levels(served.get(query([*steps, hidden], "&format=png")))
    assert np.array_equal(first, last)
    assert (last == 255).all()  # black behind `negate`: the box was hidden in the original


def test_animations_keep_their_frames_through_a_chain(folder: Path) -> None:
    (folder / "run.gif").write_bytes(pictures.gif(pictures.film()))
    served = client(folder)
    steps = quote(json.dumps([{"resize": {"width": 12}}, {"rotate": 90}, {"extend": {"left": 3}}]))
    answer = served.get(f"/run.gif?steps={steps}&format=webp")
    image = pyvips.Image.new_from_buffer(answer.body, "", n=-1)
    before = pyvips.Image.new_from_buffer(pictures.gif(pictures.film()), "", n=-1)
    assert image.get("n-pages") == before.get("n-pages")


ELEMENTS: list[Callable[[random.Random], dict[str, Any]]] = [
    lambda by: {"rotate": by.choice([0, 90, 180])},
    lambda by: {"resize": {"width": by.randint(1, 90), "fit": by.choice(["cover", "inside"])}, "flip": True},
    lambda by: {"extend": {"left": by.randint(0, 9)}},
    lambda _by: {"preset": "soft"},
    lambda by: {"gradient": {"angle": by.randint(0, 360)}},
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(ELEMENTS) - 1), min_size=1, max_size=12), st.integers())
def test_every_chain_means_its_elements_one_after_the_other(kinds: list[int], seed: int) -> None:
    by = random.Random(seed)
    policy = Policy(presets=read_presets(PRESETS))
    elements = [ELEMENTS[kind](by) for kind in kinds]
    whole = parse_request("/cat.png", [("steps", json.dumps(elements))], policy)
    parts = [parse_request("/cat.png", [("steps", json.dumps([each]))], policy) for each in elements]
    assert describe_steps(whole.steps) == [step for part in parts for step in describe_steps(part.steps)]


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=60) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    with suppress(InvalidParameter, HandlerError):
        parse_request("/cat.png", [("steps", text)], Policy())
