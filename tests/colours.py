"""Colours of pictures, counted and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray
from tests.steps import picture

from features.quantize import quantize
from features.quantize.parameters import Quantize
from imaging import Context, Report, check

Image = Any
SAMPLES = Path(__file__).parents[1] / "samples"


def photo(name: str, width: int = 400) -> Image:
    """A sample, reduced and in memory."""
    return pyvips.Image.thumbnail(str(SAMPLES / "photos" / f"{name}.jpg"), width).copy_memory()


def rows(image: Image) -> NDArray[np.uint8]:
    """All pixels, without alpha, one a row."""
    return np.asarray(image.numpy()).reshape(-1, image.bands)[:, : image.bands - image.hasalpha()]


def colours(image: Image) -> set[tuple[int, ...]]:
    return {tuple(map(int, row)) for row in np.unique(rows(image), axis=0)}


def hexes(image: Image) -> set[str]:
    return {"#" + bytes(row).hex() for row in colours(image)}


def lab(colour: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIELAB of rows of sRGB, by the formulas of IEC 61966-2-1 and CIE 15, D65."""
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    scaled = xyz / [0.9505, 1.0, 1.089]
    bent = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = bent.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def apart(one: Image, other: Image) -> float:
    """Mean colour difference (CIE 1976) of two pictures."""
    return float(np.linalg.norm(lab(rows(one)) - lab(rows(other)), axis=1).mean())


def report(image: Image, **said: Any) -> dict[str, Any]:
    asked = check(Quantize, {"palette": True, **said})
    outcome = quantize.apply(picture(image), asked, Context())
    assert isinstance(outcome, Report)
    return outcome.content


def stripes(*shades: str, side: int = 24) -> Image:
    """Stripes of these colours, as wide as high."""
    parts = [
        pyvips.Image.black(side, side, bands=3).linear([1], list(bytes.fromhex(shade)), uchar=True) for shade in shades
    ]
    return pyvips.Image.arrayjoin(parts).copy(interpretation="srgb").copy_memory()
