"""imagor's own paths in Thumbor's language: in lenient mode they are answered in its size and format."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image as Pillow
from tests import pictures
from tests.client import Client
from tests.handler.dialects.moving_sites.imagor import Expected, expectations

MIN_SHARE = 0.95
DOCUMENT = Path(__file__).parents[3] / "docs" / "compatibility.md"
TIFF, OTHERS = "Thumbor, whose language it is, writes no TIFF", "no encoder for it, and Thumbor has none either"
KNOWN = {
    "filters:format(tiff):quality(70)/gopher-front.png": TIFF,
    "200x100/top/filters:quality(70):format(tiff)/gopher.png": TIFF,
    "filters:format(jxl):quality(70)/gopher-front.png": OTHERS,
    "filters:format(heif):quality(70)/gopher-front.png": OTHERS,
    "filters:proportion(10)/gopher.png": "a percentage for imagor, a factor for Thumbor",
}
"""The paths whose answers differ from imagor's, and why."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    folder = tmp_path_factory.mktemp("originals")
    photo, clear = pictures.scene(640, 480), pictures.scene_with_alpha(167, 169)
    ground: Any = pyvips.Image.black(500, 400, bands=3) + 255
    bodies = {
        "gopher.png": pictures.png(pictures.scene_with_alpha(1634, 2224)), "gopher-front.png": pictures.png(clear),
        "demo1.jpg": pictures.jpeg(photo), "demo3.webp": pictures.webp(photo), "gopher.tiff": pictures.tiff(photo),
        "gopher-front.avif": pictures.avif(photo), "Canon_40D.jpg": pictures.jpeg(pictures.scene(100, 68)),
        "bmp_24.bmp": pictures.bmp(photo), "lena_gray.bmp": pictures.bmp(photo),
        "dancing-banana.gif": pictures.sample("gif-animated").body,
        "nyan-cat.gif": pictures.sample("gif-animated").body,
        "find_trim.png": ground.cast("uchar").copy(interpretation="srgb").draw_rect([200, 0, 0], 90, 70, 200, 100,
                                                                                  fill=True).pngsave_buffer(),
    }  # fmt: skip
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", "COMPATIBILITY": "lenient", "LOG_LEVEL": "ERROR"})


def difference(served: Client, expected: Expected) -> str:
    """Return how the answer differs from imagor's, nothing if it does not."""
    answer = served.get(f"/unsafe/{expected.path}")
    if answer.status != 200:
        return f"{answer.status} {answer.body.decode()}"
    kind = answer.headers["Content-Type"].rpartition("/")[2].partition(";")[0]
    if expected.format not in ("", kind):
        return f"{kind} instead of {expected.format}"
    if kind == "json":
        return ""
    width, height = Pillow.open(io.BytesIO(answer.body)).size
    # A side that a ratio gives may be a pixel longer or shorter.
    if max(abs(width - expected.width), abs(height - expected.height)) > 1:
        return f"{width} x {height} instead of {expected.width} x {expected.height}"
    return ""


def test_the_answers_are_those_of_imagor(client: Client) -> None:
    kept = list(expectations())
    assert len({expected.path for expected in kept}) == len(kept) >= 90
    different = {expected.path: found for expected in kept if (found := difference(client, expected))}
    share = 1 - len(different) / len(kept)
    assert share >= MIN_SHARE, (share, different)
    stated = (
        f"Of {len(kept)} paths of imagor's own tests in Thumbor's language, {len(kept) - len(different)} have its size"
    )
    assert stated in " ".join(DOCUMENT.read_text(encoding="utf-8").split()), stated
    assert different.keys() == KNOWN.keys(), (share, different)


def test_what_proportion_leaves_nothing_of_an_image_is_refused_in_strict_mode(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(pictures.png(pictures.scene(40, 30)))
    served = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    answer = served.get("/unsafe/filters:proportion(0.00001)/a.png")
    assert answer.status == 400
    assert "a number from 0.0001 to 1" in answer.body.decode()


def test_tiff_is_a_format_of_awss_paths(tmp_path: Path) -> None:
    """AWS's mapper knows `format(tiff)`; neither it nor Thumbor knows `format(bmp)`."""
    (tmp_path / "a.png").write_bytes(pictures.png(pictures.scene(40, 30)))
    for mode, status in (("strict", 400), ("lenient", 200)):
        served = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}", "COMPATIBILITY": mode})
        answer = served.get("/fit-in/20x20/filters:format(tiff)/a.png")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/tiff")
        for path in ("/fit-in/20x20/filters:format(bmp)/a.png", "/unsafe/filters:format(bmp)/a.png"):
            assert served.get(path).status == status
