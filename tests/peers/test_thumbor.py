"""The same request of the same picture, side by side with Thumbor: size, format and pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests.client import Client
from tests.peers.thumbor_cases import Case, cases
from tests.similarity import mean_difference, worst_block
from tests.stand_ins.thumbor import Answer, thumbor_server

SAMPLES = Path(__file__).parents[2] / "samples"
Image = Any
Ask = Callable[[str], Answer]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")

    def photograph(name: str, width: int, height: int) -> Image:
        source = str(SAMPLES / "photos" / f"{name}.jpg")
        return pyvips.Image.thumbnail(source, width, height=height, crop="centre").copy_memory()

    wide = photograph("astronaut", 360, 240)
    wide.pngsave(str(folder / "wide.png"))
    wide.jpegsave(str(folder / "wide.jpg"), Q=92, keep="none")
    photograph("cat", 180, 270).pngsave(str(folder / "tall.png"))
    photograph("coffee", 90, 60).pngsave(str(folder / "small.png"))
    pyvips.Image.thumbnail(str(SAMPLES / "logo.png"), 120).pngsave(str(folder / "logo.png"))
    framed = wide.crop(100, 60, 120, 100).embed(40, 30, 220, 170, extend="background", background=[250, 250, 250])
    framed.pngsave(str(folder / "framed.png"))
    return folder


@pytest.fixture(scope="module")
def theirs(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    with thumbor_server(pictures, tmp_path_factory.mktemp("thumbor")) as ask:
        yield ask


@pytest.fixture(scope="module")
def ours(pictures: Path) -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{pictures}"})


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.path)
def test_the_same_picture_comes_out(ours: Client, theirs: Ask, case: Case) -> None:
    mine, other = ours.get(f"/unsafe/{case.path}"), theirs(f"/unsafe/{case.path}")
    assert (mine.status, other.status) == (200, 200), mine.body
    assert mine.headers["Content-Type"] == other.media_type
    one, two = pyvips.Image.new_from_buffer(mine.body, ""), pyvips.Image.new_from_buffer(other.body, "")
    apart = max(abs(one.width - two.width), abs(one.height - two.height))
    assert apart <= case.limit.pixels, f"{one.width} x {one.height}, Thumbor {two.width} x {two.height}"
    if apart:
        one = one.resize(two.width / one.width, vscale=two.height / one.height)
    one, two = _comparable(one), _comparable(two)
    assert mean_difference(one, two) <= case.limit.mean
    assert worst_block(one, two) <= case.limit.block


def _comparable(image: Image) -> Image:
    """In sRGB, colours weighed by their alpha: what is clear has none."""
    image = image.colourspace("srgb")
    return (image if image.hasalpha() else image.addalpha()).premultiply().rint().cast("uchar")


def test_there_are_a_few_hundred_cases() -> None:
    paths = [case.path for case in cases()]
    assert len(set(paths)) == len(paths) >= 250


def test_formats_are_the_same(ours: Client, theirs: Ask) -> None:
    for name, source in (("jpeg", "wide.png"), ("webp", "wide.png"), ("gif", "logo.png"), ("png", "wide.jpg")):
        path = f"/unsafe/fit-in/100x100/filters:format({name}):quality(90)/{source}"
        assert ours.get(path).headers["Content-Type"] == theirs(path).media_type == f"image/{name}"
    for source, kind in (("wide.png", "jpeg"), ("logo.png", "png"), ("wide.jpg", "jpeg")):
        path = f"/unsafe/fit-in/100x100/filters:autojpg()/{source}"
        assert ours.get(path).headers["Content-Type"] == theirs(path).media_type == f"image/{kind}"
