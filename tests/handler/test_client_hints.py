"""The operator's rules through the real door: default preset, source by path, client hints."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client, size

from handler.config import SettingsError
from handler.requests.client_hints import Hints

PRESETS = json.dumps({"small": {"resize": {"width": 30}}, "large": {"resize": {"width": 60}}})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for source, width in (("first", 64), ("second", 128), ("third", 200)):
        (tmp_path / source / "news").mkdir(parents=True)
        for name in ("a.jpg", "news/a.jpg"):
            (tmp_path / source / name).write_bytes(pictures.jpeg(pictures.scene(width, 48)))
    return tmp_path


def client(folder: Path, **more: str) -> Client:
    sources = ",".join(f"{name}=file://{folder / name}" for name in ("first", "second", "third"))
    return Client({"SOURCE_BUCKETS": sources, "PRESETS": PRESETS, **more})


def width(asked: Client, address: str, **headers: Any) -> int:
    answer = asked.get(address, **headers)
    assert answer.status == 200, answer.body
    return size(answer.body)[0]


def test_a_default_preset_holds_where_none_is_named(folder: Path) -> None:
    asked = client(folder, DEFAULT_PRESET="small")
    assert width(asked, "/a.jpg") == 30
    assert width(asked, "/a.jpg?preset=large") == 60
    assert width(asked, "/a.jpg?width=20") == 20
    assert width(client(folder, DEFAULT_PRESET="small", PRESETS_ONLY="Yes"), "/a.jpg") == 30
    with pytest.raises(SettingsError, match="DEFAULT_PRESET must be one of"):
        client(folder, DEFAULT_PRESET="nosuch")


def test_names_of_presets_are_listed_where_presets_are_optional(folder: Path) -> None:
    """Where presets are all that a URL may name, whoever guesses one is not told the others."""
    message = client(folder).get("/a.jpg?preset=nosuch").json()["message"]
    assert message == "`preset` must be one of small, large, got 'nosuch'"
    closed = client(folder, PRESETS_ONLY="Yes").get("/a.jpg?preset=nosuch")
    assert (closed.status, closed.json()["message"]) == (400, "`preset` must be one of those in PRESETS, got 'nosuch'")


def test_a_prefix_of_the_path_names_a_source(folder: Path) -> None:
    asked = client(folder, SOURCE_PATHS="old/=second, old/news/=third")
    assert width(asked, "/a.jpg") == 64
    assert width(asked, "/old/a.jpg") == 128
    assert width(asked, "/old/news/a.jpg") == 200
    assert width(asked, "/unsafe/old/a.jpg") == 128
    assert width(asked, "/fit-in/90x90/old/a.jpg") == 90
    assert asked.get("/_key/old/a.jpg").status == 404
    assert asked.get("/old/a.jpg?bucket=second").status == 404
    assert asked.get("/_api/explain?url=/old/news/a.jpg").json()["bucket"] == "third"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("old=second", "SOURCE_PATHS must be a comma list"),
        ("old/=", "SOURCE_PATHS must be a comma list"),
        ("old/=second,/old/=third", "SOURCE_PATHS must be a comma list"),
        ("old/=nosuch", "SOURCE_PATHS must name sources"),
    ],
)
def test_invalid_prefixes_are_reported_at_startup(folder: Path, said: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        client(folder, SOURCE_PATHS=said)


def test_client_hints_apply_where_they_are_enabled(folder: Path) -> None:
    asked = client(folder, CLIENT_HINTS="Yes")
    assert width(asked, "/a.jpg?width=20", sec_ch_dpr="2") == 40
    assert width(asked, "/a.jpg?width=20&resize.dpr=3", sec_ch_dpr="2") == 60
    assert width(asked, "/unsafe/20x0/a.jpg", sec_ch_dpr="2") == 40
    assert width(asked, "/a.jpg", sec_ch_width="25") == 25
    assert width(asked, "/a.jpg", sec_ch_width="9000") == 64
    assert width(asked, "/a.jpg?width=20", sec_ch_width="25") == 20
    assert asked.get("/a.jpg?feature=info", sec_ch_width="25").json()["width"] == 64
    answer = asked.get("/a.jpg?format=auto")
    assert answer.headers["Accept-CH"] == "Sec-CH-DPR, Sec-CH-Width"
    assert answer.headers["Vary"] == "Accept, Sec-CH-DPR, Sec-CH-Width"
    plain = client(folder).get("/a.jpg?width=20", sec_ch_dpr="2")
    assert size(plain.body)[0] == 20
    assert not {"Accept-CH", "Vary"} & set(plain.headers)


TURNED = {"key": "a.jpg", "edits": {"resize": {"width": 20, "height": 16}, "rotate": 90}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/" + base64.b64encode(json.dumps(TURNED).encode()).decode(), (32, 32)),
        ("/unsafe/fit-in/20x20/filters:fill(red)/a.jpg", (40, 40)),
        ("/unsafe/fit-in/20x10/filters:blur(1):upscale()/a.jpg", (27, 20)),
        ("/a.jpg?width=20&fill.width=30&fill.height=30", (60, 60)),
        ("/a.jpg?width=60", (60, 45)),
        ("/a.jpg?height=40", (53, 40)),
        ("/a.jpg?width=20&resize.ratio=3", (60, 45)),
        ("/a.jpg?width=20&fill.width=60", (60, 15)),
        ("/a.jpg?width=40&height=80", (40, 80)),
    ],
)
def test_a_density_counts_in_every_size_or_where_it_goes_too_far_in_none(
    folder: Path, path: str, expected: tuple[int, int]
) -> None:
    asked = client(folder, CLIENT_HINTS="Yes", MAX_RESULT_SIDE="100", MAX_RESULT_PIXELS="9000")
    assert size(asked.get(path, sec_ch_dpr="2").body)[:2] == expected


def test_a_width_hint_beyond_the_limit_is_ignored(folder: Path) -> None:
    asked = client(folder, CLIENT_HINTS="Yes", MAX_RESULT_SIDE="100")
    assert width(asked, "/a.jpg", sec_ch_width="101") == 64
    assert width(client(folder, CLIENT_HINTS="Yes", MAX_RESULT_SIDE="60"), "/a.jpg", sec_ch_width="61") == 64
    refused = asked.get("/a.jpg?width=101", sec_ch_dpr="2")
    assert (refused.status, "101" in refused.json()["message"]) == (413, True)


@pytest.mark.parametrize(
    ("dpr", "width", "expected"),
    [
        ("1.5", "300", Hints(1.5, 300)), ("2.66", "1", Hints(2.75, 1)), ("0.5", "0", Hints(1.0)),
        ("99", "65536", Hints(5.0)), ("-2", "1e3", Hints()), ("nan", "٣", Hints()), ("", "", Hints()),
    ],
)  # fmt: skip
def test_malformed_hints_are_ignored(dpr: str, width: str, expected: Hints) -> None:
    assert Hints.parse({"sec-ch-dpr": dpr, "sec-ch-width": width}) == expected
