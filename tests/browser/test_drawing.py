"""Shapes and gradients look as Chromium draws them, and the frames of animations are those that it decodes."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image as Pillow
from playwright.sync_api import Browser, Page
from tests import pictures
from tests.client import Client

WIDTH, HEIGHT, COLUMNS = 150, 110, 4
GROUND = "#3c6e9c"
BOX = "left: 20px; top: 15px; width: 90px; height: 60px; background: #f4d35e"
PARAMS = {"width": 90, "height": 60, "x": 20, "y": 15, "color": "f4d35e"}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "rectangle": (BOX, PARAMS),
    "round corners": (f"{BOX}; border-radius: 18px", {**PARAMS, "radius": 18}),
    "radius beyond the half": (f"{BOX}; border-radius: 80px", {**PARAMS, "radius": 80}),
    "ellipse": (f"{BOX}; border-radius: 50%", {"kind": "ellipse", **PARAMS}),
    "half opaque in percent": (
        "left: 0; top: 0; width: 60%; height: 40%; background: rgb(200 30 90 / 0.5)",
        {"width": "60p", "height": "40p", "color": "rgba(200,30,90,0.5)"},
    ),
    "opacity of the whole": (
        f"{BOX}; border-radius: 18px; background: #222; opacity: 0.4",
        {**PARAMS, "color": "222", "radius": 18, "opacity": 40},
    ),
    "line": (
        f"{BOX}; border-radius: 18px; border: 6px solid #8b1e3f; box-sizing: border-box",
        {**PARAMS, "radius": 18, "stroke": "8b1e3f", "strokeWidth": 6},
    ),
    "turned": (f"{BOX}; border-radius: 18px; transform: rotate(25deg)", {**PARAMS, "radius": 18, "rotate": 25}),
    "turned ellipse": (
        f"{BOX}; border-radius: 50%; transform: rotate(-70deg)",
        {"kind": "ellipse", **PARAMS, "rotate": -70},
    ),
}
"""A style of an element, and the parameters of the shape that looks the same."""
GRADIENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "down": ("180deg, transparent, #000", {}),
    "up, in part": ("0deg, transparent 30%, #e63946 80%", {
        "color": "e63946", "direction": "up", "start": 30, "stop": 80,
    }),
    "an angle": ("33deg, transparent, #f4d35e", {"color": "f4d35e", "angle": 33}),
    "an angle backwards": ("-140deg, transparent 10%, #000", {"color": "000", "angle": -140, "start": 10}),
    "left, half opaque": ("270deg, transparent, rgb(0 0 0 / 0.6)", {"direction": "left", "opacity": 60}),
    "two colours": ("60deg, #1d3557, #e63946", {"angle": 60, "startColor": "1d3557", "color": "e63946"}),
    "two half opaque colours": ("90deg, rgb(29 53 87 / 0.8) 20%, rgb(244 211 94 / 0.4) 70%", {
        "direction": "right", "startColor": "1d3557cc", "color": "f4d35e66", "start": 20, "stop": 70,
    }),
    "two half planes": ("110deg, transparent 40%, #000 40%", {"angle": 110, "start": 40, "stop": 40}),
}  # fmt: skip
EDITS: dict[str, Callable[[Pillow.Image], Pillow.Image]] = {
    "flop=true": lambda frame: frame.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT),
    "extract.left=10&extract.top=6&extract.width=40&extract.height=30": lambda frame: frame.crop((10, 6, 50, 36)),
}
FRAMES = """async ([kind, data]) => {
  const decoder = new ImageDecoder({data: Uint8Array.from(atob(data), c => c.charCodeAt(0)), type: kind});
  await decoder.tracks.ready;
  const {frameCount, repetitionCount} = decoder.tracks.selectedTrack;
  const frames = [];
  for (let frameIndex = 0; frameIndex < frameCount; frameIndex++) {
    const {image} = await decoder.decode({frameIndex});
    const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight);
    canvas.getContext('2d').drawImage(image, 0, 0);
    const blob = await canvas.convertToBlob({type: 'image/png'});
    const bytes = new Uint8Array(await blob.arrayBuffer());
    frames.push([image.duration / 1000, btoa(String.fromCharCode(...bytes))]);
    image.close();
  }
  return {frames, loops: repetitionCount === Infinity ? 0 : repetitionCount + 1};
}"""


def read_png(body: bytes) -> Any:
    return np.asarray(Pillow.open(io.BytesIO(body)).convert("RGBA"), dtype=float)


@pytest.fixture(scope="module")
def drawn_by_chromium(browser: Browser) -> list[Any]:
    """Every shape and gradient, drawn on one page."""
    styles = [style for style, _ in CASES.values()]
    styles += [f"inset: 0; background: linear-gradient({gradient})" for gradient, _ in GRADIENTS.values()]
    cells = [divmod(number, COLUMNS)[::-1] for number in range(len(styles))]
    body = "".join(
        f"<p style='left: {x * WIDTH}px; top: {y * HEIGHT}px'><b style='{style}'></b></p>"
        for (x, y), style in zip(cells, styles, strict=True)
    )
    rules = f"p {{width: {WIDTH}px; height: {HEIGHT}px; margin: 0; background: {GROUND}; overflow: hidden}}"
    size = {"width": COLUMNS * WIDTH, "height": (cells[-1][1] + 1) * HEIGHT}
    page = browser.new_page(viewport=size)  # type: ignore[arg-type]  # a dictionary of the two is what it takes
    page.set_content(f"<style>{rules} p, b {{position: absolute; display: block}}</style>{body}")
    whole = read_png(page.screenshot())
    page.close()
    return [whole[y * HEIGHT : (y + 1) * HEIGHT, x * WIDTH : (x + 1) * WIDTH] for x, y in cells]


def test_shapes_and_gradients_are_those_of_chromium(drawn_by_chromium: list[Any], tmp_path: Path) -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    queries = [("shape", {"position": "top-left", **params}) for _, params in CASES.values()]
    queries += [("gradient", {"color": "black", **params}) for _, params in GRADIENTS.values()]
    ground = {"width": WIDTH, "height": HEIGHT, "color": GROUND[1:], "format": "png"}
    for name, (feature, params), expected in zip([*CASES, *GRADIENTS], queries, drawn_by_chromium, strict=True):
        query = urlencode(ground | {f"{feature}.{parameter}": value for parameter, value in params.items()})
        difference = np.abs(read_png(client.get(f"/_canvas?{query}").body) - expected)
        assert difference.mean() < 0.5, name
        # Only the covered shares of pixels on an edge are computed in another way.
        assert (difference.max(axis=2) > 2).mean() < 0.02, name
        assert difference.max() < 64, name


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page with a secure origin, as ImageDecoder needs one."""
    opened = browser.new_page()
    opened.route("http://localhost/", lambda route: route.fulfill(body="", content_type="text/html"))
    opened.goto("http://localhost/")
    yield opened
    opened.close()


@pytest.mark.parametrize(("kind", "tolerance"), [("apng", 0.0), ("avif", 4.0), ("webp", 6.0), ("gif", 1.0)])
def test_frames_are_those_that_chromium_decodes(page: Page, tmp_path: Path, kind: str, tolerance: float) -> None:
    delays = (100, 250, 70, 400)
    original = pictures.gif(pictures.film(64, 48, delays=delays, loop=3))
    (tmp_path / "film.gif").write_bytes(original)
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    for edits, edit in EDITS.items():
        answer = client.get(f"/film.gif?format={kind}&{edits}")
        media_type = answer.headers["Content-Type"]
        decoded = page.evaluate(FRAMES, [media_type, base64.b64encode(answer.body).decode()])
        assert [duration for duration, _ in decoded["frames"]] == list(delays)
        assert decoded["loops"] == 3
        # The original is decoded by a third program.
        source = Pillow.open(io.BytesIO(original))
        for number, (_, data) in enumerate(decoded["frames"]):
            source.seek(number)
            expected = np.asarray(edit(source.convert("RGBA")), dtype=float)
            assert np.abs(read_png(base64.b64decode(data)) - expected).mean() <= tolerance
