"""Query parameters: which feature each name is assigned to."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.requests.dialects import query
from imaging import InvalidParameter


def read(**params: object) -> query.ParsedQuery:
    return query.parse_query([(name.replace("__", "."), value) for name, value in params.items()])


@pytest.mark.parametrize(
    ("params", "edits", "output"),
    [
        ({"width": "300"}, {"resize": {"width": "300"}}, {}),
        ({"width": "300", "fit": "cover"}, {"resize": {"width": "300", "fit": "cover"}}, {}),
        ({"width": "9", "background": "red"}, {"resize": {"width": "9", "background": "red"}}, {}),
        ({"blur__sigma": "3"}, {"blur": {"sigma": "3"}}, {}),
        ({"blur": "3"}, {"blur": "3"}, {}),
        ({"flip": "true"}, {"flip": "true"}, {}),
        ({"rotate": "30", "background": "red"}, {"rotate": {"angle": "30", "background": "red"}}, {}),
        ({"rotate": "30", "rotate__background": "red"}, {"rotate": {"angle": "30", "background": "red"}}, {}),
        ({"rotate__background": "red", "rotate": "30"}, {"rotate": {"angle": "30", "background": "red"}}, {}),
        ({"blur": "true", "blur__sigma": "2"}, {"blur": {"sigma": "2"}}, {}),
        ({"blur__sigma": "2", "blur": "true"}, {"blur": {"sigma": "2"}}, {}),
        ({"modulate": "true", "brightness": "2"}, {"modulate": {"brightness": "2"}}, {}),
        ({"feature": "blur", "sigma": "2"}, {"blur": {"sigma": "2"}}, {}),
        ({"feature": "crop", "width": "20"}, {"crop": {"width": "20"}}, {}),
        ({"feature": "blur", "width": "20"}, {"blur": {}, "resize": {"width": "20"}}, {}),
        ({"feature": "grayscale, flip"}, {"grayscale": {}, "flip": {}}, {}),
        ({"format": "webp", "q": "1"} | {"quality": "50"}, None, None),
        ({"format": "webp", "quality": "50"}, {}, {"format": "webp", "quality": "50"}),
        ({"output__format": "webp"}, {}, {"format": "webp"}),
        ({"gravity": "north", "width": "5"}, {"resize": {"width": "5", "position": "north"}}, {}),
    ],
)
def test_each_name_is_assigned_to_its_feature(
    params: dict[str, object], edits: dict[str, object] | None, output: dict[str, object] | None
) -> None:
    if edits is None:
        with pytest.raises(InvalidParameter):
            read(**params)
        return
    parsed = read(**params)
    assert parsed.edits == edits
    assert parsed.output == output


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"width": "9", "rotate": "30", "background": "red"}, "`resize.background` or `rotate.background`"),
        ({"background": "red"}, "features have it"),
        ({"nosuch": "1"}, "`nosuch` must be a known parameter"),
        ({"nosuch__x": "1"}, "`nosuch.x` must be one of"),
        ({"feature": "nosuch"}, "`feature` must be one of"),
        ({"width": "9", "resize__width": "9"}, "given once"),
        ({"blur__sigma": "1", "blur": "2"}, "given once"),
        ({"blur": "2", "blur__sigma": "1"}, "given once"),
        ({"flip": "maybe", "flip__x": "1"}, "given once"),
        ({"flip__x": "1", "flip": "maybe"}, "given once"),
        ({"position": "top", "gravity": "top", "width": "5"}, "given once"),
    ],
)
def test_an_ambiguous_or_unknown_name_is_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        read(**params)
    assert message in refused.value.message


def test_controls_are_separate_from_edits() -> None:
    parsed = read(bucket="b", preset="p", v="7", expires="x", signature="y")
    assert parsed.controls == {"bucket": "b", "preset": "p", "v": "7", "expires": "x", "signature": "y"}
    assert not parsed.edits
    assert not parsed.output


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("widht", "width"), ("qualty", "quality"), ("graysale", "grayscale"), ("bukcet", "bucket"),
        ("fromat", "format"), ("w", "width"), ("fm", "format"),
    ],
)  # fmt: skip
def test_a_mistyped_or_foreign_name_is_refused_with_the_known_one(name: str, similar: str) -> None:
    with pytest.raises(InvalidParameter, match=f"a known parameter, perhaps `{similar}` "):
        read(**{name: "1"})


def test_a_name_like_no_other_is_refused_without_a_suggestion() -> None:
    with pytest.raises(InvalidParameter) as refusal:
        read(**{"z" * 5000: "1"})
    assert "perhaps" not in refusal.value.message


@pytest.mark.parametrize("name", ["width", "blur", "blur.sigma", "format", "output.format", "v", "signature", "sigma"])
def test_known_names_are_known(name: str) -> None:
    assert query.is_known(name)


@pytest.mark.parametrize("name", ["utm_source", "", "nosuch", "nosuch.width", "Width"])
def test_unknown_names_are_not(name: str) -> None:
    assert not query.is_known(name)


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=6))
def test_any_query_is_parsed_or_refused(params: dict[str, str]) -> None:
    with contextlib.suppress(InvalidParameter):
        query.parse_query(params.items())


def test_a_field_of_a_named_feature_overrides_a_feature_of_that_name() -> None:
    named = query.parse_query([("padding", "20p"), ("feature", "smartCropping")])
    assert named.edits == {"smartCropping": {"padding": "20p"}}
    alone = query.parse_query([("padding", "20")])
    assert alone.edits == {"extend": "20"}
    moderated = query.parse_query([("feature", "contentModeration"), ("blur", "30")])
    assert moderated.edits == {"contentModeration": {"blur": "30"}}


@pytest.mark.parametrize("word", ["heif", "heic", "HEIC"])
def test_heif_output_is_avif(word: str) -> None:
    assert query.build_recipe(query.parse_query([("format", word)])).output.format == "avif"
