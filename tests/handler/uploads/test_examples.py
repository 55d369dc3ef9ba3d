"""Each example of docs/uploads.md is a configuration that a service starts with, and does what its text says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures
from tests.weights import require_weights

from handler.composition import wiring
from handler.config import Settings
from handler.uploads.change import OriginalChange
from handler.uploads.outcome import Outcome
from imaging import Deadline, ObjectRef

ROOT = Path(__file__).parents[3]
EXAMPLES = [
    dict(line.split("=", 1) for line in block.splitlines())
    for block in re.findall(r"```ini\n(.*?)```", (ROOT / "docs" / "uploads.md").read_text("utf-8"), re.DOTALL)
]
BY_PRESETS = {example["UPLOAD_PRESETS"]: example for example in EXAMPLES}


def process(folder: Path, example: dict[str, str], original: bytes) -> tuple[Outcome, dict[str, Any]]:
    """Process an original with the configuration of an example, and return the images that were stored."""
    for name in ("originals", "variants"):
        (folder / name).mkdir()
    (folder / "originals" / "cat.jpg").write_bytes(original)
    application = wiring.build(
        Settings.from_environment(
            {
                "SOURCE_BUCKETS": f"photos={(folder / 'originals').as_uri()}",
                "OUTPUT_BUCKET": f"variants={(folder / 'variants').as_uri()}",
                "OUTPUT_URL": "https://cdn.example.com",
                "RECORDS": f"sqlite:///{folder}/records.db",
                "WEIGHTS": str(ROOT / "weights"),
                **example,
            }
        )
    )
    assert application.uploads is not None
    change = OriginalChange(ref=ObjectRef("photos", "cat.jpg"), sequencer="1")
    outcome = application.uploads().pipeline.process(change, Deadline.after(120))
    images = {key: pyvips.Image.new_from_file(str(folder / "variants" / key)) for key in outcome.stored}
    return outcome, images


def test_the_examples_are_those_that_are_tested() -> None:
    assert set(BY_PRESETS) == {"small", "poster", "cutout", "hero", "small,square"}
    assert len(EXAMPLES) == len(BY_PRESETS)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def run_example(presets: str, original: bytes) -> dict[str, Any]:
        outcome, images = process(tmp_path, BY_PRESETS[presets], original)
        assert outcome.status == "ready"
        return images

    return run_example


def test_a_smaller_copy(run: Callable[..., dict[str, Any]]) -> None:
    (image,) = run("small", pictures.jpeg(pictures.scene(800, 600))).values()
    assert (image.width, image.height, image.get("vips-loader")) == (400, 300, "webpload")


def test_fewer_colours(run: Callable[..., dict[str, Any]]) -> None:
    (image,) = run("poster", pictures.jpeg()).values()
    pixels = bytes(image.colourspace("srgb").write_to_memory())
    colours = {pixels[at : at + image.bands] for at in range(0, len(pixels), image.bands)}
    assert 8 <= len(colours) <= 32
    assert image.get("vips-loader") == "pngload"


@pytest.mark.models
def test_a_cut_out(run: Callable[..., dict[str, Any]]) -> None:
    require_weights("optimised/u2net.onnx")
    original = ROOT / "samples" / "photos" / "cat.jpg"
    (image,) = run("cutout", original.read_bytes()).values()
    assert image.hasalpha()
    alpha = image.extract_band(image.bands - 1)
    assert alpha.min() < 50
    assert alpha.max() > 200


def test_a_srcset(run: Callable[..., dict[str, Any]]) -> None:
    images = run("hero", pictures.jpeg(pictures.scene(900, 600)))
    expected = {f"hero/photos/cat.jpg/{width}.{ext}" for width in (320, 640, 1280) for ext in ("avif", "webp", "jpg")}
    assert set(images) == expected
    widths = {int(re.sub(r".*/(\d+)\.\w+", r"\1", key)): image.width for key, image in images.items()}
    assert widths == {320: 320, 640: 640, 1280: 900}


def test_several_presets(run: Callable[..., dict[str, Any]]) -> None:
    images = run("small,square", pictures.jpeg(pictures.scene(800, 600)))
    sizes = {key: (image.width, image.height) for key, image in images.items()}
    assert sizes == {"small/photos/cat.jpg": (400, 300), "square/photos/cat.jpg": (200, 200)}


@pytest.mark.parametrize(
    ("layout", "key"),
    [
        ("folders", "small/photos/cat.jpg"),
        ("suffixes", "cat.jpg.small.webp"),
        ("{bucket}/{stem}-{width}.{ext}", "photos/cat-400.webp"),
    ],
)
def test_the_layouts_and_urls(tmp_path: Path, layout: str, key: str) -> None:
    assert f"`{layout}`" in (ROOT / "docs" / "uploads.md").read_text("utf-8")
    outcome, _ = process(tmp_path, BY_PRESETS["small"] | {"OUTPUT_KEY": layout}, pictures.jpeg())
    assert outcome.stored == (key,)
