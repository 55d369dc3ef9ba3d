"""imagor's whole golden set in its own language: status, size, format and pixels, as `model` says them."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image as Pillow
from tests import pictures
from tests.client import Client
from tests.handler.dialects.imagor.golden import DETECTED, TEXTS, Golden, golden
from tests.handler.dialects.imagor.model import Model
from tests.similarity import mean_difference, worst_block

MIN_SHARE = 0.8
MEAN, BLOCK = 6.0, 45.0
"""Levels of 255 by which the pixels may differ: on average, and in the square of 16 pixels where it is most."""
_TEXT = re.compile(r"(?:label|text)\([^)]*\)")
DOCUMENT = Path(__file__).parents[4] / "docs" / "compatibility.md"
Image = Any


def make(folder: Path) -> None:
    """Write originals of imagor's sizes, the largest of them halved, and each of them decoded, for the model."""
    photo, tall = pictures.scene(640, 480), pictures.scene_with_alpha(817, 1112)
    front, turned = pictures.scene_with_alpha(167, 169), pictures.scene(300, 200)
    flat: Image = (pyvips.Image.black(500, 400, bands=3) + 255).cast("uchar").copy(interpretation="srgb")
    trim = flat.draw_rect([200, 0, 0], 90, 70, 200, 100, fill=True)
    clear = pictures.scene_with_alpha(200, 100).embed(90, 70, 500, 400)
    animation = pictures.gif(pictures.film(160, 120, (80,) * 8))
    bodies = {
        "gopher.png": pictures.png(tall), "gopher-front.png": pictures.png(front), "demo1.jpg": pictures.jpeg(photo),
        "demo3.webp": pictures.webp(photo), "gopher.tiff": pictures.tiff(photo),
        "gopher-front.avif": pictures.avif(photo), "gopher-front.heif": pictures.heic(front),
        "Canon_40D.jpg": pictures.jpeg(pictures.scene(100, 68)),
        "bmp_24.bmp": pictures.bmp(photo), "lena_gray.bmp": pictures.bmp(photo), "dancing-banana.gif": animation,
        "nyan-cat.gif": animation, "find_trim.png": trim.pngsave_buffer(), "find_trim_alpha.png": pictures.png(clear),
        "2bands.png": pictures.png(front.colourspace("b-w")), "test.svg": pictures.svg(200, 100),
        "gopher-landscape-exif-cw90.png": with_orientation(turned),
        "memory-test.png": pictures.png(photo.crop(0, 0, 3, 1)),
        "gopher-exif-orientation-cw90.png": with_orientation(turned),
        "jpg-24bit-icc-adobe-rgb.jpg": pictures.jpeg(pictures.scene(300, 195)),
    }  # fmt: skip
    (folder / "originals").mkdir()
    (folder / "decoded").mkdir()
    for name, body in bodies.items():
        (folder / "originals" / name).write_bytes(body)
        if name.endswith("heif"):
            continue
        if name.endswith("bmp"):
            Pillow.open(io.BytesIO(body)).save(folder / "decoded" / f"{name}.png")
            continue
        image: Image = pyvips.Image.new_from_buffer(body, "[n=-1]" if name.endswith("gif") else "")
        if name.endswith("gif"):
            frames = [image.crop(0, top, image.width, 120) for top in range(0, image.height, 120)]
            for at, frame in enumerate(frames):
                frame.pngsave(str(folder / "decoded" / f"{name}.{at:03}.png"), keep="none")
            image = frames[0]
        image.autorot().pngsave(str(folder / "decoded" / f"{name}.png"), keep="none")


def with_orientation(image: Image) -> bytes:
    """Return a picture whose EXIF orientation turns it by 90 degrees."""
    turned = image.copy()
    turned.set_type(pyvips.GValue.gint_type, "orientation", 6)
    return bytes(turned.pngsave_buffer())


def serve(folder: Path) -> Client:
    return Client(
        {
            "SOURCE_BUCKETS": f"p=file://{folder / 'originals'}",
            "DIALECTS": "imagor",
            "COMPATIBILITY": "lenient",
            "LOG_LEVEL": "ERROR",
        }
    )


