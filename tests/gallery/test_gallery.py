"""The gallery's API through the real server."""

from __future__ import annotations

import pytest
from tests import pictures
from tests.client import size
from tests.gallery.visiting import Browser

PNG = pictures.png(pictures.scene(60, 40))


def test_a_session_sets_a_cookie_and_tells_limits_and_recipes(browser: Browser) -> None:
    reply = browser.ask("GET", "/session")
    session = reply.json()
    assert reply.status == 200
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(reply.headers["set-cookie"].split("; "))
    assert (session["limits"]["pictures"], session["used"], session["expireDays"]) == (50, {"pictures": 0}, 30)
    assert session["recipes"][0]["name"] == "cutout"
    assert (session["passwordNeeded"], session["uploads"], session["fineTune"]) == (False, "server", True)
    again = browser.ask("GET", "/session")
    assert "set-cookie" not in again.headers
    assert again.json()["visitor"] == session["visitor"]


def test_a_picture_is_uploaded_listed_shown_renamed_and_deleted(browser: Browser) -> None:
    picture = browser.keep(PNG, "Garden.png")
    assert (picture["name"], picture["width"], picture["height"], picture["type"]) == (
        "Garden.png",
        60,
        40,
        "image/png",
    )
    assert (picture["bytes"], picture["results"]) == (len(PNG), [])
    assert [each["id"] for each in browser.pictures()] == [picture["id"]]
    assert size(browser.fetch(picture["original"]["url"]).body) == (60, 40)
    for method, name in (("PUT", "Yard"), ("PATCH", "Höfe 🐈")):
        assert browser.post(f"/pictures/{picture['id']}", method, name=name).json()["name"] == name
    assert browser.pictures()[0]["name"] == "Höfe 🐈"
    assert browser.ask("DELETE", f"/pictures/{picture['id']}").status == 204
    assert browser.pictures() == []
    assert browser.ask("GET", f"/pictures/{picture['id']}").status == 404


def test_a_result_of_a_recipe_is_a_signed_url(browser: Browser) -> None:
    picture = browser.keep(PNG)
    path = f"/pictures/{picture['id']}/results"
    made = browser.post(path, recipe="smaller")
    assert made.status == 201
    result = made.json()
    assert result["recipe"] == "smaller"
    for url in (result["url"], result["thumbnail"]):
        image = browser.fetch(url)
        assert (image.status, image.headers["content-type"]) == (200, "image/webp")
    again = browser.post(path, recipe="smaller")
    assert (again.status, again.json()["id"]) == (200, result["id"])
    assert [each["id"] for each in browser.pictures()[0]["results"]] == [result["id"]]
    assert browser.ask("DELETE", f"{path}/{result['id']}").status == 204
    assert browser.pictures()[0]["results"] == []
    assert browser.ask("DELETE", f"{path}/{result['id']}").code == "no_such_result"


@pytest.mark.parametrize("headers", [{}, {"X-Gallery": "0"}, {"X-Gallery": "1", "Sec-Fetch-Site": "cross-site"}])
def test_a_request_of_another_site_changes_nothing(browser: Browser, headers: dict[str, str]) -> None:
    picture = browser.keep(PNG)
    browser.headers = headers
    for reply in (
        browser.ask("DELETE", f"/pictures/{picture['id']}"),
        browser.ask("DELETE", "/pictures"),
        browser.upload(PNG, "Other.png"),
        browser.post(f"/pictures/{picture['id']}", "PATCH", name="Other"),
    ):
        assert (reply.status, reply.code) == (403, "other_site")
    assert [each["name"] for each in browser.pictures()] == ["Cat.png"]
