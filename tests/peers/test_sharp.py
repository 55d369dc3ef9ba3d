"""AWS's JSON edits, here and in sharp, side by side: the same size, frames and format, and the same picture."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures
from tests.client import Client
from tests.colours import photo
from tests.peers.cases import Case, cases
from tests.peers.limits import LIMITS, allowed
from tests.similarity import mean_difference, worst_block
from tests.tools import lacking, require_tool

HERE = Path(__file__).parent / "sharp"
CASES = tuple(dict.fromkeys(map(str, cases())))
BY_NAME = {str(case): case for case in cases()}


class Sharp:
    """sharp in a process of its own, asked a line at a time."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, out: Path) -> None:
        self._process, self._folder, self._out = process, folder, out

    def ask(self, case: Case) -> tuple[dict[str, Any], bytes]:
        """What it says of its answer, and the answer."""
        request = {
            **case.request,
            "source": str(self._folder / case.source),
            "overlays": {"mark.png": str(self._folder / "mark.png")},
            "out": str(self._out / "sharp.out"),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        return said, b"" if "error" in said else (self._out / "sharp.out").read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources."""
    made = tmp_path_factory.mktemp("sources")
    logo = pyvips.Image.thumbnail(str(Path(__file__).parents[2] / "samples" / "logo.png"), 260).copy_memory()
    bodies = {
        "photo.jpg": pictures.jpeg(photo("coffee", 400)),
        "turned.jpg": pictures.jpeg(photo("cat", 320), orientation=6),
        "logo.png": pictures.png(pictures.scene_with_alpha(240, 180)),
        "grey.png": pictures.png(photo("raccoon", 300).colourspace("b-w")),
        "odd.webp": pictures.webp(photo("rocket", 301).crop(0, 0, 301, 199), lossless=True),
        "deep.png": pictures.png(pictures.deep()),
        "drawing.svg": pictures.svg(),
        "film.gif": pictures.gif(pictures.film()),
        "film.webp": pictures.webp(pictures.film(), lossless=True),
        "mark.png": pictures.png(logo.crop(0, 0, logo.width, min(logo.height, 100)).resize(0.4)),
    }
    for name, body in bodies.items():
        (made / name).write_bytes(body)
    return made


@pytest.fixture(scope="module")
def client(folder: Path) -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}"}, operator_open=True)


@pytest.fixture(scope="module")
def sharp(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharp]:
    node = require_tool("node", "apt-get install nodejs npm, then make setup")
    if not (HERE / "node_modules" / "sharp").exists():
        lacking("sharp is needed to compare with: npm ci --prefix tests/peers/sharp (make setup does it)")
    with subprocess.Popen(
        [node, "edits.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Sharp(process, folder, tmp_path_factory.mktemp("out"))
        finally:
            process.kill()


@pytest.mark.parametrize("name", CASES)
def test_the_same_picture(name: str, client: Client, sharp: Sharp) -> None:
    case = BY_NAME[name]
    theirs, body = sharp.ask(case)
    ours = client.get("/" + base64.b64encode(json.dumps(case.request).encode()).decode())
    if "error" in theirs:
        # What sharp cannot do is refused here by name, or works.
        assert ours.status in (200, 400), (theirs, ours.body)
        return
    assert ours.status == 200, (theirs, ours.body)
    one, other = opened(ours.body), opened(body)
    if case.source == "turned.jpg":
        # sharp scales before it turns the picture upright: a side that is not asked for may be a pixel longer.
        assert described(one)[1:] == pytest.approx(described(other)[1:], abs=1), name
    else:
        assert described(one) == described(other), name
    if case.format == "png" and described(one) == described(other):
        mean, block = allowed(case)
        same, alike = seen(one), seen(other)
        assert mean_difference(same, alike) <= mean, name
        assert worst_block(same, alike) <= block, name


def test_reasons_stand_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
    assert [limit.reason for limit in LIMITS if limit.reason not in page] == []


def opened(body: bytes) -> Any:
    image: Any = pyvips.Image.new_from_buffer(body, "")
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    return pyvips.Image.new_from_buffer(body, "", n=-1) if pages > 1 else image


def described(image: Any) -> tuple[str, int, int, int]:
    """Format, width, height and frames."""
    frames = image.get("n-pages") if image.get_typeof("n-pages") else 1
    return (image.get("vips-loader").split("load")[0], image.width, image.height // frames, frames)


def seen(image: Any) -> Any:
    """What there is to be seen: colours weighed by their alpha, and the alpha, in 255 levels."""
    image = image.colourspace("srgb")
    image = image if image.hasalpha() else image.addalpha()
    return image.premultiply().rint().cast("uchar")
