"""Edits that visitors compose: the service signs them, so it refuses those that name what is not the visitor's."""

from __future__ import annotations

import base64
import json

import pytest
from tests import pictures
from tests.client import size
from tests.gallery.visiting import Browser

from features import CATALOGUE

PNG = pictures.png(pictures.scene(60, 40))


def key_of(browser: Browser, picture: dict[str, object]) -> str:
    """Return the key of a picture, from its own URL."""
    url = browser.ask("GET", f"/pictures/{picture['id']}").json()["original"]["url"]
    text = url.partition("?")[0].removeprefix("/")
    return str(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["key"])


def foreign_edits(key: str) -> list[dict[str, object]]:
    """Return edits of each kind that names an object."""
    return [
        {"overlayWith": {"bucket": "gallery", "key": key}},
        {"watermark": {"bucket": "gallery", "key": key}},
        {"boolean": {"bucket": "gallery", "key": key, "operator": "and"}},
        {"frame": {"bucket": "gallery", "key": key}},
        {"removeBackground": {"background": key, "backgroundBucket": "gallery"}},
        {"cutout": {"useAlpha": True, "background": key, "backgroundBucket": "gallery"}},
    ]


@pytest.mark.parametrize("kind", range(6))
@pytest.mark.parametrize("path", ["results", "preview"])
def test_edits_must_not_name_a_picture_of_another_visitor(browser: Browser, kind: int, path: str) -> None:
    other = Browser(browser.send)
    key = key_of(other, other.keep(PNG))
    picture = browser.keep(pictures.png(pictures.scene(50, 40)))
    own = key_of(browser, picture)
    edits = foreign_edits(key)[kind]
    for each in (edits, {**edits, "resize": {"width": 20}}):
        refused = browser.post(f"/pictures/{picture['id']}/{path}", edits=each)
        assert (refused.status, refused.code) == (403, "private_object"), refused.body
    allowed = browser.post(f"/pictures/{picture['id']}/{path}", edits=foreign_edits(own)[kind])
    assert allowed.status in (200, 201), allowed.body


@pytest.mark.parametrize(
    "key", ["{own}/../{other}", "{own}/./x.png", "{own}/", "{own}", "x{own}", "{upper}", "{other}"]
)
def test_a_key_must_be_exactly_that_of_an_own_picture(browser: Browser, key: str) -> None:
    other = Browser(browser.send)
    foreign = key_of(other, other.keep(PNG))
    picture = browser.keep(PNG)
    own = key_of(browser, picture)
    text = key.format(own=own.partition("/")[0], other=foreign, upper=own.upper())
    refused = browser.post(
        f"/pictures/{picture['id']}/preview", edits={"watermark": {"bucket": "gallery", "key": text}}
    )
    assert (refused.status, refused.code) == (403, "private_object"), refused.body


def test_edits_may_name_an_image_of_a_public_source(browser: Browser) -> None:
    picture = browser.keep(PNG)
    edits = {"watermark": {"bucket": "samples", "key": "logo.png"}, "resize": {"width": 30}}
    made = browser.post(f"/pictures/{picture['id']}/results", edits=edits)
    assert (made.status, made.json()["recipe"], made.json()["edits"]) == (201, None, edits)
    assert size(browser.fetch(made.json()["url"]).body)[0] == 30


@pytest.mark.parametrize(
    ("edits", "status"),
    [
        ({}, 400),
        ("resize", 400),
        (None, 400),
        ({"resize": {"width": "wide"}}, 400),
        ({"nothing": True}, 400),
        ({"info": True}, 400),
        ({"quantize": {"palette": True}}, 400),
        ({"text": {"text": "x" * 4000}}, 400),
        ({"watermark": {"bucket": "elsewhere", "key": "a.png"}}, 403),
        ({"watermark": {"bucket": "samples", "key": "../secret"}}, 404),
    ],
)
def test_other_edits_are_refused(browser: Browser, edits: object, status: int) -> None:
    picture = browser.keep(PNG)
    refused = browser.post(f"/pictures/{picture['id']}/results", edits=edits)
    if refused.status == 201:  # what is missing is found when the result is rendered
        refused = browser.fetch(refused.json()["url"])
    assert refused.status == status, refused.body


def test_a_preview_fits_into_a_side_and_is_not_kept(browser: Browser) -> None:
    picture = browser.keep(PNG)
    for fields, expected in (
        ({"edits": {"flip": True}, "side": 16}, (16, 11)),
        ({"edits": {"resize": {"width": 30}}, "side": 16}, (16, 11)),
        ({"edits": {"resize": {"width": 30, "height": 30}}, "side": 20}, (20, 20)),
        ({"edits": {"resize": {"width": 30, "height": 30}}}, (30, 30)),
        ({"recipe": "smart-square", "side": 32}, (32, 32)),
    ):
        preview = browser.post(f"/pictures/{picture['id']}/preview", **fields)
        assert size(browser.fetch(preview.json()["url"]).body) == expected, fields
    assert browser.pictures()[0]["results"] == []
    for side in (15, 2049, "20", 20.5, True):
        assert browser.post(f"/pictures/{picture['id']}/preview", recipe="smaller", side=side).status == 400


def test_each_feature_that_names_objects_is_tried() -> None:
    naming = {feature.name for feature in CATALOGUE if feature.objects is not None}
    tried = {name for edits in foreign_edits("key") for name in edits}
    assert naming == tried - {"overlayWith"}
