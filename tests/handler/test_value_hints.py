"""A wrong value of a choice is refused with the most similar one that is taken, in each URL language's own words."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Literal, get_args, get_origin
from urllib.parse import quote

import pytest
from tests.client import Client
from tests.pictures import jpeg

from features import CATALOGUE
from imaging import InvalidParameter, Output, Params, check, fields

MODELS: list[type[Params]] = [Output, *(feature.params for feature in CATALOGUE)]
CHOICES = [
    (model, field.name, choice)
    for model in MODELS
    for field in fields(model).values()
    for kind in field.kinds
    if get_origin(kind) is Literal
    for choice in get_args(kind)
    if isinstance(choice, str) and choice.upper() != choice
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hints")
    (folder / "a.jpg").write_bytes(jpeg())
    return folder


def test_every_choice_is_suggested_for_its_word_in_capitals() -> None:
    assert len(CHOICES) > 100
    for model, name, choice in CHOICES:
        with pytest.raises(InvalidParameter) as refused:
            check(model, {name: choice.upper()}, text=True)
        assert f", perhaps `{choice}`, got '{choice.upper()}'" in refused.value.message
        assert (refused.value.name, refused.value.code) == (name, "BadRequest")


def in_json(**edits: object) -> str:
    return "/" + base64.b64encode(json.dumps({"key": "a.jpg", "edits": edits}).encode()).decode()


@pytest.mark.parametrize(
    ("dialects", "path", "field", "similar", "code"),
    [
        ("", "/a.jpg?format=WEBP", "format", "webp", "BadRequest"),
        ("", "/a.jpg?format=jpg2", "format", "jpg", "BadRequest"),
        ("", "/a.jpg?width=9&fit=Cover", "resize.fit", "cover", "BadRequest"),
        ("", "/a.jpg?width=9&height=9&position=cntre", "resize.position", "centre", "BadRequest"),
        ("", "/a.jpg?width=9&height=9&position=topleft", "resize.position", "top-left", "BadRequest"),
        ("", "/a.jpg?quality=Auto", "quality", "auto", "BadRequest"),
        ("", "/a.jpg?progressive=ture", "progressive", "true", "BadRequest"),
        ("", "/a.jpg?preferred=webp,avfi", "preferred", "avif", "BadRequest"),
        ("", "/a.jpg?redact.detect=text,face", "redact.detect", "faces", "BadRequest"),
        ("", "/a.jpg?preset=thumbs", "preset", "thumb", "BadRequest"),
        ("", "/a.jpg?steps=" + quote('[{"resise":{"width":3}}]'), "steps[0].resise", "resize", "BadRequest"),
        ("", in_json(resize={"width": 9, "fit": "Cover"}), "edits.resize.fit", "cover", "InvalidResizeException"),
        ("", in_json(toFormat="wepb"), "edits.toFormat", "webp", "BadRequest"),
        ("", in_json(resise={"width": 9}), "edits.resise", "resize", "BadRequest"),
        ("", "/unsafe/filters:format(wepb)/a.jpg", "filters:format", "webp", "BadRequest"),
        ("", "/unsafe/filters:fromat(webp)/a.jpg", "filters", "format", "BadRequest"),
        ("", "/filters:format(wepb)/a.jpg", "filters:format", "webp", "BadRequest"),
        ("imgproxy", "/unsafe/rs:Fill:9:9/plain/a.jpg", "rs", "fill", "InvalidURL"),
        ("imgproxy", "/unsafe/g:NO/plain/a.jpg", "g", "no", "InvalidURL"),
        ("imgproxy", "/unsafe/f:wepb/plain/a.jpg", "f", "webp", "InvalidURL"),
        ("imgproxy", "/unsafe/resise:fill/plain/a.jpg", "resise", "resize", "InvalidURL"),
        ("imgproxy", "/info/unsafe/colorspaces:1/plain/a.jpg", "colorspaces", "colorspace", "InvalidURL"),
        ("imagor", "/unsafe/filters:format(wepb)/a.jpg", "filters:format", "webp", "BadRequest"),
        ("imagor", "/unsafe/filters:watermark(a.jpg,centr,0)/a.jpg", "filters:watermark", "center", "BadRequest"),
    ],
)
def test_a_wrong_value_is_refused_with_the_similar_one(
    folder: Path, dialects: str, path: str, field: str, similar: str, code: str
) -> None:
    more = {"DIALECTS": f"{dialects},query"} if dialects else {}
    presets = '{"thumb": "width=9"}'
    served = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "PUBLIC_FEATURES": "*", "PRESETS": presets, **more})
    answer = served.get(path)
    assert answer.json()["code"] == code
    assert answer.json()["message"].startswith(f"`{field}` must be ")
    assert f", perhaps `{similar}`" in answer.json()["message"]


@pytest.mark.parametrize("value", ["klingon", "x" * 5000, "webp5000000000"])
def test_a_value_like_no_other_is_refused_without_a_suggestion(folder: Path, value: str) -> None:
    answer = Client({"SOURCE_BUCKETS": f"p=file://{folder}"}).get(f"/a.jpg?format={value}")
    assert answer.status == 400
    assert "perhaps" not in answer.json()["message"]


def test_the_names_of_presets_are_not_told_where_they_are_hidden(folder: Path) -> None:
    served = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "PRESETS": '{"thumb": "width=9"}', "PRESETS_ONLY": "Yes"})
    assert "thumb`" not in served.get("/a.jpg?preset=thumbs").json()["message"]
