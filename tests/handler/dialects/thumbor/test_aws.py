"""Thumbor paths as AWS's image handler interprets them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from handler.requests.dialects import thumbor
from handler.requests.dialects.json_edits.edits import parse_edits
from handler.requests.parsed_request import ParsedRequest
from imaging import InvalidParameter, ObjectRef, describe, describe_steps

Edits = dict[str, Any]


def as_edits(edits: Edits) -> ParsedRequest:
    """Return what the edits mean where they are written as JSON, apart from the image."""
    return parse_edits(edits, "edits")


def as_path(path: str) -> ParsedRequest:
    """Return what a path means, apart from the image."""
    request = thumbor.parse(path)
    assert request is not None
    return msgspec.structs.replace(request, ref=ObjectRef("", ""))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("300x200/a.jpg", {"resize": {"width": 300, "height": 200}}),
        ("300x0/a.jpg", {"resize": {"width": 300, "fit": "inside"}}),
        ("0x0/a.jpg", {}),
        ("fit-in/300x200/a.jpg", {"resize": {"width": 300, "height": 200, "fit": "inside"}}),
        ("10x20:110x220/a.jpg", {"crop": {"left": 10, "top": 20, "width": 100, "height": 200}}),
        ("filters:blur(7)/a.jpg", {"blur": 3.5}),
        ("filters:blur(7,2)/a.jpg", {"blur": 2}),
        ("filters:sharpen(1,3,true)/a.jpg", {"sharpen": 2.5}),
        ("filters:rgb(100,50,0)/a.jpg", {"tint": {"r": 255, "g": 127.5, "b": 0}}),
        ("filters:equalize()/a.jpg", {"normalize": True}),
        ("fit-in/300x200/filters:fill(red)/a.jpg",
         {"resize": {"width": 300, "height": 200, "fit": "contain", "background": "red"}}),
        ("300x200/filters:upscale()/a.jpg", {"resize": {"width": 300, "height": 200, "fit": "inside"}}),
        ("300x200/filters:stretch()/a.jpg", {"resize": {"width": 300, "height": 200, "fit": "fill"}}),
        ("fit-in/300x200/filters:stretch()/a.jpg", {"resize": {"width": 300, "height": 200, "fit": "inside"}}),
        ("300x200/filters:no_upscale()/a.jpg",
         {"resize": {"width": 300, "height": 200, "withoutEnlargement": True}}),
        ("filters:proportion(0.5)/a.jpg", {"resize": {"ratio": 0.5}}),
        ("300x200/filters:proportion(0.5)/a.jpg", {"resize": {"width": 150, "height": 100}}),
        ("300x0/filters:proportion(0.5)/a.jpg", {"resize": {"width": 300, "fit": "inside", "ratio": 0.5}}),
        ("3x2/filters:proportion(0.1)/a.jpg", {"resize": {"width": 1, "height": 1}}),
        ("filters:quality(40)/a.jpg", {"webp": {"quality": 40}, "jpeg": {"quality": 40}}),
        ("filters:quality(40)/a.webp", {"webp": {"quality": 40}}),
        ("filters:quality(40)/filters:format(webp)/a", {"toFormat": "webp", "webp": {"quality": 40}}),
        ("filters:quality(40):format(webp)/a.jpg", {"toFormat": "webp", "webp": {"quality": 40}}),
        ("filters:autojpg()/a.png", {"toFormat": "jpeg"}),
        ("filters:format(JPG)/a.png", {"toFormat": "jpeg"}),
        ("filters:rotate(90)/a.jpg", {"rotate": 90}),
        ("filters:rotate()/a.jpg", {}),
        ("filters:strip_exif()/a.jpg", {"rotate": None}),
        ("filters:convolution(1;2;1;2;4;2;1;2;1,3,true)/a.jpg",
         {"convolve": {"width": 3, "height": 3, "kernel": [1, 2, 1, 2, 4, 2, 1, 2, 1]}}),
        ("filters:animated()/a.gif", {"animated": True}),
        ("filters:animated(false)/a.gif", {"animated": False}),
        ("filters:smart_crop()/a.jpg", {"smartCrop": True}),
        ("filters:smart_crop(1,20)/a.jpg", {"smartCrop": {"faceIndex": 1, "padding": 20}}),
        ("filters:watermark(b,logos/l.png,10,-20p,40,20,)/a.jpg",
         {"overlayWith": {"bucket": "b", "key": "logos/l.png", "alpha": "40", "wRatio": "20",
                          "options": {"left": "10", "top": "-20p"}}}),
        ("filters:background_color(ff8800)/a.png", {"flatten": {"background": "ff8800"}}),
    ],
)  # fmt: skip
def test_a_path_means_what_the_edits_mean_that_aws_makes_of_it(path: str, expected: Edits) -> None:
    assert as_path(path) == as_edits(expected)


def test_filters_apply_in_alphabetical_order() -> None:
    box = {"width": 30, "height": 20, "background": "red"}
    assert as_path("fit-in/30x20/filters:upscale():fill(red)/a.jpg") == as_edits({"resize": {**box, "fit": "inside"}})
    for path in ("filters:upscale():rotate(90)/a.jpg", "filters:rotate(90):upscale()/a.jpg"):
        assert as_path(path) == as_edits({"rotate": 90, "resize": {"fit": "inside"}})
    for path in ("9x8/filters:smart_crop():rotate(90)/a.jpg", "9x8/filters:rotate(90):smart_crop()/a.jpg"):
        assert as_path(path) == as_edits({"resize": {"width": 9, "height": 8}, "rotate": 90, "smartCrop": True})


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("fill(nosuch)", "fill(red)"),
        ("watermark(b,a.png,0,0,101)", "watermark(b,b.png)"),
        ("rotate(9999)", "strip_icc()"),
    ],
)
def test_a_filter_is_checked_although_another_replaces_it(first: str, last: str) -> None:
    with pytest.raises(InvalidParameter, match=f"filters:{first.partition('(')[0]}"):
        thumbor.parse(f"filters:{first}:{last}/a.jpg")


@pytest.mark.parametrize(
    ("path", "bucket", "key"),
    [
        ("s3:photos/fit-in/3x2/a/b.jpg", "photos", "a/b.jpg"),
        ("fit-in/3x2/s3:photos/b.jpg", "photos", "b.jpg"),
        ("s3:photos/b.jpg", "photos", "b.jpg"),
        ("3x2/fit-in/b.jpg", "", "b.jpg"),
        ("3x2/4x5/b.jpg", "", "4x5/b.jpg"),
        ("3x2/smart/b.jpg", "", "smart/b.jpg"),
        ("3x2/left/top/b.jpg", "", "left/top/b.jpg"),
        ("filters:grayscale()/3x2/b.jpg", "", "b.jpg"),
    ],
)
def test_a_bucket_is_a_segment(path: str, bucket: str, key: str) -> None:
    request = thumbor.parse(path)
    assert request is not None
    assert (request.ref.bucket, request.ref.key) == (bucket, key)


@pytest.mark.parametrize(
    "path",
    ["cat.jpg", "a/300x200/cat.jpg", "300x200", "fit-in", "meta/300x200/cat.jpg", "trim/cat.jpg", "-300x200/cat.jpg",
     "300x/cat.jpg", "origx200/cat.jpg", "full-fit-in/300x200/cat.jpg", "0.1x0.1:0.5x0.5/cat.jpg", "left/cat.jpg",
     "smart/cat.jpg", "s3:", "fit-in/", "unsafe"],
)  # fmt: skip
def test_any_other_path_is_a_key(path: str) -> None:
    assert thumbor.parse(path) is None


def test_quality_and_crop_reach_the_output_and_the_steps() -> None:
    request = thumbor.parse("10x20:110x220/300x200/filters:quality(40):no_upscale()/a.webp")
    assert request is not None
    assert describe(request.recipe.output) == {"format": "webp", "quality": 40}
    assert [step["feature"] for step in describe_steps(request.recipe.steps)] == ["crop", "resize"]


@pytest.mark.parametrize(
    ("filters", "name"),
    [("nosuch()", "nosuch"), ("brightness(5)", "brightness"), ("blur(x)", "filters:blur"), ("rgb(1)", "filters:rgb"),
     ("blur(0)", "`filters:blur` must be written as blur(RADIUS[,SIGMA]), sigma "),
     ("rgb(x,1,1)", "`filters:rgb`"), ("background_color(nosuch)", "`filters:background_color`"),
     ("fill(nosuch)", "`filters:fill`"), ("proportion(0)", "`filters:proportion`"),
     ("quality(101)", "`filters:quality`"),
     ("watermark(b,l.png,0,0,x)", "`filters:watermark`"), ("smart_crop(0,-1)", "`filters:smart_crop`"),
     ("convolution(a;b,2)", "filters:convolution"), ("format(bmp)", "filters:format"), ("blur", "filters")],
)  # fmt: skip
def test_errors_name_the_filter(filters: str, name: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        thumbor.parse(f"filters:{filters}/cat.jpg")
    assert name in str(refused.value)


def test_an_invalid_side_is_an_error_about_the_resize() -> None:
    with pytest.raises(InvalidParameter) as refused:
        thumbor.parse("99999x1/cat.jpg")
    assert (refused.value.name, refused.value.code) == ("resize.width", "InvalidResizeException")
