"""What a URL or JSON may hold for colours, lengths, positions, points and ratios, and what it is refused with."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.params.types import Color, CropPosition, Length, Point, Position, Ratio, TextTypes

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.one_of(st.integers(), st.floats(), st.text())),
    st.dictionaries(st.sampled_from(["r", "g", "b", "alpha", "x"]), st.one_of(st.integers(), st.floats(), st.text())),
    st.from_regex(r"[-+]?[0-9.]{0,25}[%p]?", fullmatch=True),
    st.from_regex(r"#?[0-9a-fA-F]{0,9}", fullmatch=True),
    st.from_regex(r"rgba?\([0-9., ]{0,20}\)", fullmatch=True),
    st.from_regex(r"[0-9.]{1,9}[:,][0-9.]{1,9}", fullmatch=True),
    st.just(10**400),
)


@pytest.mark.parametrize("kind", TextTypes)
@given(value=ANYTHING)
def test_whatever_comes_is_read_or_refused(kind: Any, value: object) -> None:
    try:
        read = kind.parse(value)
    except ValueError:
        return
    again = kind.parse(str(read))
    assert again == read
    assert (str(again), hash(again)) == (str(read), hash(read))
    assert pickle.loads(pickle.dumps(read)) == read


@pytest.mark.parametrize("kind", TextTypes)
def test_its_schema_is_json_and_its_examples_are_read(kind: Any) -> None:
    assert json.loads(json.dumps(kind.schema))["type"]
    for example in (*kind.schema.get("examples", ()), *kind.schema.get("enum", ())):
        kind.parse(example)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red", (255, 0, 0, 1)),
        ("RebeccaPurple", (102, 51, 153, 1)),
        ("f80", (255, 136, 0, 1)),
        ("#f80", (255, 136, 0, 1)),
        ("F808", (255, 136, 0, 0.5333)),
        ("ff8800", (255, 136, 0, 1)),
        ("#ff880080", (255, 136, 0, 0.502)),
        ("rgb(1, 2,3)", (1, 2, 3, 1)),
        ("rgba(1,2,3,0.5)", (1, 2, 3, 0.502)),
        ("rgba(1,2,3,.5)", (1, 2, 3, 0.502)),
        ("rgba(1,2,3,0)", (1, 2, 3, 0)),
        ("transparent", (0, 0, 0, 0)),
        ({"r": 1, "g": 2.4, "b": 3, "alpha": 0.5}, (1, 2, 3, 0.502)),
        ({"alpha": 0, "b": 9}, (0, 0, 9, 0)),
        ({}, (0, 0, 0, 1)),
    ],
)
def test_colours(text: object, expected: tuple[float, ...]) -> None:
    color = Color.parse(text)
    assert [color.red, color.green, color.blue, color.alpha] == list(expected)


@pytest.mark.parametrize(
    "text",
    [
        "", "reddish", "ff", "ff888", "#", "rgb(256,0,0)", "rgba(0,0,0,2)", "rgba(0,0,0,1.2.3)", "rgb(1,2)", 7, None,
        True,
        [1, 2, 3], {"r": 300}, {"r": "1"}, {"r": True}, {"a": 1}, {"alpha": 2}, {"r": float("nan")}, "rgb(1,2,3)x",
        "rgb(\n1,2,3)", "١٢٣",
    ],
)  # fmt: skip
def test_what_is_no_colour(text: object) -> None:
    with pytest.raises(ValueError, match=r"^a colour "):
        Color.parse(text)


def test_colours_in_numbers() -> None:
    color = Color.parse("10203080")
    assert (color.rgb, color.rgba, color.grey) == ([16, 32, 48], [16, 32, 48, 128], False)
    assert Color.parse("grey").grey
    assert str(Color(255, 136, 0)) == "ff8800"
    assert str(Color(255, 136, 0, 0.5)) == "ff880080"


@pytest.mark.parametrize(
    ("text", "whole", "pixels", "spelling"),
    [
        (120, 640, 120, "120"),
        ("120", 640, 120, "120"),
        ("-5", 640, -5, "-5"),
        ("-0", 640, 0, "0"),
        (1.5, 640, 2, "1.5"),
        ("25%", 640, 160, "25p"),
        ("25p", 640, 160, "25p"),
        ("12.5p", 4, 1, "12.5p"),
        (".5p", 100, 1, "0.5p"),
        ("1234567", 1, 1234567, "1234567"),
        ("0.0000001", 1, 0, "0"),
    ],
)
def test_lengths(text: object, whole: int, pixels: int, spelling: str) -> None:
    length = Length.parse(text)
    assert length.of(whole) == pixels
    assert str(length) == spelling


@pytest.mark.parametrize(
    "text", ["", "p", "%", "ten", "1e3", "5 px", "5%%", " 5", "٥", True, None, [1], float("inf"), 1e9, "10000001"]
)
def test_what_is_no_length(text: object) -> None:
    with pytest.raises(ValueError, match=r"^pixels "):
        Length.parse(text)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("top-left", "top-left"),
        ("Top Left", "top-left"),
        ("left top", "top-left"),
        ("right_bottom", "bottom-right"),
        ("north", "top"),
        ("SouthEast", "bottom-right"),
        ("centre", "center"),
        ("middle", "center"),
    ],
)
def test_positions(text: str, point: str) -> None:
    assert Position.parse(text) == CropPosition.parse(text) == point


def test_where_a_position_puts_a_box() -> None:
    assert Position("top-left").place((100, 50), (10, 10)) == (0, 0)
    assert Position("bottom-right").place((100, 50), (10, 10)) == (90, 40)
    assert Position("center").place((101, 50), (10, 11)) == (46, 20)
    assert Position("center").place((10, 10), (20, 21)) == (-5, -5)
    assert CropPosition("attention").place((100, 50), (10, 10)) == (45, 20)


def test_only_a_crop_looks_for_what_is_interesting() -> None:
    assert CropPosition.parse("attention").searches
    assert not CropPosition.parse("north").searches
    with pytest.raises(ValueError, match=r"^one of top-left, "):
        Position.parse("attention")


@given(
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)
def test_a_focal_point_lies_in_its_box(
    shares: tuple[float, float], one: tuple[int, int], other: tuple[int, int]
) -> None:
    room = (max(one[0], other[0]), max(one[1], other[1]))
    size = (min(one[0], other[0]), min(one[1], other[1]))
    point = Point(*shares)
    for share, corner, side, whole in zip(point, point.place(room, size), size, room, strict=True):
        assert 0 <= corner <= whole - side
        assert corner - 0.5 <= share * whole <= corner + side + 0.5


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "0.5;0.5", "1.1,0", "-0.1,0", "a,b", 0.5, None, [0.5], ["0", True]])
def test_what_is_no_point(text: object) -> None:
    with pytest.raises(ValueError, match=r"^two fractions "):
        Point.parse(text)


def test_points() -> None:
    assert Point.parse("0.3, 0.7") == Point.parse([0.3, 0.7]) == (0.3, 0.7)
    assert str(Point.parse("0.3,1.0")) == "0.3,1"


@pytest.mark.parametrize(("text", "ratio"), [("16:9", 16 / 9), ("1.5", 1.5), (2, 2), ("1:100", 0.01), ("100:1", 100)])
def test_ratios(text: object, ratio: float) -> None:
    assert Ratio.parse(text) == ratio


@pytest.mark.parametrize(
    "text", ["", "0", "16:0", "0:9", "1:101", "-1:-1", "1:2:3", "16/9", "a:b", True, None, float("nan"), "1:"]
)
def test_what_is_no_ratio(text: object) -> None:
    with pytest.raises(ValueError, match=r"^an aspect ratio "):
        Ratio.parse(text)
