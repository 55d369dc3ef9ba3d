"""A QR code carries a visitor to another device, once and for five minutes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import pyvips
import segno
from tests import pictures
from tests.gallery.test_limits import serving_gallery
from tests.gallery.visiting import Browser
from tests.local_server import Server

from handler.aws import AwsAccess
from handler.core.errors import Forbidden
from handler.gallery.devices import LIFE, DeviceCodes
from handler.gallery.visitors import Visitor
from handler.records import open_records
from handler.records.counters import Database

PNG = pictures.png(pictures.scene(60, 40))
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
VISITOR = Visitor(id="0123456789abcdef" * 2, password_tag="fedcba9876543210")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A gallery of its own, because attempts of an address are counted."""
    with serving_gallery(tmp_path) as served:
        yield served


def draws(svg: str, text: str) -> bool:
    """Return whether a drawing shows exactly the QR code of a text, with the margin that scanners need."""
    modules = np.pad(np.array([list(row) for row in segno.make_qr(text, error="m").matrix]), 4)
    side = len(modules)
    drawn = pyvips.Image.svgload_buffer(svg.encode(), scale=3).flatten(background=[255.0]).colourspace("b-w")
    pixels = np.asarray(drawn.numpy()).reshape(drawn.height, drawn.width)
    assert (drawn.width, drawn.height) == (3 * side, 3 * side)
    return bool((modules == (pixels[1::3, 1::3] < 128)).all())


def test_a_phone_that_reads_the_qr_code_sees_the_same_pictures(browser: Browser) -> None:
    picture = browser.keep(PNG)
    made = browser.ask("POST", "/devices")
    device = made.json()
    assert made.status == 201
    assert timedelta(minutes=4) < datetime.fromisoformat(device["expires"]) - datetime.now(UTC) <= LIFE
    assert draws(device["qr"], device["url"])
    page, _, code = device["url"].partition("#code=")
    assert (page.endswith("/_gallery/"), code) == (True, device["code"])
    phone = Browser(browser.send)
    session = phone.post("/session", code=code)
    assert (session.status, session.json()["visitor"]) == (200, browser.ask("GET", "/session").json()["visitor"])
    assert [each["id"] for each in phone.pictures()] == [picture["id"]]
    used = Browser(browser.send).post("/session", code=code)
    assert (used.status, used.code) == (403, "wrong_code")


def test_the_url_has_the_origin_of_the_page(browser: Browser) -> None:
    origin = "https://pictures.example.com"
    device = browser.ask("POST", "/devices", Origin=origin, Sec_Fetch_Site="same-origin").json()
    assert device["url"].startswith("https://pictures.example.com/_gallery/#code=")


def test_codes_are_not_guessed(browser: Browser) -> None:
    codes = ["0" * 32, "x", "'; --", "A" * 32, "0" * 31, "0" * 33, "é" * 32, "0", "1", "2", "3"]
    replies = [browser.post("/session", code=code) for code in codes]
    assert [each.code for each in replies] == ["wrong_code"] * 10 + ["too_many_attempts"]
    assert browser.post("/session", code="0" * 32, password="x").status == 400


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_records(f"sqlite:///{tmp_path}/records.db", AwsAccess())
    yield opened
    opened.close()


def test_a_code_is_valid_once_for_five_minutes(database: Database, tmp_path: Path) -> None:
    codes = DeviceCodes(database.counters)
    code, until = codes.make(VISITOR, NOW)
    assert until == NOW + LIFE
    redeemed = codes.redeem(code, NOW + LIFE - timedelta(seconds=1))
    assert (redeemed.id, redeemed.password_tag) == (VISITOR.id, VISITOR.password_tag)
    late, _ = codes.make(VISITOR, NOW)
    for used, moment in ((code, NOW), (late, NOW + LIFE)):
        with pytest.raises(Forbidden):
            codes.redeem(used, moment)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (late.encode() in stored, VISITOR.id.encode() in stored) == (False, True)
