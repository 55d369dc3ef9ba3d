"""Thumbor paths as Thumbor interprets them: segments, signs, and filters in their order."""

from __future__ import annotations

from typing import Any

import pytest
from libthumbor.url import unsafe_url

from handler.core.errors import NotFound
from handler.requests.dialects import thumbor
from imaging import InvalidParameter, describe, describe_steps

Steps = list[dict[str, Any]]
GREY = {"feature": "recomb", "matrix": ",".join(["0.299,0.587,0.114"] * 3)}


def steps(path: str) -> Steps:
    parsed = thumbor.parse(path)
    assert parsed is not None
    return describe_steps(parsed.recipe.steps)


def output(filters: str) -> dict[str, Any]:
    parsed = thumbor.parse(f"unsafe/filters:{filters}/cat.jpg")
    assert parsed is not None
    return describe(parsed.recipe.output)


def resized(**more: Any) -> dict[str, Any]:
    """Return a resize step; one that may enlarge is `centred`."""
    may_enlarge = not more.get("withoutEnlargement") and "ratio" not in more
    return {"feature": "resize", **more, **({"centred": True} if may_enlarge else {})}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"width": 300, "height": 200}, [resized(width=300, height=200)]),
        ({"width": 300}, [resized(width=300)]),
        ({"width": 300, "height": 200, "flip": True, "flop": True},
         [resized(width=300, height=200), {"feature": "flop"}, {"feature": "flip"}]),
        ({"flip": True}, [{"feature": "flop"}]),
        ({"width": 300, "height": 200, "halign": "left", "valign": "top"},
         [resized(width=300, height=200, position="top-left")]),
        ({"width": 300, "height": 200, "valign": "bottom"}, [resized(width=300, height=200, position="bottom")]),
        ({"width": 300, "height": 200, "smart": True}, [resized(width=300, height=200, position="attention")]),
        ({"width": 300, "height": 200, "fit_in": True},
         [resized(width=300, height=200, fit="inside", withoutEnlargement=True)]),
        ({"width": 300, "height": 200, "full_fit_in": True}, [resized(width=300, height=200, fit="outside")]),
        ({"width": 300, "height": 200, "adaptive_fit_in": True},
         [resized(width=300, height=200, fit="inside", adaptive=True, withoutEnlargement=True)]),
        ({"width": 300, "height": 200, "adaptive_full_fit_in": True},
         [resized(width=300, height=200, fit="outside", adaptive=True)]),
        ({"crop": ((10, 20), (110, 220))},
         [{"feature": "crop", "left": "10", "top": "20", "width": "100", "height": "200", "clamp": True}]),
        ({"crop": ((0.1, 0.25), (0.5, 1.0))},
         [{"feature": "crop", "left": "10p", "top": "25p", "width": "40p", "height": "75p", "clamp": True}]),
        ({"trim": True}, [{"feature": "trim", "threshold": 0.0, "lineArt": True}]),
        ({"trim": ("bottom-right", 17)},
         [{"feature": "trim", "threshold": 9.815, "corner": "bottom-right", "lineArt": True}]),
        ({"meta": True, "width": 300}, [resized(width=300), {"feature": "info"}]),
    ],
)  # fmt: skip
def test_paths_of_libthumbor_are_parsed(options: dict[str, Any], expected: Steps) -> None:
    assert steps(unsafe_url(image_url="photos/cat.jpg", **options)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("origx200", [resized(height=200, keep="width")]),
        ("300xorig", [resized(width=300, keep="height")]),
        ("origxorig", []),
        ("-0x-0", [{"feature": "flop"}, {"feature": "flip"}]),
        ("300x", [resized(width=300)]),
        ("0x0:0x0/300x200", [resized(width=300, height=200)]),
        ("300x200/center/middle", [resized(width=300, height=200)]),
        ("fit-in", []),
    ],
)
def test_a_side_may_be_free_or_that_of_the_original(path: str, expected: Steps) -> None:
    assert steps(f"unsafe/{path}/cat.jpg") == expected


def test_segments_in_another_order_belong_to_the_key() -> None:
    parsed = thumbor.parse("unsafe/300x200/meta/smart/cat.jpg")
    assert parsed is not None
    assert parsed.ref.key == "meta/smart/cat.jpg"


