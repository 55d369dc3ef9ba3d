"""Photographs and drawings are told apart, at next to no cost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures

from imaging import Context, Limits, Output, Rendered, run
from imaging.codecs.decode import inspect
from imaging.codecs.graphic_detection import is_from_graphic, is_graphic
from imaging.codecs.save import save

SAMPLES = Path(__file__).parents[2] / "samples"
PHOTOGRAPHS = sorted((SAMPLES / "photos").iterdir())
WORDS = "Lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor " * 20


def written(size: int, ink: list[int], paper: list[int], width: int = 800, height: int = 600) -> Any:
    letters: Any = pyvips.Image.text(WORDS, font=f"sans {size}", width=width - 40)
    share = letters.embed(20, 20, width, height) / 255
    bands = [share * (dark - light) + light for dark, light in zip(ink, paper, strict=True)]
    return bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")


def drawn(inside: str, width: int = 800, height: int = 600) -> Any:
    body = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 80 60">{inside}</svg>'
    )
    image: Any = pyvips.Image.svgload_buffer(body.encode())
    return image.flatten(background=255)


def screenshot() -> Any:
    page = written(11, [30, 30, 30], [250, 250, 250], 1200, 900)
    page = page.insert(written(12, [255, 255, 255], [40, 60, 140], 250, 900), 0, 0)
    return page.draw_rect([220, 60, 60], 300, 700, 200, 60, fill=True)


def through_jpeg(image: Any, quality: int) -> Any:
    return pyvips.Image.jpegload_buffer(image.jpegsave_buffer(Q=quality))


LOGO = (
    '<circle cx="40" cy="30" r="20" fill="#e01020"/><path d="M10 10L30 50L60 15Z" fill="#1050d0"/>'
    '<text x="20" y="55" font-size="6" fill="#080">Example Ltd</text>'
)
SHADED = (
    '<linearGradient id="a"><stop offset="0" stop-color="#f00"/><stop offset="1" stop-color="#00f"/></linearGradient>'
    '<rect width="80" height="60" fill="#eef"/><rect x="5" y="5" width="70" height="20" fill="url(#a)"/>'
    '<text x="8" y="45" font-size="4" fill="#c00">A box of many colours</text>'
)
DRAWINGS: dict[str, Any] = {
    "red text": lambda: written(14, [220, 0, 0], [255, 255, 255]),
    "small text": lambda: written(9, [220, 0, 0], [255, 255, 255]),
    "blue text on yellow": lambda: written(20, [0, 0, 220], [255, 240, 60]),
    "logo": lambda: drawn(LOGO),
    "logo as JPEG": lambda: through_jpeg(drawn(LOGO), 75),
    "small logo": lambda: drawn(LOGO, 200, 150),
    "shaded drawing": lambda: drawn(SHADED),
    "screenshot": screenshot,
    "screenshot made smaller": lambda: screenshot().resize(0.5),
    "screenshot as JPEG": lambda: through_jpeg(screenshot(), 85),
    "screenshot as JPEG made smaller": lambda: through_jpeg(screenshot(), 85).resize(0.6),
}
VIEWS: dict[str, Any] = {
    "as it is": lambda photo: photo,
    "large": lambda photo: photo.thumbnail_image(800),
    "small": lambda photo: photo.thumbnail_image(300),
    "badly compressed": lambda photo: through_jpeg(photo, 40).thumbnail_image(800),
    "on white": lambda photo: photo.thumbnail_image(400).gravity("centre", 800, 600, extend="white"),
}


def graphic(image: Any) -> bool:
    return is_graphic(image.write_to_memory(), image.width, image.height, image.bands)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("photo", PHOTOGRAPHS, ids=lambda path: path.stem)
def test_photographs(photo: Path, view: str) -> None:
    image: Any = pyvips.Image.new_from_file(str(photo)).autorot().colourspace("srgb")
    assert not graphic(VIEWS[view](image.copy_memory()))


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings(name: str) -> None:
    assert graphic(DRAWINGS[name]())


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (3, 5), (17, 9)])
def test_any_shape_works(shape: tuple[int, int]) -> None:
    for bands in (1, 2, 3, 4):
        width, height = shape
        assert isinstance(is_graphic(bytes(width * height * bands), width, height, bands), bool)


def test_it_costs_less_than_two_percent_of_encoding() -> None:
    image: Any = pyvips.Image.new_from_file(str(SAMPLES / "photos" / "coffee.jpg")).thumbnail_image(1200).copy_memory()
    body = image.write_to_memory()

    def fastest(work: Any) -> float:
        times = []
        for _ in range(20):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        return min(times)

    measuring = fastest(lambda: is_graphic(body, image.width, image.height, 3))
    assert measuring < 0.02 * fastest(lambda: save(image, "jpeg", Output(), graphic=False))


@pytest.mark.parametrize("photo", PHOTOGRAPHS, ids=lambda path: path.stem)
def test_sources_that_are_photographs(photo: Path) -> None:
    stored = photo.read_bytes()
    assert not is_from_graphic(inspect(stored, Limits()))
    image: Any = pyvips.Image.new_from_buffer(stored, "")
    assert not is_from_graphic(inspect(bytes(image.pngsave_buffer()), Limits()))
    assert not is_from_graphic(inspect(bytes(image.webpsave_buffer(lossless=True)), Limits()))


@pytest.mark.parametrize("name", [name for name in DRAWINGS if "JPEG" not in name])
def test_sources_that_are_drawings(name: str) -> None:
    image = DRAWINGS[name]()
    for body in (image.pngsave_buffer(), image.gifsave_buffer(), image.tiffsave_buffer(compression="lzw")):
        assert is_from_graphic(inspect(bytes(body), Limits()))
    assert is_from_graphic(inspect(pictures.svg(), Limits()))


def test_the_encoders_follow() -> None:
    def made(body: bytes, chosen: Any) -> bytes:
        answer = run(body, (), Output(format=chosen), Context())
        assert isinstance(answer, Rendered)
        return answer.body

    drawing = bytes(drawn(LOGO).pngsave_buffer())
    photo: Any = pyvips.Image.new_from_file(str(PHOTOGRAPHS[0])).thumbnail_image(400)
    for body, subsampling in ((drawing, "4:4:4"), (bytes(photo.pngsave_buffer()), "4:2:0")):
        image: Any = pyvips.Image.new_from_buffer(made(body, "jpeg"), "")
        assert image.get("jpeg-chroma-subsample") == subsampling
    filtered = save(drawn(LOGO), "png", Output(), graphic=False)
    plain = save(drawn(LOGO), "png", Output(), graphic=True)
    assert len(plain) < len(filtered)
