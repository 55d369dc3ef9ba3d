"""The gallery's API in a function, by events of API Gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import pictures
from tests.client import Client
from tests.gallery.conftest import gallery_settings
from tests.gallery.visiting import Browser, over_events

PNG = pictures.png(pictures.scene(60, 40))


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(gallery_settings(tmp_path))


def test_the_cookie_of_a_function_is_bound_to_host_and_https(client: Client) -> None:
    browser = Browser(over_events(client))
    session = browser.ask("GET", "/session")
    name, _, attributes = session.headers["set-cookie"].partition("=")
    assert name == "__Host-gallery"
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes.split("; "))
    assert browser.ask("GET", "/session").json()["visitor"] == session.json()["visitor"]


def test_a_form_in_an_event_is_stored(client: Client) -> None:
    browser = Browser(over_events(client))
    stored = browser.upload(PNG, "Garden.png")
    assert (stored.status, stored.json()["status"]) == (201, "processing")
    assert [each["name"] for each in browser.pictures()] == ["Garden.png"]
    assert Browser(over_events(client)).pictures() == []
