"""A format, added by one file and one entry, is recognised, negotiated, limited, documented and offered."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures

ROOT = Path(__file__).parents[2]
LAST = ", SVG)\n"
ENTRY = """FormatEntry(
    name="farbfeld", media_type="image/x-farbfeld", aliases=("ff",), max_pixels=2 * MEGA,
    negotiation=Negotiation(rank=0, max_pixels=1000),
)"""
WIDTH, HEIGHT = 40, 30
MEDIA_TYPE = "image/x-farbfeld"

Answers = Callable[..., dict[str, Any]]
_ASK = """
import json, sys
from handler.app import lambda_handler
print(json.dumps(lambda_handler(json.load(sys.stdin), None)))
"""


def pixel(body: bytes, left: int, top: int) -> tuple[int, ...]:
    """Red, green, blue and alpha of a farbfeld file, 0 to 65535."""
    width = struct.unpack_from(">I", body, 8)[0]
    return struct.unpack_from(">4H", body, 16 + 8 * (top * width + left))


def farbfeld(width: int, height: int) -> bytes:
    """A file whose left half is red and whose right half is a transparent blue."""
    red, blue = struct.pack(">4H", 65535, 0, 0, 65535), struct.pack(">4H", 0, 0, 65535, 32768)
    return b"farbfeld" + struct.pack(">II", width, height) + (width // 2 * red + width // 2 * blue) * height


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source with one file and one entry more."""
    copy = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    formats = copy / "src" / "imaging" / "formats"
    shutil.copy(Path(__file__).with_name("farbfeld.py"), formats)
    registry = (formats / "__init__.py").read_text(encoding="utf-8")
    assert registry.count(LAST) == 1
    (formats / "__init__.py").write_text(registry.replace(LAST, f", {ENTRY}{LAST}"), encoding="utf-8")
    return copy


def run(source: Path, *arguments: str, stdin: str = "", **environment: str) -> str:
    """Run the copy; what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=source,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(source / "src"), **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ask(source: Path) -> Answers:
    """What the copy answers to an address under the given Accept header."""
    folder = source / "images"
    folder.mkdir()
    (folder / "flag.bin").write_bytes(farbfeld(WIDTH, HEIGHT))
    (folder / "cut.bin").write_bytes(farbfeld(WIDTH, HEIGHT)[:-1])
    (folder / "photo.jpg").write_bytes(pictures.jpeg())
    event = json.loads((ROOT / "tests" / "events" / "function-url.json").read_text())

    def answer(path: str, query: str, accept: str = "*/*") -> dict[str, Any]:
        asked = {**event, "rawPath": path, "rawQueryString": query, "headers": {**event["headers"], "accept": accept}}
        printed = run(source, "-c", _ASK, stdin=json.dumps(asked), SOURCE_BUCKETS=f"images={folder.as_uri()}")
        result: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return result

    return answer


def test_it_is_recognised_by_its_first_bytes(ask: Answers) -> None:
    answer = ask("/flag.bin", "info=true")
    report = json.loads(b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"])
    assert (report["format"], report["mediaType"]) == ("farbfeld", MEDIA_TYPE)
    assert (report["width"], report["height"], report["alpha"]) == (WIDTH, HEIGHT, True)


def test_it_is_decoded_and_converted(ask: Answers) -> None:
    answer = ask("/flag.bin", "width=20&format=png")
    assert answer["headers"]["Content-Type"] == "image/png"
    drawn: Any = pyvips.Image.new_from_buffer(b64decode(answer["body"]), "")
    assert (drawn.width, drawn.height, drawn.hasalpha()) == (20, 15, True)
    assert drawn(2, 7) == pytest.approx([255, 0, 0, 255], abs=2)


def test_a_damaged_file_is_refused(ask: Answers) -> None:
    assert ask("/cut.bin", "width=20")["statusCode"] == 422


@pytest.mark.parametrize("query", ["width=20&format=farbfeld", "width=20&format=ff", "width=20"])
def test_it_is_encoded(ask: Answers, query: str) -> None:
    answer = ask("/flag.bin", query)
    assert answer["headers"]["Content-Type"] == MEDIA_TYPE
    body = b64decode(answer["body"])
    assert body[:16] == b"farbfeld" + struct.pack(">II", 20, 15)
    assert pixel(body, 2, 7) == pytest.approx((65535, 0, 0, 65535), abs=300)
    assert pixel(body, 17, 7) == pytest.approx((0, 0, 65535, 32768), abs=300)


def test_it_is_negotiated_before_the_others(ask: Answers) -> None:
    accept = f"image/avif,image/webp,{MEDIA_TYPE},*/*"
    assert ask("/photo.jpg", "width=20&format=auto", accept)["headers"]["Content-Type"] == MEDIA_TYPE
    assert ask("/photo.jpg", "width=20&format=auto", "image/webp,*/*")["headers"]["Content-Type"] == "image/webp"
    # Its record keeps images of more than 1000 pixels for the next one.
    assert ask("/photo.jpg", "width=80&format=auto", accept)["headers"]["Content-Type"] == "image/avif"


def test_its_results_are_limited(ask: Answers) -> None:
    answer = ask("/photo.jpg", "width=2000&height=1001&fit=fill&format=farbfeld")
    assert answer["statusCode"] == 413
    assert "farbfeld" in answer["body"]
    assert "2000000" in answer["body"]


def test_it_is_documented(source: Path) -> None:
    run(source, "-m", "handler.reference", "--write")
    row = next(line for line in (source / "docs" / "features.md").read_text().splitlines() if "| `format` |" in line)
    assert "`farbfeld`" in row
    assert "`ff` for `farbfeld`" in row
    assert MEDIA_TYPE in (source / "docs" / "openapi.json").read_text()
    assert "farbfeld" in (source / "demo-ui" / "features.json").read_text()


def test_the_command_line_offers_it(source: Path) -> None:
    (source / "photo.png").write_bytes(pictures.png())
    run(
        source,
        "-c",
        "from handler.cli import main; main()",
        "transform",
        "photo.png",
        "width=20",
        "format=farbfeld",
        "--out",
        "out",
    )
    assert (source / "out" / "photo.ff").read_bytes().startswith(b"farbfeld")
