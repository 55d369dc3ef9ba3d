"""A picture of few known colours becomes a PNG of numbers in their palette."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests.colours import Image, colours, hexes, stripes
from tests.pictures import film, jpeg, png, scene, scene_with_alpha, webp
from tests.similarity import mean_difference
from tests.steps import apply, picture

from features import edits
from imaging import Context, Output, Rendered, check, run


def as_png(body: bytes, colours: int, **output: Any) -> tuple[Image, int, int]:
    """The PNG of so many colours as libvips decodes it, its bits for a pixel and its colour type."""
    rendered = run(body, edits({"quantize": colours}), check(Output, {"format": "png", **output}), Context())
    assert isinstance(rendered, Rendered)
    # 8 bytes of signature, then IHDR: its length and name, width, height, depth and colour type
    depth, kind = rendered.body[24], rendered.body[25]
    return pyvips.Image.new_from_buffer(rendered.body, "", fail_on="warning").colourspace("srgb"), depth, kind


@pytest.mark.parametrize(("most", "bits"), [(2, 1), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)])
@pytest.mark.parametrize("output", [{}, {"palette": True}, {"progressive": True}, {"effort": 9}, {"metadata": "keep"}])
def test_a_png_stores_numbers_in_the_palette(most: int, bits: int, output: dict[str, Any]) -> None:
    shown, depth, kind = as_png(png(scene()), most, **output)
    assert (depth, kind) == (bits, 3)
    assert mean_difference(shown, apply("quantize", picture(scene()), colors=most).image) == 0


@pytest.mark.parametrize("most", [3, 16, 100])
def test_dithered_ones_too(most: int) -> None:
    rendered = run(png(scene()), edits({"quantize": {"colors": most, "dither": True}}), Output(format="png"), Context())
    assert isinstance(rendered, Rendered)
    shown = pyvips.Image.new_from_buffer(rendered.body, "", fail_on="warning")
    assert mean_difference(shown, apply("quantize", picture(scene()), colors=most, dither=True).image) == 0


def test_flat_drawings_keep_every_colour() -> None:
    shown, depth, kind = as_png(png(stripes("1a73e8", "000000", "010101")), 16)
    assert (depth, kind) == (2, 3)
    assert hexes(shown) == {"#1a73e8", "#000000", "#010101"}


def test_metadata_stays_beside_the_palette() -> None:
    kept = run(jpeg(scene()), edits({"quantize": 8}), Output(format="png", metadata="keep"), Context())
    bare = run(jpeg(scene()), edits({"quantize": 8}), Output(format="png"), Context())
    assert isinstance(kept, Rendered)
    assert isinstance(bare, Rendered)
    assert b"eXIf" in kept.body
    assert b"eXIf" not in bare.body


@pytest.mark.parametrize(
    ("body", "output"),
    [
        (png(scene_with_alpha()), {}),
        (png(scene()), {"maxBytes": 4000}),
        (png(scene()), {"colors": 4}),
    ],
    ids=["alpha", "maxBytes", "fewer colours"],
)
def test_other_pngs_are_made_as_ever(body: bytes, output: dict[str, Any]) -> None:
    shown, depth, kind = as_png(body, 12, **output)
    assert (shown.width, shown.height) == (160, 120)
    assert (depth, kind) in [(8, 6), (8, 2), (2, 3)]
    assert mean_difference(shown[0:3], scene()) < 60


def test_the_first_frame_of_an_animation_has_the_palette_of_all() -> None:
    shown, _, kind = as_png(webp(film()), 6)
    assert (shown.width, shown.height, kind) == (160, 120, 3)
    assert len(colours(shown)) <= 6


def test_what_comes_after_is_not_lost() -> None:
    steps = (*edits({"quantize": 4}), *edits({"blur": 3}))
    rendered = run(png(scene()), steps, Output(format="png"), Context())
    assert isinstance(rendered, Rendered)
    assert len(colours(pyvips.Image.new_from_buffer(rendered.body, ""))) > 100