def first_frame(body: bytes, media_type: str) -> Image:
    if body.startswith(b"BM"):
        Pillow.open(io.BytesIO(body)).save(out := io.BytesIO(), "PNG")
        body = out.getvalue()
    return pyvips.Image.new_from_buffer(body, "")


def flat(image: Image) -> Image:
    """Return red, green and blue on grey, so that transparency counts as much as colour."""
    image = image.colourspace("srgb") if image.bands < 3 else image
    return image.flatten(background=128).cast("uchar") if image.hasalpha() else image


def difference(served: Client, model: Model, case: Golden) -> str:
    """Return how the answer differs from imagor's, nothing if it does not."""
    answer = served.get(f"/unsafe/{case.path}")
    if answer.status != 200:
        return f"{answer.status} {answer.body.decode()[:120]}"
    if case.group == DETECTED:
        return "regions that a detector has found are neither drawn nor hidden"
    made = model.answer(case.means or case.path)
    kind = answer.headers["Content-Type"].rpartition("/")[2].partition(";")[0].removesuffix("+xml")
    if kind != made.format:
        return f"{kind} instead of {made.format}"
    if kind == "json":
        return ""
    image = first_frame(answer.body, kind)
    if max(abs(image.width - made.width), abs(image.height - made.height)) > 1:
        return f"{image.width} x {image.height} instead of {made.width} x {made.height}"
    blank = model.answer(_TEXT.sub("strip_exif()", case.means or case.path)).image if case.group == TEXTS else None
    return pixel_difference(flat(image), flat(made.image), blank)


def pixel_difference(one: Image, two: Image, blank: Image | None) -> str:
    """Return how two pictures differ; `blank` is the second one without its text."""
    if (one.width, one.height) != (two.width, two.height):
        one = one.resize(two.width / one.width, vscale=two.height / one.height)
        one = one.crop(0, 0, min(one.width, two.width), min(one.height, two.height))
        two = two.crop(0, 0, one.width, one.height)
    if blank is not None:
        # Letters are small: there must be about as much of them.
        ours, theirs = mean_difference(one, flat(blank)), mean_difference(two, flat(blank))
        if not 0.5 <= ours / theirs <= 2:
            return f"pixels differ from the image without the text by {ours:.1f} and not by {theirs:.1f} levels"
    mean, block = mean_difference(one, two), worst_block(one, two)
    return f"pixels differ by {mean:.1f} levels, in a block by {block:.0f}" if mean > MEAN or block > BLOCK else ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("imagor")
    make(made)
    return made


def test_the_answers_are_those_of_imagor(folder: Path) -> None:
    served, model, paths = serve(folder), Model(folder), golden()
    assert len(paths) >= 270
    # Some paths are in several groups, with the same answer.
    different = {case: found for case in dict.fromkeys(paths) if (found := difference(served, model, case))}
    share = sum(case not in different for case in paths) / len(paths)
    sys.stdout.write(f"imagor: {share:.3f} of {len(paths)} paths agree\n")
    assert share >= MIN_SHARE, (share, different)
    agreed = round(share * len(paths))
    stated = f"Of the {len(paths)} paths of its golden set, {agreed} agree in status, size, format and pixels"
    assert stated in " ".join(DOCUMENT.read_text(encoding="utf-8").split()), stated


def test_an_overlay_that_is_left_out_is_noticed(folder: Path) -> None:
    """The comparison tells a picture with a text or an overlay from one without it."""
    served, model = serve(folder), Model(folder)
    box = "fit-in/300x200/10x10/filters:fill(yellow)"
    marks = ("label(IMAGOR,15,10,30,blue,30)", "text(IMAGOR,left,top,sans-20,red,30)", "image(/50x50/demo1.jpg,10,10)")
    for mark in marks:
        case = Golden(TEXTS if "IMAGOR" in mark else "", f"{box}/gopher-front.png", f"{box}:{mark}/gopher-front.png")
        assert difference(served, model, case).startswith("pixels differ"), mark
