"""Visitors: their cookies, and that a picture of another visitor does not exist."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures
from tests.gallery.visiting import Browser

from handler.auth.derived_secret import DerivedSecret
from handler.gallery.visitors import Visitor, VisitorCookies

PNG = pictures.png(pictures.scene(60, 40))
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LIFE = timedelta(days=30)


class Secret:
    def __init__(self, *values: str) -> None:
        self.current = values
        self.fresh = values

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        self.current = self.fresh if refresh else self.current
        return self.current


def cookies(*values: str) -> VisitorCookies:
    return VisitorCookies(DerivedSecret(Secret(*values), "gallery visitor"), LIFE)


VISITOR = Visitor(id="0123456789abcdef" * 2)
COOKIE = cookies("one").write(VISITOR, NOW)


def test_a_cookie_names_its_visitor_until_it_expires() -> None:
    assert cookies("one").read(COOKIE, NOW) == VISITOR
    assert cookies("one").read(COOKIE, NOW + LIFE - timedelta(seconds=1)).id == VISITOR.id
    for moment in (NOW + LIFE, NOW - timedelta(minutes=6)):
        assert cookies("one").read(COOKIE, moment).is_new


def test_a_cookie_is_renewed_after_a_day() -> None:
    assert not cookies("one").read(COOKIE, NOW + timedelta(hours=23)).needs_cookie
    assert cookies("one").read(COOKIE, NOW + timedelta(hours=25)) == Visitor(id=VISITOR.id, needs_cookie=True)


def test_a_cookie_of_the_previous_secret_is_accepted_and_renewed() -> None:
    assert cookies("two", "one").read(COOKIE, NOW) == Visitor(id=VISITOR.id, needs_cookie=True)
    assert cookies("three", "two").read(COOKIE, NOW).is_new


def test_a_secret_that_was_rotated_elsewhere_is_fetched() -> None:
    secret = Secret("zero")
    secret.fresh = ("one", "zero")
    assert VisitorCookies(DerivedSecret(secret, "gallery visitor"), LIFE).read(COOKIE, NOW) == VISITOR


def test_a_signature_for_another_purpose_is_no_cookie() -> None:
    other = VisitorCookies(DerivedSecret(Secret("one"), "gallery upload"), LIFE)
    assert cookies("one").read(other.write(VISITOR, NOW), NOW).is_new
    assert VisitorCookies(Secret("one"), LIFE).read(COOKIE, NOW).is_new


@given(
    st.integers(0, len(COOKIE)),
    st.integers(0, 3),
    st.text(st.sampled_from(string.printable + "٣é\u212a") | st.characters(exclude_categories=["Cs"]), max_size=4),
)
def test_any_mutated_cookie_is_a_new_visitor(at: int, removed: int, inserted: str) -> None:
    mutated = COOKIE[:at] + inserted + COOKIE[at + removed :]
    found = cookies("one").read(mutated, NOW)
    assert found.is_new == (mutated != COOKIE)
    assert (found.id == VISITOR.id) == (mutated == COOKIE)


@given(st.text())
def test_any_text_is_a_new_visitor(text: str) -> None:
    assert cookies("one").read(text, NOW).is_new


def test_a_forged_cookie_is_a_new_visitor(browser: Browser) -> None:
    browser.keep(PNG)
    forged = Browser(browser.send, browser.cookie[:-1] + ("0" if browser.cookie[-1] != "0" else "1"))
    reply = forged.ask("GET", "/pictures")
    assert (reply.status, reply.json()["pictures"]) == (200, [])
    assert forged.cookie.split(".")[1] != browser.cookie.split(".")[1]


def requests(picture: str, result: str) -> list[tuple[str, str, dict[str, object]]]:
    """Return every request about one picture."""
    return [
        ("GET", f"/pictures/{picture}", {}),
        ("PUT", f"/pictures/{picture}", {"name": "Mine"}),
        ("PATCH", f"/pictures/{picture}", {"name": "Mine"}),
        ("DELETE", f"/pictures/{picture}", {}),
        ("POST", f"/pictures/{picture}/results", {"recipe": "smaller"}),
        ("DELETE", f"/pictures/{picture}/results/{result}", {}),
        ("POST", f"/pictures/{picture}/preview", {"recipe": "smaller"}),
        ("POST", f"/pictures/{picture}/share", {"result": result, "seconds": 60}),
        ("POST", f"/pictures/{picture}/share", {"seconds": 60}),
        ("POST", f"/pictures/{picture}/retry", {}),
    ]


@pytest.mark.parametrize("number", range(10))
def test_a_picture_of_another_visitor_does_not_exist(browser: Browser, number: int) -> None:
    picture = browser.keep(PNG)
    result = browser.post(f"/pictures/{picture['id']}/results", recipe="smart-square").json()["id"]
    before = browser.ask("GET", f"/pictures/{picture['id']}").body
    stranger = Browser(browser.send)
    stranger.keep(pictures.png(pictures.scene(50, 40)))
    method, path, fields = requests(picture["id"], result)[number]
    foreign = stranger.post(path, method, **fields) if method != "GET" else stranger.ask("GET", path)
    method, path, fields = requests("0" * 32, result)[number]
    unknown = stranger.post(path, method, **fields) if method != "GET" else stranger.ask("GET", path)
    assert (foreign.status, foreign.code) == (404, "no_such_picture")
    assert foreign.body == unknown.body
    assert browser.ask("GET", f"/pictures/{picture['id']}").body == before


def test_all_pictures_are_those_of_the_visitor_alone(browser: Browser) -> None:
    picture = browser.keep(PNG)
    stranger = Browser(browser.send)
    own = stranger.keep(PNG)
    assert own["id"] != picture["id"]
    assert stranger.ask("DELETE", "/pictures").status == 204
    assert (len(stranger.pictures()), len(browser.pictures())) == (0, 1)
    searched = stranger.ask("GET", "/pictures?search=cat").json()
    assert (searched["pictures"], searched["used"]) == ([], 0)
