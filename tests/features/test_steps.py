"""What the unordered dialects say becomes steps: switched on and off, set by one value, in the catalogue's order."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import CATALOGUE, by_name, edits, feature_aliases, in_order
from imaging import InvalidParameter, Step

NAMES = [feature.name for feature in CATALOGUE]


def steps(said: dict[str, Any], *, text: bool = False) -> list[tuple[str, Any]]:
    return [(step.feature.name, step.params) for step in edits(said, text=text)]


@pytest.mark.parametrize("value", ["", "0", "false", "No", "off"])
def test_a_word_switches_off(value: str) -> None:
    assert steps({"flip": value}, text=True) == []


@pytest.mark.parametrize("value", ["1", "true", "Yes", "on"])
def test_a_word_switches_on(value: str) -> None:
    assert [name for name, _ in steps({"flip": value}, text=True)] == ["flip"]


@pytest.mark.parametrize(("value", "on"), [(True, 1), (1, 1), ({}, 1), (False, 0), (None, 0), (0, 0)])
def test_json_switches_on_and_off(value: object, on: int) -> None:
    assert len(steps({"flip": value})) == on


@pytest.mark.parametrize(
    ("said", "text", "angle"),
    [
        ({"rotate": "90"}, True, 90),
        ({"rotate": "0"}, True, 0),
        ({"rotate": "1"}, True, 1),
        ({"rotate": 45.5}, False, 45.5),
        ({"rotate": 0}, False, 0),
        ({"rotate": {"angle": 7}}, False, 7),
        ({"rotate": {"angle": "7"}}, True, 7),
        ({"rotate": True}, False, 0),
    ],
)
def test_one_value_is_the_main_field(said: dict[str, Any], text: bool, angle: float) -> None:
    ((name, params),) = steps(said, text=text)
    assert (name, params.angle) == ("rotate", angle)


@pytest.mark.parametrize("value", ["", "false"])
def test_what_has_a_main_field_can_be_left_out(value: str) -> None:
    assert steps({"rotate": value, "blur": value}, text=True) == []


@pytest.mark.parametrize(
    ("said", "text", "message"),
    [
        ({"flip": "maybe"}, True, "`flip` must be true or false, got 'maybe'"),
        ({"flip": 2}, False, "`flip` must be true or false, got 2"),
        (
            {"crop": "9,9"},
            True,
            "`crop` must be true or false, or its parameters by name, such as crop.left, got '9,9'",
        ),
        ({"flip": "true"}, False, "`flip` must be true or false, got 'true'"),
        ({"flip": {"x": 1}}, False, "`flip.x` must be left out: no parameters here, got 1"),
        ({"blur": "9999"}, True, "`blur.sigma` must be a number from 0.3 to 1000, got '9999'"),
        ({"blur": [3]}, False, "`blur.sigma` must be a number from 0.3 to 1000, got [3]"),
        ({"blurr": 1}, False, "`blurr` must be one of "),
        ({"extend": 1, "padding": 2}, False, "`padding` must be given once, not also as `extend`, got 2"),
    ],
)
def test_a_refusal_names_the_edit(said: dict[str, Any], text: bool, message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        edits(said, text=text)
    assert refused.value.message.startswith(message)


def test_a_refusal_says_where_the_edits_stand() -> None:
    with pytest.raises(InvalidParameter, match=r"^`presets\.thumb\.blur\.sigma` must be "):
        edits({"blur": 0}, where="presets.thumb")


@given(st.permutations(["trim", "crop", "resize", "flip", "extract", "extend", "blur"]))
def test_the_catalogue_has_the_order(said: list[str]) -> None:
    made = edits(dict.fromkeys(said, True))
    assert [step.feature.name for step in made] == sorted(said, key=NAMES.index)
    assert in_order(tuple(reversed(made))) == made


def test_the_order_is_sharps() -> None:
    wanted = ["trim", "crop", "resize", "flip", "flop", "rotate", "extract", "extend", "blur", "sharpen", "watermark"]
    assert [name for name in NAMES if name in wanted] == wanted


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_a_feature_answers_to_its_names_and_travels_by_them(feature: Any) -> None:
    for name in (feature.name, *feature_aliases(feature.name)):
        assert by_name(name) is feature
    assert pickle.loads(pickle.dumps(feature)) is feature


def test_steps_travel_to_other_processes() -> None:
    made: tuple[Step, ...] = edits(
        {"resize": {"width": 5, "background": "f80", "focalPoint": "0,1"}, "crop": {"left": "5p"}}
    )
    assert pickle.loads(pickle.dumps(made)) == made
