"""Every geometric feature on every kind of picture, with any parameters: a picture within the limits, or a refusal."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.steps import apply, picture, sequential

from imaging.context import Context, Limits
from imaging.errors import FeatureError
from imaging.ops.geometry import round_half_up

LIMITS = Limits(result_side=600, result_pixels=100_000)
SIDES = st.integers(1, 40)
COLOURS = st.sampled_from(["black", "white", "red", "808080", "transparent", "ff000080", "#fff4"])
LENGTHS = st.one_of(st.integers(-5, 60), st.floats(-5, 120).map(lambda share: f"{share:.1f}p"))
POSITIONS = st.sampled_from(["center", "top", "bottom-right", "west", "attention", "entropy"])
POINTS = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda point: f"{point[0]:.3f},{point[1]:.3f}")
RATIOS = st.sampled_from(["16:9", "1:1", 0.01, 100, "2:3"])
AREA = {
    **dict.fromkeys(["left", "top", "width", "height"], LENGTHS),
    "aspectRatio": RATIOS,
    "position": POSITIONS,
    "focalPoint": POINTS,
}
PARAMETERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "resize": {
        **dict.fromkeys(["width", "height"], st.integers(0, 700)),
        "fit": st.sampled_from(["cover", "contain", "fill", "inside", "outside"]),
        "position": POSITIONS,
        "focalPoint": POINTS,
        "background": COLOURS,
        "kernel": st.sampled_from(["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3", "mks2013"]),
        "dpr": st.floats(1, 5),
        "ratio": st.floats(0.001, 100),
        "aspectRatio": RATIOS,
        "withoutEnlargement": st.booleans(),
        "withoutReduction": st.booleans(),
    },
    "crop": AREA,
    "extract": AREA,
    "extend": {
        **dict.fromkeys(["all", "left", "top", "right", "bottom"], LENGTHS),
        "background": COLOURS,
        "mode": st.sampled_from(["background", "copy", "repeat", "mirror"]),
    },
    "trim": {
        "threshold": st.floats(0, 255),
        "background": COLOURS,
        "corner": st.sampled_from(["top-left", "top-right", "bottom-left", "bottom-right"]),
        "lineArt": st.booleans(),
        "margin": st.integers(0, 50),
    },
    "rotate": {
        "angle": st.one_of(st.floats(-3600, 3600), st.integers(-8, 8).map(lambda turns: turns * 90)),
        "background": COLOURS,
    },
    "flip": {},
    "flop": {},
}


@st.composite
def images(draw: st.DrawFn) -> Any:
    """Noise, or one colour, in grey or colours, with or without alpha, of 8 or 16 bits; not always from memory."""
    width, height, bands, frames = (
        draw(SIDES),
        draw(SIDES),
        draw(st.integers(1, 4)),
        draw(st.sampled_from([1, 1, 1, 2, 3])),
    )
    noisy, deep = draw(st.booleans()), draw(st.booleans())
    image = pyvips.Image.gaussnoise(
        width, height * frames, mean=128, sigma=60 if noisy else 0, seed=draw(st.integers(0, 9))
    )
    image = image.bandjoin([draw(st.integers(0, 255)) for _ in range(bands - 1)]) if bands > 1 else image
    image = (image * 257).cast("ushort") if deep else image.cast("uchar")
    names = ("grey16", "rgb16") if deep else ("b-w", "srgb")
    image = image.copy(interpretation=names[bands > 2]).copy_memory()
    if frames == 1 and draw(st.booleans()):
        return sequential(image)
    return picture(image, frames=frames)


@pytest.mark.parametrize("name", PARAMETERS)
@settings(max_examples=150)
@given(whole=images(), chosen=st.data())
def test_a_picture_within_the_limits_or_a_refusal(name: str, whole: Any, chosen: st.DataObject) -> None:
    said = chosen.draw(st.fixed_dictionaries({}, optional=PARAMETERS[name]), label="parameters")
    try:
        made = apply(name, whole, context=Context(limits=LIMITS), **said)
    except FeatureError as refused:
        assert f"`{name}" in refused.message  # noqa: PT017 - a picture is as good
        return
    assert made.image.height == made.height * made.frames
    assert (made.frames, made.delays) == (whole.frames, whole.delays)
    assert 1 <= made.width <= 600
    assert 1 <= made.height <= 600
    assert made.width * made.height * made.frames <= 100_000
    assert made.image.format == whole.image.format
    assert made.image.bands in (whole.image.bands, 3, 4) or (whole.image.bands, made.image.bands) == (1, 2)
    made.image.avg()


@given(st.integers(-10_000, 10_000))
def test_halves_go_up(number: int) -> None:
    assert round_half_up(number) == number
    assert round_half_up(number + 0.5) == number + 1
    assert round_half_up(number + 0.499) == number
