"""Requests of files that came out in other colours, sizes or transparency than a browser shows, by HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import odd_files
from tests.client import Client

Image = Any
"""A pyvips image; pyvips has no types of its own."""


@pytest.fixture(scope="module")
def client() -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{odd_files.FOLDER.resolve()}"})


def answer(client: Client, path: str, **options: Any) -> Image:
    got = client.get(path)
    assert got.status == 200, got.body
    return pyvips.Image.new_from_buffer(got.body, "", **options)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a1-gama1.png?width=64", (128, 128, 128)),
        ("/s-gama-18.png?width=64&format=png", (77, 210, 77)),
        ("/a3-cicp-p3.png?width=64", (215, 93, 31)),
        ("/a4-nclx-p3.avif?width=64&format=png", (215, 93, 31)),
        ("/s-linear.avif?width=64&format=png", (128, 128, 128)),
    ],
)
def test_colors(client: Client, path: str, expected: tuple[int, ...]) -> None:
    image = answer(client, path)
    assert (image.width, image.height) == (64, 64)
    assert image.getpoint(20, 20) == pytest.approx(expected, abs=1)


def test_what_no_frame_has_drawn_is_clear(client: Client) -> None:
    first = answer(client, "/c13-first-offset.gif?format=webp&lossless=true", n=-1)
    assert first.getpoint(2, 2)[3] == 0
    frames = answer(client, "/c5-first-previous.gif?format=webp&lossless=true", n=-1)
    expected = [[tuple(frames.getpoint(0, 30 * number)) for number in range(3)]]
    assert [each[3] for each in expected[0]] == [255, 0, 0]


@pytest.mark.parametrize(
    ("name", "size"), [("e1-mm", (100, 100)), ("e3-inch", (96, 48)), ("e3-1em", (16, 16)), ("e2-no-size", (300, 150))]
)
def test_sizes_of_drawings(client: Client, name: str, size: tuple[int, int]) -> None:
    image = answer(client, f"/{name}.svg?format=png")
    assert (image.width, image.height) == size
    if name == "e1-mm":
        assert image.getpoint(48, 20)[3] == 255
        assert image.getpoint(51, 20)[3] == 0


def test_a_sharpened_disc_has_no_halo(client: Client) -> None:
    image = answer(client, "/b3-halo.png?width=57&sharpen=1&format=png")
    assert image.flatten(background=255).min() == 255


def test_a_wrong_checksum(client: Client) -> None:
    assert answer(client, "/o-bad-adler.png?width=60").width == 60


def test_floats_beside_infinity(tmp_path: Path) -> None:
    ramp = (pyvips.Image.xyz(64, 64)[0] / 63).insert(pyvips.Image.black(1, 1) + float("inf"), 9, 9).cast("float")
    ramp.tiffsave(str(tmp_path / "a18.tif"))
    image = answer(Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"}), "/a18.tif?format=png")
    assert [image.getpoint(at, 30)[0] for at in (0, 63)] == [0, 255]
