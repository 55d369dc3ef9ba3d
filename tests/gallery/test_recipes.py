"""The built-in recipes on a real photograph."""

from __future__ import annotations

import pytest
from tests.client import size
from tests.gallery.visiting import Browser
from tests.local_server import SAMPLES

from handler.gallery.built_in import BUILT_IN

PHOTO = min((SAMPLES / "photos").glob("*.jpg"), key=lambda path: path.stat().st_size).read_bytes()
EXPECTED = {
    "cutout": ("image/png", None),
    "product-square": ("image/jpeg", (1000, 1000)),
    "smart-square": ("image/jpeg", (1080, 1080)),
    "smaller": ("image/webp", None),
    "fewer-colours": ("image/png", None),
    "blur-faces": ("image/jpeg", None),
}


def test_all_built_in_recipes_are_offered_in_their_order(browser: Browser) -> None:
    recipes = browser.ask("GET", "/session").json()["recipes"]
    assert [each["name"] for each in recipes] == [*BUILT_IN] == [*EXPECTED]
    expensive = {each["name"] for each in recipes if each["isExpensive"]}
    assert MODELS <= expensive <= {*MODELS, "blur-faces"}


MODELS = {"cutout", "product-square"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.models] if name in MODELS else []) for name in EXPECTED]
)
def test_a_built_in_recipe_makes_a_result_and_a_small_picture_of_it(browser: Browser, name: str) -> None:
    picture = browser.keep(PHOTO, "Photo.jpg")
    result = browser.post(f"/pictures/{picture['id']}/results", recipe=name).json()
    media_type, expected = EXPECTED[name]
    whole, small = browser.fetch(result["url"]), browser.fetch(result["thumbnail"])
    assert (whole.status, whole.headers["content-type"]) == (200, media_type), whole.body[:300]
    assert size(whole.body) == (expected or (picture["width"], picture["height"]))
    assert (small.status, small.headers["content-type"]) == (200, "image/webp"), small.body[:300]
    width, height = size(whole.body)
    factor = min(1.0, 400 / max(width, height))
    assert size(small.body) == (round(width * factor), round(height * factor))
    preview = browser.post(f"/pictures/{picture['id']}/preview", recipe=name, side=200).json()
    assert max(size(browser.fetch(preview["url"]).body)) == 200
