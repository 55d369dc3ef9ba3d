"""AWS's custom rewrite, against what JavaScript's `String.replace` makes of the same."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from tests import pictures
from tests.client import Client, size

from handler.config import SettingsError
from handler.requests.rewrite import Rewrite


@pytest.mark.parametrize(
    ("pattern", "substitution", "path", "expected"),
    [
        ("/thumb/g", "fit-in/30x20", "/thumb/a.jpg", "/fit-in/30x20/a.jpg"),
        ("/a/", "b", "/aa.jpg", "/ba.jpg"),
        ("/a/g", "b", "/aa.jpg", "/bb.jpg"),
        ("/^\\/(\\d+)-(\\d+)\\/(.*)$/", "/$1x$2/$3", "/30-20/a.jpg", "/30x20/a.jpg"),
        ("/^\\/(?<width>\\d+)\\//", "/$<width>x0/", "/30/a.jpg", "/30x0/a.jpg"),
        ("/SMALL/i", "$$$&", "/small/a.jpg", "/$small/a.jpg"),
        ("/(?<!x)a/", "<$&>", "/xa/a", "/xa/<a>"),
        ("/(a)(b)?/", "[$1$2]", "/ac", "/[a]c"),
        ("/nothing/", "x", "/a.jpg", "/a.jpg"),
    ],
)
def test_paths_are_rewritten(pattern: str, substitution: str, path: str, expected: str) -> None:
    rewrite = Rewrite.parse(pattern, substitution)
    assert rewrite is not None
    assert rewrite.apply(path) == expected


@pytest.mark.parametrize(
    ("pattern", "substitution", "message"),
    [
        ("thumb", "x", "REWRITE_MATCH_PATTERN must be /expression/flags"),
        ("/a/x", "x", "REWRITE_MATCH_PATTERN must be /expression/flags"),
        ("/(/", "x", "REWRITE_MATCH_PATTERN must be an expression that compiles"),
        ("/a/", "$1", "REWRITE_SUBSTITUTION must name groups"),
        ("/a/", "$<b>", "REWRITE_SUBSTITUTION must name groups"),
    ],
)
def test_invalid_settings_are_refused_at_startup(tmp_path: Path, pattern: str, substitution: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        client(tmp_path, pattern, substitution)


def client(folder: Path, pattern: str, substitution: str) -> Client:
    settings = {"REWRITE_MATCH_PATTERN": pattern, "REWRITE_SUBSTITUTION": substitution}
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", **settings})


def test_the_rewritten_path_is_read_as_a_thumbor_path(tmp_path: Path) -> None:
    (tmp_path / "thumb").mkdir()
    for name in ("a.jpg", "thumb/a.jpg"):
        (tmp_path / name).write_bytes(pictures.jpeg(pictures.scene(64, 48)))
    asked = client(tmp_path, "/^\\/thumb/", "/30x20")
    assert size(asked.get("/thumb/a.jpg").body) == (30, 20)
    assert size(asked.get("/a.jpg").body) == (64, 48)
    assert size(asked.get("/_key/thumb/a.jpg").body) == (64, 48)
    in_json = "/" + base64.b64encode(b'{"key": "a.jpg"}').decode()
    everything = client(tmp_path, "/^\\/(.*)$/", "/30x20/$1")
    assert size(everything.get("/a.jpg").body) == (30, 20)
    assert size(everything.get(in_json).body) == (64, 48)


def test_the_documented_pattern_moves_a_size_to_the_front() -> None:
    document = (Path(__file__).parents[3] / "docs/compatibility.md").read_text(encoding="utf-8")
    example = re.search(r"`REWRITE_MATCH_PATTERN` `([^`]+)` with `REWRITE_SUBSTITUTION` `([^`]+)`", document)
    assert example is not None
    rewrite = Rewrite.parse(example[1], example[2])
    assert rewrite is not None
    assert rewrite.apply("/photos/old/300x200/cat.jpg") == "/300x200/photos/old/cat.jpg"
    assert rewrite.apply("/300x200/cat.jpg") == "/300x200/cat.jpg"