@pytest.mark.parametrize("image", ["a/b.jpg", "https://a.example/b?.jpg", "a:b(c)/d", "x y.jpg"])
def test_the_rest_is_the_key(image: str) -> None:
    parsed = thumbor.parse(f"unsafe/300x200/filters:blur(2):grayscale()/{image}")
    assert parsed is not None
    assert parsed.ref.key == image


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("blur(7)",
         [{"feature": "blur", "sigma": 7.0, "minAmplitude": pytest.approx(0.5633, abs=1e-4), "precision": "float"}]),
        ("blur(200, 2.5)", [{"feature": "blur", "sigma": 2.5, "minAmplitude": 0.001, "precision": "float"}]),
        ("brightness(40)", [{"feature": "linear", "b": "102"}]),
        ("rgb(20,-20,40)", [{"feature": "linear", "b": "51,-51,102"}]),
        ("colorize(40,50,60,ff8800)",
         [{"feature": "colorize", "color": "ff8800", "red": 40.0, "blue": 60.0}]),
        ("convolution(1;2;1;2;4;2;1;2;1,3,true)",
         [{"feature": "convolve", "kernel": "1,2,1,2,4,2,1,2,1", "width": 3, "height": 3, "scale": 16.0}]),
        ("convolution(-1;-1;-1;-1;8;-1;-1;-1;-1,3,false)",
         [{"feature": "convolve", "kernel": "-1,-1,-1,-1,8,-1,-1,-1,-1", "width": 3, "height": 3, "scale": 1.0}]),
        ("curve([(0,0),(128,140),(255,255)],[],[(0,10),(255,255)],[(0,0)])",
         [{"feature": "curve", "all": "0,0,128,140,255,255", "green": "0,10,255,255", "blue": "0,0"}]),
        ("saturation(1.5)", [{"feature": "vividness", "factor": 1.5}]),
        ("sharpen(2,1.0,false)", [{"feature": "waveletSharpen", "amount": 2.0, "radius": 1.0, "luminance": False}]),
        ("equalize()", [{"feature": "equalise"}]),
        ("noise(40,7)", [{"feature": "noise", "amount": 40, "seed": 7}]),
        ("frame(frames/f.png)", [{"feature": "frame", "key": "frames/f.png"}]),
        ("red_eye()", [{"feature": "redEye"}]),
        ("round_corner(20|30,255,0,0)",
         [{"feature": "roundCorners", "radiusY": "30", "background": "ff0000"}]),
        ("round_corner(10,255,0,0,true)",
         [{"feature": "roundCorners", "radius": "10", "background": "ff000000"}]),
        ("contrast(-40)", [{"feature": "contrast", "amount": -40.0}]),
        ("grayscale():noise(1):grayscale()",
         [GREY, {"feature": "noise", "amount": 1}, GREY]),
        ("rotate(90)", [{"feature": "rotate", "angle": 270.0}]),
        ("proportion(0.5)", [resized(ratio=0.5)]),
        ("background_color(ff8800)", [{"feature": "flatten", "background": "ff8800"}]),
        ("watermark(logo.png,10,-20p,30)",
         [{"feature": "watermark", "key": "logo.png", "left": "10", "top": "-20p", "opacity": 70.0}]),
        ("watermark(https://a.example/l.png,center,-0,0,20,none)",
         [{"feature": "watermark", "key": "https://a.example/l.png", "position": "bottom", "width": 20.0}]),
        ("watermark('a,b.png',repeat,repeat,50)",
         [{"feature": "watermark", "key": "a,b.png", "position": "top-left", "tile": True, "opacity": 50.0}]),
    ],
)  # fmt: skip
def test_filters_apply_in_the_order_of_the_path(filters: str, expected: Steps) -> None:
    assert steps(f"unsafe/filters:{filters}/cat.jpg") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("fit-in/300x200/filters:upscale()", [resized(width=300, height=200, fit="inside")]),
        ("fit-in/300x200/filters:grayscale():upscale()",
         [resized(width=300, height=200, fit="inside", withoutEnlargement=True), GREY,
          resized(width=300, height=200, fit="inside")]),
        ("300x200/filters:no_upscale()", [resized(width=300, height=200, withoutEnlargement=True)]),
        ("300x200/filters:stretch()", [resized(width=300, height=200, fit="fill")]),
        ("fit-in/300x200/filters:stretch()", [resized(width=300, height=200, fit="inside", withoutEnlargement=True)]),
        ("fit-in/300x200/filters:fill(ff8800,1)",
         [resized(width=300, height=200, fit="inside", withoutEnlargement=True),
          {"feature": "fill", "width": 300, "height": 200, "color": "ff8800", "behind": True}]),
        ("300x200/filters:fill(blur)", [resized(width=300, height=200)]),
        ("fit-in/300x0/filters:fill(auto)",
         [resized(width=300, fit="inside", withoutEnlargement=True),
          {"feature": "fill", "mode": "mean", "width": 300}]),
        ("300x200/filters:focal(10x20:30x60)", [resized(width=300, height=200, focalX=20, focalY=40)]),
        ("10x10:100x100/300x200/filters:focal(10x20:30x60):focal(300x300:400x400)",
         [{"feature": "crop", "left": "10", "top": "10", "width": "90", "height": "90", "clamp": True},
          resized(width=300, height=200, focalX=10, focalY=30)]),
    ],
)  # fmt: skip
def test_filters_that_change_the_size(path: str, expected: Steps) -> None:
    assert steps(f"unsafe/{path}/cat.jpg") == expected


