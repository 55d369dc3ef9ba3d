"""Every feature ends in time, on 12 megapixels and with the most that it takes."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import pyvips
from tests import pictures

from features import CATALOGUE, edits
from imaging import Context, Deadline, InvalidParameter, Limits, ObjectRef, Output, Step, TimeExceeded, run
from imaging.codecs.decode import decode, inspect

pytestmark = pytest.mark.slow

SECONDS = 0.4
LATE = 5.0
"""Seconds after the deadline by which a run has ended, on a machine that is busy with other things."""
DEEP = edits({"toColourspace": "rgb16"})
LOGO = ObjectRef("", "logo.png")
DRAGGED = [1.3, 0.5, 0.5, 1.3]
TOP: dict[str, list[object]] = {
    "affine": [{"matrix": DRAGGED, "interpolator": "vsqbs"}, {"matrix": DRAGGED, "interpolator": "lbb"}],
    "bandbool": ["and"],
    "blur": [1000, {"sigma": 31.9, "minAmplitude": 0.001, "precision": "float"}],
    "boolean": [{"key": "logo.png", "operator": "eor"}],
    "clahe": [{"width": 3000, "height": 3000}, {"width": 1, "height": 3000}, {"width": 4000, "height": 80}],
    "colorize": [{"color": "red", "red": 50}],
    "contrast": [100],
    "convolve": [[1] * 1024, {"kernel": [1] * 1001, "height": 1001}],
    "crop": [{"width": 3900, "height": 2900}],
    "curve": ["0,0,64,40,192,220,255,255"],
    "cutout": [{"useAlpha": True, "width": 6000, "height": 5000, "shadow": "cast", "outline": "5p"}],
    "ensureAlpha": [0.5],
    "equalise": [True],
    "extend": [1000],
    "extract": [{"width": 3900, "height": 2900, "position": "attention"}],
    "extractChannel": ["red"],
    "fill": [{"mode": mode, "width": 7000, "height": 6000} for mode in ("blur", "mean")],
    "flatten": ["plum"],
    "flip": [True],
    "flop": [True],
    "frame": ["logo.png"],
    "gamma": [3],
    "gradient": [{"color": "plum", "angle": 33}],
    "gammaOut": [3],
    "grayscale": [True],
    "info": [True],
    "linear": [{"a": 1.3, "b": -20}],
    "median": [1000, 80],
    "modulate": [{"hue": 90, "saturation": 2, "lightness": 20, "brightness": 2}],
    "negate": [True],
    "noise": [255],
    "normalise": [True],
    "pixelate": [1000],
    "quantize": [{"colors": 256, "dither": True}, "auto"],
    "recomb": ["0.39,0.77,0.19,0.35,0.69,0.17,0.27,0.53,0.13"],
    "redact": [{"areas": "0,0,100p,100p," * 20 + "5p,5p,90p,90p", "shape": "ellipse"}],
    "removeAlpha": [True],
    "resize": [{"width": 8000, "kernel": "mks2021"}, {"width": 3900, "height": 1000, "position": "entropy"}],
    "rotate": [33],
    "roundCorners": [1000],
    "roundCrop": [True],
    "sharpen": [{"sigma": 10}],
    "text": [{"text": "many words " * 8, "size": "9p", "stroke": "black", "strokeWidth": 16, "shadow": "black"}],
    "threshold": [100],
    "tint": ["sienna"],
    "toColourspace": ["b-w"],
    "trim": [255],
    "unflatten": [True],
    "vividness": [2],
    "shape": [{"kind": "ellipse", "stroke": "red", "rotate": 20, "radius": 0}],
    "watermark": [
        {"key": "logo.png", "tile": True},
        {"key": "logo.png", "width": 100, "rotate": 30, "shadow": "red"},
        {"key": "logo.png", "width": 100, "blend": "soft-light"},
    ],
    "waveletSharpen": [{"amount": 10, "radius": 10, "luminance": False}],
}
NEIGHBOURS = ("blur", "clahe", "convolve", "median", "sharpen", "waveletSharpen")
PIXELWISE = (
    *("bandbool", "boolean", "colorize", "contrast", "curve", "ensureAlpha", "extractChannel", "flatten", "gamma"),
    *("gammaOut", "grayscale", "linear", "modulate", "negate", "noise", "recomb", "removeAlpha", "threshold", "tint"),
    *("toColourspace", "unflatten", "vividness"),
)
"""They make each pixel of one pixel, while the encoder asks for it."""
TIMED = [(name, value) for name, values in TOP.items() for value in values if name not in PIXELWISE]
ELSEWHERE = {"contentModeration", "redEye", "removeBackground", "smartCropping", "upscale"}
"""They look at the original or run a model first; their own tests hold their deadlines."""


@pytest.fixture(scope="module")
def large() -> bytes:
    noise: Any = pyvips.Image.gaussnoise(4000, 3000, mean=128, sigma=30, seed=1).cast("uchar")
    grain: Any = noise.bandjoin([noise.flip("horizontal"), noise.flip("vertical")])
    return bytes(grain.copy(interpretation="srgb").jpegsave_buffer())


@pytest.mark.parametrize(("name", "value"), [*TIMED, ("modulate", TOP["modulate"][0])])
def test_it_ends_in_time(large: bytes, name: str, value: object) -> None:
    assert seconds_late(large, edits({name: value})) < LATE


def test_what_works_pixel_by_pixel_leaves_all_of_it_to_the_encoder(large: bytes) -> None:
    """Hence one of them stands for all when their time is measured: none reads a pixel by itself."""
    header = large[:3000]
    source = inspect(large, Limits())
    context = Context(objects={LOGO: pictures.png()})
    with pytest.raises(pyvips.Error):
        decode(header, source, Output(), context).image.avg()
    for name in PIXELWISE:
        for step in edits({name: TOP[name][0]}):
            step.feature.apply(decode(header, source, Output(), context), step.params, context)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in NEIGHBOURS for value in TOP[name]])
def test_it_ends_in_time_with_deep_pixels(large: bytes, name: str, value: object) -> None:
    assert seconds_late(large, DEEP + edits({name: value})) < LATE


def seconds_late(original: bytes, steps: tuple[Step, ...]) -> float:
    deadline = Deadline.after(SECONDS)
    with contextlib.suppress(TimeExceeded, InvalidParameter):
        run(original, steps, Output(), Context(deadline=deadline, objects={LOGO: pictures.png()}))
    return -deadline.left()


def test_no_feature_is_left_out() -> None:
    assert TOP.keys() | ELSEWHERE == {feature.name for feature in CATALOGUE}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"median": 500}, "median.size"),
        ({"clahe": {"width": 9, "height": 500}}, "clahe.height"),
    ],
)
def test_a_window_that_would_never_be_done_is_refused(said: dict[str, object], field: str) -> None:
    original = pictures.png(pictures.scene(4000, 3000), compression=1)
    with pytest.raises(InvalidParameter, match=f"`{field}` must be small enough for 12000000 pixels.* got 500"):
        run(original, edits(said), Output(), Context(deadline=Deadline.after(60)))
    smaller = edits({"resize": {"width": 60}, "median": 40})
    run(original, smaller, Output(), Context(deadline=Deadline.after(60)))


def test_deep_pixels_bear_smaller_windows(large: bytes) -> None:
    with pytest.raises(InvalidParameter, match=r"`median.size` must be small enough"):
        run(large, DEEP + edits({"median": 15}), Output(), Context(deadline=Deadline.after(60)))
