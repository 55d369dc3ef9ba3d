"""The cases that are measured, with the goals they are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from bench import pictures
from bench.pictures import Picture

MORE_BYTES = 1.03
"""At most this times the bytes of sharp's default."""
LOWER_Y, LOWER_CHROMA = 0.002, 0.01
"""SSIM that may be lost against sharp's default."""


@dataclass(frozen=True)
class Case:
    """One size and format asked of several pictures."""

    name: str
    pictures: list[Picture]
    width: int
    format: str
    quality: int | None
    goal: float
    """Share of sharp's time, at most."""

    @property
    def parameters(self) -> dict[str, str]:
        """As the query names them."""
        asked = {"width": str(self.width), "format": self.format}
        return asked | ({"quality": str(self.quality)} if self.quality else {})

    @property
    def options(self) -> dict[str, int]:
        """As sharp names them."""
        return {"quality": self.quality} if self.quality else {}


CASES = [
    Case("12 MP JPEG → 800 px JPEG q80", pictures.CAMERA_JPEGS, 800, "jpeg", 80, 1.0),
    Case("12 MP JPEG → 800 px WebP q80", pictures.CAMERA_JPEGS, 800, "webp", 80, 0.8),
    Case("12 MP JPEG → 800 px AVIF q50", pictures.CAMERA_JPEGS, 800, "avif", 50, 0.18),
    Case("2 MP JPEG → 400 px WebP q80", pictures.SMALL_JPEGS, 400, "webp", 80, 0.66),
    Case("3 MP PNG → 800 px PNG", pictures.PNGS, 800, "png", None, 0.6),
    Case("12 MP WebP → 200 px JPEG q80", pictures.CAMERA_WEBPS, 200, "jpeg", 80, 1.0),
]


def geometric_mean(ratios: list[float]) -> float:
    """Of ratios above 0."""
    return float(prod(ratios) ** (1 / len(ratios)))
