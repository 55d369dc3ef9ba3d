"""Lightness, chroma and hue of CIE LCh, each on its own."""

from __future__ import annotations

import math
from typing import Any

import pytest
import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features.modulate import Modulate
from imaging import InvalidParameter, check

SOFT = scene().colourspace("lch").linear([0.4, 0.3, 1], [30, 0, 0]).copy(interpretation="lch").colourspace("srgb")
"""The scene with room to every side, so that nothing is cut off."""


def lch(image: pyvips.Image, x: int = 100, y: int = 60) -> list[float]:
    return [float(part) for part in image.colourspace("lch")(x, y)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"brightness": 1.3}, lambda light, chroma, hue: (1.3 * light, chroma, hue)),
        ({"brightness": 0.5}, lambda light, chroma, hue: (0.5 * light, chroma, hue)),
        ({"saturation": 1.8}, lambda light, chroma, hue: (light, 1.8 * chroma, hue)),
        ({"saturation": 0}, lambda light, chroma, hue: (light, 0, None)),
        ({"lightness": 20}, lambda light, chroma, hue: (light + 20, chroma, hue)),
        ({"lightness": -20}, lambda light, chroma, hue: (light - 20, chroma, hue)),
        ({"hue": 90}, lambda light, chroma, hue: (light, chroma, hue + 90)),
        ({"hue": -450}, lambda light, chroma, hue: (light, chroma, hue - 90)),
        ({"brightness": 1.1, "lightness": 5}, lambda light, chroma, hue: (1.1 * light + 5, chroma, hue)),
    ],
)
def test_each_on_its_own(said: dict[str, Any], expected: Any) -> None:
    made = lch(apply("modulate", picture(SOFT), **said).image)
    lightness, chroma, hue = expected(*lch(SOFT))
    assert made[:2] == pytest.approx([lightness, chroma], abs=1)
    if hue is not None:
        assert math.cos(math.radians(made[2] - hue)) > 0.995


def test_nothing_said_changes_nothing() -> None:
    assert mean_difference(apply("modulate", picture(scene())).image, scene()) < 0.2


def test_alpha_stays_to_the_last_bit() -> None:
    made = apply("modulate", sequential(scene_with_alpha()), brightness=2, hue=30).image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0


@pytest.mark.parametrize("image", [grey(), deep()], ids=["grey", "16"])
def test_every_kind_of_picture(image: pyvips.Image) -> None:
    made = apply("modulate", picture(image), brightness=0.7, hue=120).image
    assert (made.bands, made.format, made.interpretation) == (image.bands, image.format, image.interpretation)
    assert mean_difference(made, image) > 10


def test_animation() -> None:
    made = apply("modulate", picture(film(), frames=3), saturation=0)
    assert (made.frames, made.image.height) == (3, 360)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("brightness", "-1", "a number from 0 to 100"),
        ("saturation", "lots", "a number from 0 to 100"),
        ("hue", "90.5", "a whole number from -3600 to 3600"),
        ("lightness", "101", "a number from -100 to 100"),
    ],
)
def test_refuses(field: str, value: str, expected: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check(Modulate, {field: value}, where="modulate", text=True)
    assert refused.value.message == f"`modulate.{field}` must be {expected}, got '{value}'"