def test_a_focal_area_outside_the_crop_leaves_the_alignment() -> None:
    cut, kept = "10x20:110x220/20x40/left", "10x20:110x220/20x40/left/filters:focal(200x300:220x320)"
    assert steps(f"unsafe/{kept}/cat.jpg") == steps(f"unsafe/{cut}/cat.jpg")
    assert steps(f"unsafe/{kept}/cat.jpg")[-1]["position"] == "left"


def test_extract_focal_reads_the_crop_of_a_nested_path() -> None:
    parsed = thumbor.parse("unsafe/300x200/filters:extract_focal()/https://t.example/unsafe/10x20:30x60/5x5/a/cat.jpg")
    assert parsed is not None
    assert parsed.ref.key == "a/cat.jpg"
    assert describe_steps(parsed.recipe.steps) == [resized(width=300, height=200, focalX=20, focalY=40)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("quality(40):format(webp)", {"format": "webp", "quality": 40}),
        ("format(jpg)", {"format": "jpeg"}),
        ("format(WEBP)", {"format": "webp"}),
        ("max_bytes(9000)", {"maxBytes": 9000}),
        ("autojpg()", {"autoJpeg": True}),
        ("autojpg(False)", {}),
        ("cover()", {"animated": False}),
        ("strip_exif():strip_icc()", {}),
    ],
)
def test_filters_that_set_output_options(filters: str, expected: dict[str, Any]) -> None:
    assert output(filters) == expected


def test_max_age_sets_a_header() -> None:
    parsed = thumbor.parse("unsafe/filters:max_age(60)/cat.jpg")
    assert parsed is not None
    assert parsed.headers == {"Cache-Control": "public, max-age=60"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("filters:nosuch()", "nosuch"),
        ("filters:blur()", "filters:blur"),
        ("filters:blur(x)", "filters:blur"),
        ("filters:blur(0)", "filters:blur"),
        ("filters:blur(1,2,3)", "filters:blur"),
        ("filters:brightness(101)", "filters:brightness"),
        ("filters:quality(0)", "filters:quality"),
        ("filters:quality(999999999999)", "filters:quality"),
        ("filters:format(bmp)", "filters:format"),
        ("filters:autojpg(perhaps)", "filters:autojpg"),
        ("filters:proportion(2)", "filters:proportion"),
        ("filters:rotate(x)", "filters:rotate"),
        ("filters:focal(1x1:1x1)", "filters:focal"),
        ("filters:watermark(a,b,c,d)", "filters:watermark"),
        ("filters:fill(nosuch)", "filters:fill"),
        ("filters:colorize(101,0,0,red)", "filters:colorize"),
        ("filters:convolution(1;2;3;4,2)", "filters:convolution"),
        ("filters:curve([(0,0)],[],[],x)", "filters:curve"),
        ("filters:round_corner(a,0,0,0)", "filters:round_corner"),
        ("filters:blur(1)", "filters"),
        ("filters:blur", "filters"),
        ("filters:", "filters"),
        ("99999999x1", "size"),
        ("10x10:5x5", "crop"),
        ("0.1x0.1:5x5", "crop"),
        ("filters:" + ":".join(["blur(1)"] * 33), "filters"),
    ],
)
def test_errors_name_the_part_of_the_path(path: str, name: str) -> None:
    ending = "cat.jpg" if name == "filters" and "x(" not in path and not path.count("):") else "fit-in/3x3/cat.jpg"
    slash = "" if path == "filters:blur(1)" else "/"
    prefix = "fit-in/30x30/" if "fill" in path else ""
    with pytest.raises(InvalidParameter) as refused:
        thumbor.parse(f"unsafe/{prefix}{path}{slash}{ending}")
    assert name in str(refused.value)


@pytest.mark.parametrize("path", ["unsafe/", "unsafe/300x200/", "unsafe/meta/fit-in/300x200/filters:blur(1)/"])
def test_a_path_without_a_key_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        thumbor.parse(path)
