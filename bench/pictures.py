"""The named pictures of the bench, made once and the same everywhere, into bench/.cache.

The photographs in samples/ are small, and a 12-megapixel camera picture is not an enlargement: it has detail down to
the pixel. So a 12-megapixel picture here is a photograph enlarged to 4000 x 3000, plus the high frequencies (what a
Gaussian blur of 2 pixels takes away) of all photographs at their own scale, laid edge to edge. Strength and quality
are set per picture so that a JPEG has 3 to 6 MB, as a camera's has. `mosaic` is made of unenlarged photographs alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyvips

from bench.icc import PROFILES, stored_in

SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "photos"
CACHE = Path(__file__).resolve().parent / ".cache" / "pictures"
PHOTOGRAPHS = ("astronaut", "cat", "coffee", "rocket", "retina", "hubble", "raccoon")
CAMERA = (4000, 3000)
GIANT = (12000, 8340)
"""100.08 megapixels, in pixels."""

Image = Any
"""A pyvips image; pyvips has no types of its own."""


@dataclass(frozen=True)
class Picture:
    """A picture of the bench: what is in it and how it is stored."""

    name: str
    subject: str
    size: tuple[int, int]
    detail: float
    suffix: str
    quality: int = 90
    profile: str = ""
    """Name of the ICC profile that it is stored in; without one it is in sRGB."""

    @property
    def path(self) -> Path:
        return CACHE / f"{self.name}{self.suffix}"

    def in_profile(self, name: str) -> Picture:
        """Return the same picture with its colours in a profile of that name."""
        return replace(self, name=f"{self.name}-{name}", profile=name)

    @property
    def key(self) -> str:
        return self.path.name


def _of_each_subject(
    kind: str, size: tuple[int, int], suffix: str, details: dict[str, tuple[float, int]]
) -> list[Picture]:
    return [
        Picture(f"{kind}-{subject}", subject, size, detail, suffix, quality)
        for subject, (detail, quality) in details.items()
    ]


CAMERA_JPEGS = _of_each_subject(
    "12mp", CAMERA, ".jpg", {"coffee": (1.0, 92), "mosaic": (0.0, 92), "cat": (1.6, 92), "rocket": (0.75, 94)}
)
CAMERA_WEBPS = _of_each_subject(
    "12mp", CAMERA, ".webp", {"coffee": (1.0, 85), "mosaic": (0.0, 85), "rocket": (0.6, 85)}
)
SMALL_JPEGS = _of_each_subject(
    "2mp", (1632, 1224), ".jpg", {"coffee": (0.7, 90), "mosaic": (0.0, 90), "cat": (0.7, 90), "rocket": (0.3, 90)}
)
PNGS = _of_each_subject(
    "3mp", (2000, 1500), ".png", {"coffee": (0.15, 0), "mosaic": (0.0, 0), "raccoon": (0.0, 0), "rocket": (0.1, 0)}
)
PROFILED_SUBJECTS = ("coffee", "mosaic")
"""Subjects of the JPEGs that the bench has in each of the profiles as well."""
FOUND = [
    Picture(f"found-{subject}", subject, size, 0.0, ".jpg", 92)
    for subject, size in {
        "astronaut": (512, 512), "cat": (451, 300), "coffee": (600, 400), "rocket": (640, 427), "retina": (706, 706),
        "hubble": (1000, 872), "raccoon": (1024, 768), "brick": (512, 512), "camera": (512, 512), "coins": (384, 303),
        "grass": (512, 512), "gravel": (512, 512), "ihc": (512, 512), "moon": (512, 512), "motorcycle_left": (741, 500),
    }.items()
]  # fmt: skip
"""Photographs in their own size: those in samples/ and those that scikit-image brings along."""
HUNDRED_MEGAPIXELS = Picture("100mp-mosaic", "mosaic", GIANT, 0.0, ".jpg", 85)


def _photograph(name: str) -> Image:
    path = SAMPLES / f"{name}.jpg"
    if not path.exists():
        skimage = importlib.util.find_spec("skimage")
        if skimage is None or skimage.origin is None:
            raise RuntimeError(f"scikit-image is needed for {name}: make setup")
        path = Path(skimage.origin).parent / "data" / f"{name}.png"
    image = pyvips.Image.new_from_file(str(path)).autorot().colourspace("srgb")
    return image.extract_band(0, n=3).copy_memory()


def _cover(image: Image, size: tuple[int, int]) -> Image:
    return image.thumbnail_image(size[0], height=size[1], crop="centre", size="both")


def mosaic(size: tuple[int, int]) -> Image:
    """All photographs at their own scale, edge to edge, mirrored where they repeat; width and height in pixels."""
    tiles = [_cover(_photograph(name), (400, 300)) for name in PHOTOGRAPHS]
    tiles += [tile.fliphor() for tile in tiles]
    across, down = -(-size[0] // 400), -(-size[1] // 300)
    laid = [tiles[(column * 5 + row * 7) % len(tiles)] for row in range(down) for column in range(across)]
    return pyvips.Image.arrayjoin(laid, across=across).crop(0, 0, *size).copy_memory()


def _subject(picture: Picture) -> Image:
    if picture.subject == "mosaic":
        return mosaic(picture.size)
    base = _cover(_photograph(picture.subject), picture.size)
    grain = mosaic(picture.size)
    fine = (grain.cast("float") - grain.gaussblur(2)).colourspace("srgb").extract_band(1)
    return (base + fine * picture.detail).cast("uchar").copy(interpretation="srgb")


def _store(image: Image, picture: Picture) -> None:
    if picture.profile:
        image = stored_in(image, picture.profile)
    save: dict[str, Callable[..., None]] = {".jpg": image.jpegsave, ".png": image.pngsave, ".webp": image.webpsave}
    options = {"compression": 6, "filter": "all"} if picture.suffix == ".png" else {"Q": picture.quality}
    save[picture.suffix](str(picture.path), keep="icc" if picture.profile else "none", **options)


def make(picture: Picture) -> Path:
    """The picture's path; made first if the cache has none made by this code."""
    recipe = hashlib.sha256(Path(__file__).read_bytes() + repr(picture).encode()).hexdigest()
    mark = picture.path.with_suffix(picture.suffix + ".recipe")
    if not (picture.path.exists() and mark.exists() and mark.read_text() == recipe):
        CACHE.mkdir(parents=True, exist_ok=True)
        _store(_subject(picture), picture)
        mark.write_text(recipe)
    return picture.path


def make_all() -> None:
    profiled = [
        picture.in_profile(name)
        for picture in (*CAMERA_JPEGS, *SMALL_JPEGS)
        if picture.subject in PROFILED_SUBJECTS
        for name in PROFILES
    ]
    for picture in (*CAMERA_JPEGS, *CAMERA_WEBPS, *SMALL_JPEGS, *PNGS, *profiled, HUNDRED_MEGAPIXELS):
        path = make(picture)
        print(f"{path.name:24} {picture.size[0]} x {picture.size[1]}  {path.stat().st_size / 1e6:6.2f} MB")


if __name__ == "__main__":
    make_all()
