"""Texts look as Chromium sets them in the same font."""

from __future__ import annotations

import base64
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import pyvips
from playwright.sync_api import Browser
from tests.steps import apply, picture

FILES = {
    "sans": ("fontpkg_inter", "Inter[opsz,wght].ttf"),
    "serif": ("fontpkg_source_serif_4", "SourceSerif4[opsz,wght].ttf"),
    "mono": ("fontpkg_jetbrains_mono", "JetBrainsMono[wght].ttf"),
}
SIZE = (1200, 200)


def set_by_chromium(browser: Browser, text: str, font: str, size: int, weight: int) -> Any:
    package, name = FILES[font]
    spec = find_spec(package)
    assert spec is not None
    file = Path(str(spec.origin)).parent / "files" / name
    page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
    page.set_content(
        f"<style>@font-face {{font-family: F; font-weight: 100 900; src: url(data:font/ttf;base64,"
        f"{base64.b64encode(file.read_bytes()).decode()})}} body {{margin: 40px; background: black; color: white;"
        f" font: {weight} {size}px F; font-optical-sizing: auto; -webkit-font-smoothing: antialiased}}</style>{text}"
    )
    page.evaluate("document.fonts.ready")
    shown = pyvips.Image.new_from_buffer(page.screenshot(), "")[1]
    page.close()
    return shown


def trimmed(image: Any) -> Any:
    left, top, width, height = (image > 60).ifthenelse(255, 0).find_trim(threshold=1, background=[0], line_art=True)
    return image.crop(left, top, width, height)


@pytest.mark.parametrize("weight", [400, 700])
@pytest.mark.parametrize("font", FILES)
def test_letters_are_those_of_chromium(browser: Browser, font: str, weight: int) -> None:
    text = "Hamburgefonstiv, 0123 Žluťoučký Ωμέγα"
    theirs = trimmed(set_by_chromium(browser, text, font, 36, weight))
    paper: Any = pyvips.Image.black(*SIZE, bands=3).cast("uchar").copy(interpretation="srgb")
    made = apply("text", picture(paper), text=text, font=font, size=36, weight=weight, width="100p", position="center")
    ours = trimmed(made.image[1])
    assert abs(ours.width - theirs.width) <= 0.02 * theirs.width
    assert abs(ours.height - theirs.height) <= 2
    assert abs(ours.avg() - theirs.avg()) <= 0.15 * theirs.avg()
    # Each engine rounds the positions of letters in its own way, by up to a pixel in all.
    same = ours.resize(theirs.width / ours.width, vscale=theirs.height / ours.height)
    same = same.gravity("centre", theirs.width, theirs.height)
    assert (same.gaussblur(4) - theirs.gaussblur(4)).abs().avg() < 0.25 * theirs.avg()
