"""JSON edits: parameters, values and order are those of sharp."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import CATALOGUE
from handler.requests import strict_json
from handler.requests.dialects.json_edits import edits as aws_edits
from imaging import InvalidParameter, describe, describe_steps

BOX = {"left": 1, "top": 2, "width": 5, "height": 6}


def steps(edits: dict[str, Any]) -> list[dict[str, Any]]:
    return describe_steps(aws_edits.parse_edits(edits, "edits").recipe.steps)


def names(edits: dict[str, Any]) -> list[str]:
    return [step["feature"] for step in steps(edits)]


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"extract": BOX, "resize": {"width": 5}}, ["crop", "resize"]),
        ({"resize": {"width": 5}, "crop": BOX}, ["resize", "extract"]),
        ({"crop": BOX}, ["crop"]),
        ({"crop": BOX, "extract": BOX}, ["crop", "extract"]),
        ({"extract": BOX, "resize": {"width": 5}, "crop": BOX}, ["crop", "resize", "extract"]),
        ({"negate": True, "tint": "red", "blur": 3, "flatten": True, "grayscale": True, "resize": {"width": 5}},
         ["flatten", "grayscale", "resize", "blur", "tint", "negate"]),
        ({"gamma": 2, "overlayWith": {"key": "k"}, "resize": {"width": 5}},
         ["gamma", "resize", "watermark", "gammaOut"]),
        ({"rotate": 90, "resize": {"width": 5}}, ["rotate", "resize"]),
        ({"rotate": 45, "flip": True, "trim": True}, ["flip", "rotate", "trim"]),
        ({"rotate": 45, "extract": BOX}, ["rotate", "crop"]),
        ({"resize": {"width": 5}, "rotate": 45, "extract": BOX}, ["resize", "rotate", "extract"]),
        ({"resize": {"width": 5}, "rotate": 45}, ["resize", "rotate"]),
        ({"rotate": 0, "resize": {"width": 5}}, ["resize", "rotate"]),
        ({"resize": {"width": 5, "height": 5}, "flop": True}, ["resize", "flop", "resize"]),
        ({"resize": {"width": 5, "height": 5, "fit": "fill"}, "flop": True}, ["resize", "flop"]),
        ({"resize": {"width": 5}, "flop": True}, ["resize", "flop"]),
        ({"roundCrop": True, "blur": 3, "resize": {"width": 5}}, ["roundCrop", "resize", "blur"]),
        ({"smartCrop": True, "resize": {"width": 5}}, ["smartCropping", "resize"]),
        ({"resize": {"width": 5}, "smartCrop": True, "blur": 3}, ["resize", "smartCropping", "blur"]),
        ({"resize": {"width": 5}, "rotate": 90, "smartCrop": True}, ["smartCropping", "resize", "rotate", "resize"]),
        ({"pipelineColourspace": "rgb16", "blur": 3}, ["toColourspace", "blur", "toColourspace"]),
        ({"pipelineColourspace": "rgb16", "toColourspace": "b-w"}, ["toColourspace", "toColourspace"]),
        ({"rotate": None, "flip": True}, ["flip"]),
        ({"rotate": ""}, []),
    ],
)  # fmt: skip
def test_steps_have_the_order_of_sharp(edits: dict[str, Any], expected: list[str]) -> None:
    assert names(edits) == expected


def test_flips_are_applied_between_scaling_and_cropping() -> None:
    scaled, _, framed = steps({"resize": {"width": 5, "height": 4, "position": "left"}, "flop": True})
    assert (scaled["fit"], framed["position"]) == ("outside", "left")
    assert framed["withoutEnlargement"]
    assert framed["withoutReduction"]


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"resize": {"width": 300.4, "height": "200"}}, {"feature": "resize", "width": 300, "height": 200}),
        ({"resize": {"width": 0, "height": ""}}, {"feature": "resize", "width": 0}),
        ({"resize": {"ratio": 0.5, "width": 9}}, {"feature": "resize", "ratio": 0.5, "fit": "inside"}),
        ({"resize": {"position": 17}}, {"feature": "resize", "position": "attention"}),
        ({"resize": {"gravity": 5}}, {"feature": "resize", "position": "top-right"}),
        ({"resize": {"background": {"r": 1, "alpha": 0}}}, {"feature": "resize", "background": "01000000"}),
        ({"tint": {"r": 1, "g": 2, "b": 3}}, {"feature": "tint", "color": "010203"}),
        ({"negate": {"alpha": False}}, {"feature": "negate", "alpha": False}),
        ({"extractChannel": 2}, {"feature": "extractChannel", "channel": "blue"}),
        ({"recomb": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}, {"feature": "recomb", "matrix": "1,0,0,0,1,0,0,0,1"}),
        ({"linear": 0.5}, {"feature": "linear", "a": "0.5"}),
        ({"linear": {"b": 5}}, {"feature": "linear", "b": "5"}),
        ({"convolve": {"width": 3, "height": 1, "kernel": [1, 2, 3], "scale": 0, "offset": 0.5}},
         {"feature": "convolve", "width": 3, "height": 1, "kernel": "1,2,3", "scale": 1.0}),
        ({"smartCrop": True}, {"feature": "smartCropping", "faceIndex": 0, "padding": "0"}),
        ({"smartCrop": {"faceIndex": 2, "padding": 40}}, {"feature": "smartCropping", "faceIndex": 2, "padding": "40"}),
        ({"smartCropping": True}, {"feature": "smartCropping"}),
        ({"contentModeration": {"minConfidence": 60, "blur": 30, "moderationLabels": ["Violence"]}},
         {"feature": "contentModeration", "minConfidence": 60.0, "labels": "Violence", "blur": 30.0}),
        ({"overlayWith": {"bucket": "b", "key": "k", "alpha": "30", "wRatio": "20",
                          "options": {"left": "5p", "top": -3, "gravity": 3, "blend": "multiply", "tile": True}}},
         {"feature": "watermark", "bucket": "b", "key": "k", "opacity": 70.0, "width": 20.0, "left": "5p", "top": "-3",
          "position": "bottom", "blend": "multiply", "tile": True}),
        ({"overlayWith": {"key": "k", "alpha": None, "hRatio": "", "options": None}},
         {"feature": "watermark", "key": "k"}),
        ({"roundCrop": {"rx": 10, "ry": 5.5, "top": 3}}, {"feature": "roundCrop", "rx": "10", "ry": "5.5", "top": "3"}),
        ({"affine": [[1, 0.3], [0.1, 0.7]]}, {"feature": "affine", "matrix": "1,0.3,0.1,0.7"}),
    ],
)  # fmt: skip
def test_values_are_those_of_sharp(edits: dict[str, Any], expected: dict[str, Any]) -> None:
    assert steps(edits) == [expected]


@pytest.mark.parametrize(
    ("edits", "beside", "expected"),
    [
        ({"jpeg": {"quality": 40}}, {}, {"format": "jpeg", "quality": 40}),
        ({"jpeg": {"quality": 40}}, {"output_format": "webp"}, {"format": "webp"}),
        ({"webp": {"quality": 40}, "toFormat": "png"}, {"output_format": "webp"}, {"format": "png"}),
        ({"webp": {"quality": 40}}, {"output_format": "webp", "effort": 3},
         {"format": "webp", "quality": 40, "effort": 5}),
        ({"jpeg": {}}, {"effort": 3}, {"format": "jpeg"}),
        ({}, {"effort": 6}, {"effort": 10}),
        ({}, {"output_format": "webp", "effort": 4.7}, {"format": "webp", "effort": 7}),
        ({}, {"output_format": "webp", "effort": "4"}, {"format": "webp", "effort": 7}),
        ({}, {"output_format": "avif", "effort": 9}, {"format": "avif"}),
        ({}, {"output_format": "png", "effort": "fast"}, {"format": "png"}),
        ({}, {"output_format": "WebP"}, {"format": "webp"}),
        ({"toFormat": "JPEG"}, {}, {"format": "jpeg"}),
        ({"webp": {"nearLossless": True, "quality": 50, "alphaQuality": 50}}, {},
         {"format": "webp", "lossless": True, "quality": 50}),
        ({"webp": {"nearLossless": False, "quality": 50}}, {}, {"format": "webp", "quality": 50}),
        ({"gif": {"dither": 0.5, "loop": 0, "delay": 100}}, {}, {"format": "gif", "loop": 0, "delay": "100"}),
        ({"webp": {"delay": [50, 90]}}, {}, {"format": "webp", "delay": "50,90"}),
        ({"avif": {"bitdepth": 10}}, {}, {"format": "avif"}),
        ({"tiff": {"tile": True, "tileWidth": 256, "tileHeight": 256, "pyramid": True, "bigtiff": True, "xres": 2.5,
                   "yres": 2.5, "resolutionUnit": "cm", "bitdepth": 8, "lossless": True}}, {},
         {"format": "tiff", "lossless": True}),
        ({"png": {"quality": 80, "compressionLevel": 9}}, {}, {"format": "png", "quality": 80, "palette": True}),
        ({"tiff": True}, {}, {"format": "tiff", "quality": 80}),
        ({"tiff": {"compression": "lzw", "lossless": True}}, {}, {"format": "tiff", "lossless": True}),
        ({"heif": {"quality": 30, "compression": "av1", "effort": 9}}, {},
         {"format": "avif", "quality": 30, "effort": 10}),
        ({"toFormat": "jpg", "jpeg": {"mozjpeg": True, "progressive": True}}, {},
         {"format": "jpeg", "progressive": True}),
        ({"gif": {"colours": 16}, "animated": False}, {}, {"format": "gif", "colors": 16, "animated": False}),
        ({"jpeg": {"quality": 1}, "webp": {"quality": 2}}, {}, {"format": "webp", "quality": 2}),
    ],
)  # fmt: skip
def test_formats(edits: dict[str, Any], beside: dict[str, Any], expected: dict[str, Any]) -> None:
    assert describe(aws_edits.parse_edits(edits, "edits", **beside).recipe.output) == expected


def test_when_the_client_may_get_webp() -> None:
    soft = aws_edits.parse_edits({"webp": {"quality": 9}, "jpeg": {}}, "edits", output_format="png", effort=6).webp
    assert soft is not None
    assert describe(soft) == {"format": "webp", "quality": 9, "effort": 10}
    assert aws_edits.parse_edits({"toFormat": "png"}, "edits", output_format="jpeg").webp is None
    assert aws_edits.parse_edits({"blur": 3}, "edits").webp is None


@pytest.mark.parametrize(
    ("edits", "name", "code"),
    [
        ({"joinChannel": "/etc/passwd"}, "edits.joinChannel", "BadRequest"),
        ({"nosuch": 1}, "edits.nosuch", "BadRequest"),
        ({"resize": {"width": -1}}, "edits.resize.width", "InvalidResizeException"),
        ({"resize": {"width": "wide"}}, "edits.resize.width", "InvalidResizeException"),
        ({"resize": {"fit": "squeeze"}}, "edits.resize.fit", "InvalidResizeException"),
        ({"resize": {"position": 12}}, "edits.resize.position", "BadRequest"),
        ({"overlayWith": {"key": ""}}, "edits.overlayWith.key", "OverlayImageException"),
        ({"overlayWith": {"key": "k", "wRatio": 0}}, "edits.overlayWith.wRatio", "OverlayImageException"),
        ({"overlayWith": {"key": "k", "alpha": "x"}}, "edits.overlayWith.alpha", "OverlayImageException"),
        ({"overlayWith": {"key": "k", "options": {"nosuch": 1}}}, "edits.overlayWith.options.nosuch",
         "OverlayImageException"),
        ({"resize": {"width": 5}, "extract": {"left": "x"}}, "edits.extract.left", "BadRequest"),
        ({"smartCrop": {"padding": -1}}, "edits.smartCrop.padding", "SmartCrop::PaddingOutOfBounds"),
        ({"blur": 0}, "edits.blur.sigma", "BadRequest"),
        ({"modulate": {"hue": 0.5}}, "edits.modulate.hue", "BadRequest"),
        ({"crop": BOX, "extract": BOX, "resize": {"width": 1}, "overlayWith": 1}, "edits.overlayWith",
         "OverlayImageException"),
        ({"heif": {"compression": "hevc"}}, "edits.heif.compression", "BadRequest"),
        ({"webp": {"effort": 7}}, "edits.webp.effort", "BadRequest"),
        ({"tiff": {"bitdepth": 1}}, "edits.tiff.bitdepth", "BadRequest"),
        ({"png": {"nosuch": 1}}, "edits.png.nosuch", "BadRequest"),
        ({"toFormat": "raw"}, "edits.toFormat", "BadRequest"),
        ({"pipelineColourspace": "lab"}, "edits.pipelineColourspace.colourspace", "BadRequest"),
    ],
)  # fmt: skip
def test_errors_name_the_edit_of_the_request(edits: dict[str, Any], name: str, code: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        aws_edits.parse_edits(edits, "edits")
    assert (refused.value.name, refused.value.code) == (name, code)


def test_whole_numbers_may_have_a_decimal_point() -> None:
    params = strict_json.loads('{"modulate": {"hue": 90.0}, "blur": 1.5, "extract": {"left": 1e1}}')
    assert params == {"modulate": {"hue": 90}, "blur": 1.5, "extract": {"left": 10}}
    assert steps({"modulate": {"hue": 90}})[0]["hue"] == 90


_WORDS = sorted(
    {feature.name for feature in CATALOGUE}
    | {
        "overlayWith",
        "smartCrop",
        "toFormat",
        "jpeg",
        "png",
        "webp",
        "heif",
        "pipelineColourspace",
        "animated",
        "format",
    }
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["width", "height", "key", "options", "left", "quality", "r", "kernel", "ratio", "position"])
        | st.text(max_size=6),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(_WORDS) | st.text(max_size=8), _ANYTHING, max_size=5), _ANYTHING, _ANYTHING)
def test_any_edits_are_parsed_or_refused_quickly(edits: Any, output_format: Any, effort: Any) -> None:
    started = time.thread_time()
    with contextlib.suppress(InvalidParameter):
        meaning = aws_edits.parse_edits(edits, "edits", output_format=output_format, effort=effort)
        assert len(describe_steps(meaning.recipe.steps)) == len(meaning.recipe.steps)
    assert time.thread_time() - started < 0.25
