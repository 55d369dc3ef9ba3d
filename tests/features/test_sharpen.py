"""Edges gain, flats stay; sharp's measures are passed on."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.sharpen import Sharpen
from imaging import InvalidParameter, check


def edge(dark: float = 100, light: float = 150) -> pyvips.Image:
    """A dark half and a light one."""
    halves = (pyvips.Image.black(20, 20, bands=3) + dark).join(
        pyvips.Image.black(20, 20, bands=3) + light, "horizontal"
    )
    return halves.cast("uchar").copy(interpretation="srgb")


def test_default_is_a_mask_of_nine() -> None:
    sharpened = apply("sharpen", picture(edge()))
    # (32 × 100 - 5 × 100 - 3 × 150) / 24 and (32 × 150 - 5 × 150 - 3 × 100) / 24
    assert [round(pixel(sharpened, x, 10)[0]) for x in (18, 19, 20, 21)] == [100, 94, 156, 150]
    assert sharpened.image.format == "uchar"


def test_sigma_raises_contrast_at_edges_alone() -> None:
    sharpened = apply("sharpen", picture(edge()), sigma=1)
    assert pixel(sharpened, 5, 10) == [100, 100, 100]
    assert pixel(sharpened, 19, 10)[0] < 96
    assert pixel(sharpened, 20, 10)[0] > 154


def test_measures_bound_the_effect() -> None:
    dull = apply("sharpen", picture(edge()), sigma=1, m1=0, m2=0)
    assert mean_difference(dull.image, edge()) < 0.5
    light_only = apply("sharpen", picture(edge()), sigma=1, y3=0)
    assert pixel(light_only, 19, 10)[0] >= 99
    assert pixel(light_only, 20, 10)[0] > 154


def test_hue_stays() -> None:
    sharpened = apply("sharpen", picture(scene()), sigma=2, m2=10).image
    before, after = scene().colourspace("lch"), sharpened.colourspace("lch")
    assert mean_difference(before[0], after[0]) > 0.3
    assert mean_difference(before.colourspace("lab")[1:], after.colourspace("lab")[1:]) < 1


@pytest.mark.parametrize("sigma", [None, 1.5])
@pytest.mark.parametrize("image", [scene(), scene_with_alpha(), grey(), deep()], ids=["rgb", "alpha", "grey", "16"])
def test_every_kind_of_picture(image: pyvips.Image, sigma: float | None) -> None:
    sharpened = apply("sharpen", sequential(image), sigma=sigma).image
    assert (sharpened.bands, sharpened.format, sharpened.interpretation) == (
        image.bands,
        image.format,
        image.interpretation,
    )
    assert 0.05 < mean_difference(sharpened, image) < 5


def test_frames_do_not_mix() -> None:
    frames = pyvips.Image.black(9, 9).join(pyvips.Image.black(9, 9) + 200, "vertical").cast("uchar")
    for sigma in (None, 2):
        sharpened = apply("sharpen", picture(frames.copy(interpretation="b-w"), frames=2), sigma=sigma)
        assert [round(pixel(sharpened, 4, y)[0]) for y in (0, 8, 9, 17)] == [0, 0, 200, 200]
    assert apply("sharpen", picture(film(), frames=3)).frames == 3


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"sigma": "0"}, "`sharpen.sigma` must be a number from 1e-06 to 10, got '0'"),
        ({"sigma": "11"}, "`sharpen.sigma` must be a number from 1e-06 to 10, got '11'"),
        ({"sigma": "1", "m1": "-1"}, "`sharpen.m1` must be a number from 0 to 1000000, got '-1'"),
        ({"m2": "3"}, "`sharpen.sigma` must be given with m1, m2, x1, y2 or y3"),
    ],
)
def test_refuses(said: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check(Sharpen, said, where="sharpen", text=True)
    assert refused.value.message.startswith(message)


def disc(colour: tuple[int, int, int] = (255, 255, 255), size: int = 120) -> pyvips.Image:
    """A disc of one colour with a soft edge; what is clear has another colour."""
    across = pyvips.Image.xyz(size, size) - size / 2
    distance = (across[0] * across[0] + across[1] * across[1]) ** 0.5
    alpha = ((distance * -1 + size / 3) * 60).cast("uchar")
    colours = (alpha > 0).ifthenelse(list(colour), [0, 255, 0])
    return colours.cast("uchar").bandjoin(alpha).copy(interpretation="srgb")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("sharpen", {"sigma": 1}),
        ("sharpen", {"sigma": 4, "m2": 10}),
        ("sharpen", {}),
        ("waveletSharpen", {"amount": 2}),
        ("waveletSharpen", {"amount": 2, "luminance": False}),
    ],
)
@pytest.mark.parametrize("colour", [(255, 255, 255), (180, 90, 40)])
def test_the_edge_of_what_is_visible_gets_no_halo(
    name: str, parameters: dict[str, Any], colour: tuple[int, int, int]
) -> None:
    shape = disc(colour)
    sharpened = apply(name, picture(shape), **parameters).image
    # `[x]` of a pyvips image has no type of its own.
    inside: Any = sharpened[3] > 40
    difference: Any = (sharpened[:3] - list(colour)).abs().bandor()
    # The mild sharpening works on colours times alpha, where a level is more the less is seen.
    rounded = 2 if parameters else 255 // 40 + 1
    assert inside.ifthenelse(difference, 0).max() <= (0 if colour == (255, 255, 255) else rounded)


def test_opaque_pixels_are_sharpened_as_without_alpha() -> None:
    for sigma in (2.0, 10.0):
        plain = apply("sharpen", picture(scene()), sigma=sigma).image
        opaque = apply("sharpen", picture(scene().bandjoin(255)), sigma=sigma).image
        assert mean_difference(opaque[:3], plain) == 0


def test_a_tall_picture_that_is_read_once() -> None:
    tall = scene_with_alpha(60, 3000)
    once = apply("sharpen", sequential(tall), sigma=10).image
    assert mean_difference(once, apply("sharpen", picture(tall), sigma=10).image) == 0
