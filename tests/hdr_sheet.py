"""The picture of docs/hdr.md: an Ultra HDR photograph after some edits, and how screens show it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from tests.client import Client
from tests.local_server import ROOT, SAMPLES
from tests.ultra_hdr import light_of, ultra_hdr

Image = Any
"""A pyvips image; pyvips has no types of its own."""
NAME = "rocket-hdr.jpg"
_EXPOSURE = 1 / 8
"""The share of the light that the last two columns show, so that an eighth of what is eight times as bright as white
is white there.
"""


def make_original() -> bytes:
    """Return the sample of a rocket with a gain map that makes the bright parts up to eight times as bright."""
    photo: Image = pyvips.Image.new_from_file(str(SAMPLES / "photos" / "rocket.jpg")).copy_memory()
    bright = photo.colourspace("b-w")[0].resize(0.25)
    levels = ((bright - 170) * 3).cast("uchar").copy(interpretation="b-w")
    return ultra_hdr(photo, levels)


def read_urls() -> list[str]:
    """Return the URLs of the page, from top to bottom."""
    text = (ROOT / "docs" / "hdr.md").read_text(encoding="utf-8")
    return re.findall(rf"^/{NAME}\?\S+$", text, re.MULTILINE)


def draw_hdr(folder: Path) -> Image:
    """Return a row for each URL: the image, its gain map, and both kinds of screens, an eighth as bright.

    The gain map and the light are read by libultrahdr. Raise RuntimeError for an answer other than 200.
    """
    (folder / NAME).write_bytes(make_original())
    client = Client({"SOURCE_BUCKETS": f"samples=file://{folder}"})
    sheet: Image = None
    for url in read_urls():
        answer = client.get(url)
        if answer.status != 200:
            raise RuntimeError(f"{url}: {answer.body.decode()}")
        row: Image = pyvips.Image.arrayjoin(_panels(answer.body), across=4, shim=8, background=[255.0])
        sheet = row if sheet is None else sheet.join(row, "vertical", expand=True, shim=8, background=[255.0])
    return sheet.copy_memory()


def _panels(body: bytes) -> list[Image]:
    ordinary: Image = pyvips.Image.new_from_buffer(body, "").copy_memory()
    base: Image = pyvips.Image.uhdrload_buffer(body)
    gain_map: Image = base.get_gainmap().copy_memory()
    levels = ordinary.numpy()[..., :3] / 255.0
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    enlarged = gain_map.resize(ordinary.width / gain_map.width, vscale=ordinary.height / gain_map.height)
    grey = enlarged[0].bandjoin([enlarged[0], enlarged[0]]).copy(interpretation="srgb")
    return [ordinary, grey, _shown(light), _shown(light_of(body))]


def _shown(light: Any) -> Image:
    """Return an eighth of the light as an image in sRGB."""
    linear = np.clip(light * _EXPOSURE, 0, 1)
    levels = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return pyvips.Image.new_from_array((levels * 255).round().astype("uint8")).copy(interpretation="srgb")
