"""The overlay stands where it is asked for, in its size and strength, on every frame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import pyvips
from tests.pictures import deep, film, gif, grey, jpeg, png, sample, scene, scene_with_alpha, svg, tiff
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.watermark import Watermark
from imaging import Context, Deadline, InvalidParameter, Limits, ObjectRef, TimeExceeded, check
from imaging.picture import Picture

GREEN = [0, 200, 0]
ROOM = (160, 120)


def flat(width: int, height: int, levels: list[int]) -> pyvips.Image:
    """A picture of one colour."""
    image = pyvips.Image.black(width, height, bands=len(levels)) + levels
    return image.cast("uchar").copy(interpretation="srgb" if len(levels) > 2 else "b-w")


LOGO = flat(20, 10, GREEN)


def marked(given: Picture, overlay: bytes, *, bucket: str = "", limits: Limits | None = None, **said: Any) -> Picture:
    """The picture with that file as its watermark."""
    context = Context(limits=limits or Limits(), objects={ObjectRef(bucket, "logo"): overlay})
    if bucket:
        said["bucket"] = bucket
    return apply("watermark", given, context=context, key="logo", **said)


def box(made: Picture, colour: list[int] | None = None) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is (almost) of the colour."""
    near = (made.image[:3] - (colour or GREEN)).abs().bandmean() < 3
    left, top, width, height = near.ifthenelse(255, 0).find_trim(threshold=1, background=[0], line_art=True)
    return (int(left), int(top), int(width), int(height))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, (70, 55)),
        ({"position": "top-left"}, (0, 0)),
        ({"position": "top"}, (70, 0)),
        ({"gravity": "northeast"}, (140, 0)),
        ({"position": "west"}, (0, 55)),
        ({"position": "right"}, (140, 55)),
        ({"position": "left bottom"}, (0, 110)),
        ({"gravity": "south"}, (70, 110)),
        ({"position": "bottom-right"}, (140, 110)),
        ({"left": 5, "top": 7}, (5, 7)),
        ({"left": 5}, (5, 55)),
        ({"top": -7, "position": "left"}, (0, 103)),
        ({"left": -5, "top": "-7"}, (135, 103)),
        ({"left": "25p", "top": "50%"}, (40, 60)),
        ({"left": "-25p", "top": "-10p"}, (100, 98)),
        ({"left": 0, "top": 0, "position": "bottom-right"}, (0, 0)),
    ],
)
def test_place(said: dict[str, Any], expected: tuple[int, int]) -> None:
    made = marked(picture(flat(*ROOM, [255, 255, 255])), png(LOGO), **said)
    assert box(made) == (*expected, 20, 10)
    assert made.image.bands == 3


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"left": 150}, (150, 55, 10, 10)),
        ({"left": -150, "top": -115}, (0, 0, 10, 5)),
        ({"left": "-100p", "top": "100p"}, (160, 120, 0, 0)),
    ],
)
def test_what_reaches_past_an_edge_is_cut_off(said: dict[str, Any], expected: tuple[int, int, int, int]) -> None:
    assert box(marked(picture(flat(*ROOM, [255, 255, 255])), png(LOGO), **said)) == expected


@pytest.mark.parametrize(
    ("said", "logo", "expected"),
    [
        ({}, (20, 10), (20, 10)),
        ({}, (320, 100), (160, 50)),
        ({"width": 50}, (20, 10), (80, 40)),
        ({"width": 5}, (20, 10), (8, 4)),
        ({"height": 50}, (20, 10), (120, 60)),
        ({"width": 50, "height": 10}, (20, 10), (24, 12)),
        ({"width": 100}, (10, 20), (160, 120)),
        ({"width": 0.1}, (20, 10), (1, 1)),
        ({"width": 25, "height": 50}, (4000, 100), (40, 1)),
    ],
)
def test_size(said: dict[str, Any], logo: tuple[int, int], expected: tuple[int, int]) -> None:
    made = marked(picture(flat(*ROOM, [255, 255, 255])), png(flat(*logo, GREEN)), **said)
    assert box(made)[2:] == expected


@pytest.mark.parametrize("opacity", [100, 60, 25, 0])
@pytest.mark.parametrize("alpha", [255, 128])
def test_opacity_on_top_of_the_overlays_own_alpha(opacity: float, alpha: int) -> None:
    made = marked(picture(flat(*ROOM, [255, 255, 255])), png(flat(20, 10, [*GREEN, alpha])), opacity=opacity)
    share = opacity / 100 * alpha / 255
    expected = [level * share + 255 * (1 - share) for level in GREEN]
    assert pixel(made, 80, 60) == pytest.approx(expected, abs=2)
    assert pixel(made, 0, 0) == [255, 255, 255]


@pytest.mark.parametrize(
    ("blend", "formula"),
    [
        ("over", lambda base, over: over),
        ("multiply", lambda base, over: base * over),
        ("screen", lambda base, over: 1 - (1 - base) * (1 - over)),
        ("darken", min),
        ("lighten", max),
        ("difference", lambda base, over: abs(base - over)),
        ("exclusion", lambda base, over: base + over - 2 * base * over),
        ("overlay", lambda base, over: 2 * base * over if base <= 0.5 else 1 - 2 * (1 - base) * (1 - over)),
        ("hard-light", lambda base, over: 2 * base * over if over <= 0.5 else 1 - 2 * (1 - base) * (1 - over)),
        ("color-dodge", lambda base, over: min(1, base / (1 - over)) if over < 1 else 1),
        ("colour-burn", lambda base, over: 1 - min(1, (1 - base) / over) if over > 0 else 0),
        ("add", lambda base, over: min(1, base + over)),
        ("dest", lambda base, over: base),
        ("dest-over", lambda base, over: base),
        ("atop", lambda base, over: over),
    ],
)
def test_blend(blend: str, formula: Any) -> None:
    base, over = [200, 100, 40], [60, 180, 30]
    made = marked(picture(flat(*ROOM, base)), png(flat(20, 10, over)), blend=blend)
    expected = [255 * formula(below / 255, above / 255) for below, above in zip(base, over, strict=True)]
    assert pixel(made, 80, 60) == pytest.approx(expected, abs=1.5)
    assert pixel(made, 0, 0) == base


@pytest.mark.parametrize(
    ("blend", "within", "outside"),
    [("dest-in", 255, 0), ("dest-out", 0, 255), ("xor", 0, 255), ("clear", 0, 0), ("in", 255, 0), ("source", 255, 0)],
)
def test_blend_that_cuts_out(blend: str, within: int, outside: int) -> None:
    made = marked(picture(flat(*ROOM, [200, 100, 40])), png(LOGO), blend=blend)
    assert made.image.bands == 4
    assert (pixel(made, 80, 60)[3], pixel(made, 0, 0)[3]) == (within, outside)


@pytest.mark.parametrize(
    ("said", "corner"),
    [
        ({"position": "top-left"}, (0, 0)),
        ({"position": "bottom-right"}, (0, 20)),
        ({"position": "center"}, (20, 22)),
        ({"left": 3, "top": -1}, (3, 19)),
    ],
)
def test_tiles_lie_around_the_place(said: dict[str, Any], corner: tuple[int, int]) -> None:
    tile = flat(40, 25, GREEN).insert(flat(2, 2, [255, 0, 0]), 0, 0)
    made = marked(picture(flat(*ROOM, [255, 255, 255])), png(tile), tile=True, **said)
    assert (made.image.bands, box(made)) == (3, (0, 0, 160, 120))
    pixels = bytes(made.image.write_to_memory())
    dots = {divmod(at, 160)[::-1] for at in range(160 * 120) if pixels[3 * at : 3 * at + 3] == b"\xff\0\0"}
    corners = {(x, y) for x, y in dots if x and y and not {(x - 1, y), (x, y - 1)} & dots}
    assert {(x % 40, y % 25) for x, y in corners} == {corner}
    assert len(corners) >= 12


@pytest.mark.parametrize("base", [scene(), scene_with_alpha(), grey(), deep()], ids=["rgb", "alpha", "grey", "16"])
@pytest.mark.parametrize("logo", [LOGO, flat(20, 10, [90]), LOGO.colourspace("rgb16")], ids=["rgb", "grey", "16"])
def test_every_kind_of_picture(base: pyvips.Image, logo: pyvips.Image) -> None:
    made = marked(sequential(base), png(logo), position="top-left").image.copy_memory()
    assert made.format == base.format
    assert made.bands == (4 if base.hasalpha() else 1 if base.bands == logo.bands == 1 else 3)
    scale = 257 if made.format == "ushort" else 1
    green = [90] * 3 if logo.bands == 1 else GREEN
    made = made.colourspace("srgb") if made.bands == 1 else made
    assert [level / scale for level in pixel(made, 5, 5)[:3]] == pytest.approx(green, abs=1.5)
    expected = base.colourspace("srgb") if base.bands == 1 else base
    assert mean_difference(made.crop(30, 20, 100, 80), expected.crop(30, 20, 100, 80)) < 0.5


def test_lies_on_every_frame_and_not_between_them() -> None:
    made = marked(picture(film(), frames=3), png(LOGO), position="bottom-right", top=-5)
    assert (made.frames, made.height) == (3, 120)
    for index, frame in enumerate(made.split()):
        assert box(picture(frame)) == (140, 105, 20, 10)
        untouched = film().crop(0, 120 * index, 100, 100)
        assert mean_difference(frame.crop(0, 0, 100, 100), untouched) == 0
    cut = marked(picture(film(), frames=3), png(LOGO), left=0, top=115)
    assert [box(picture(frame))[1:] for frame in cut.split()] == [(115, 20, 5)] * 3


def test_a_drawing_is_sharp_at_any_size() -> None:
    half = "<rect width='4' height='6' fill='#00c800'/>"
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg' width='8' height='6'>{half}</svg>".encode()
    made = marked(picture(flat(*ROOM, [255, 255, 255])), drawing, width=100)
    assert box(made) == (0, 0, 80, 120)
    assert pixel(made, 79, 60) == pytest.approx(GREEN, abs=1)
    assert pixel(made, 81, 60) == pytest.approx([255] * 3, abs=1)


@pytest.mark.parametrize(
    "name", ["jpeg-turned", "webp-alpha", "gif-animated", "avif", "heic", "tiff-16", "bmp", "ico", "svg"]
)
def test_any_source_format(name: str) -> None:
    made = marked(picture(flat(*ROOM, [255, 255, 255])), sample(name).body, width=100)
    assert (made.width, made.height, made.image.bands) == (160, 120, 3)
    assert mean_difference(made.image, flat(*ROOM, [255, 255, 255])) > 5


def test_first_frame_of_an_animation() -> None:
    still = marked(picture(flat(*ROOM, [255, 255, 255])), gif(film()))
    assert mean_difference(still.image, scene()) < 12
    assert mean_difference(marked(picture(flat(*ROOM, [255, 255, 255])), tiff(film())).image, scene()) < 3


def test_orientation_is_applied() -> None:
    turned = jpeg(flat(20, 10, GREEN), orientation=6)
    assert box(marked(picture(flat(*ROOM, [255, 255, 255])), turned, position="top-left")) == (0, 0, 20, 10)


def test_bucket_and_key_name_the_object() -> None:
    wanted = check(Watermark, {"key": "logo", "bucket": "brand"}, where="watermark")
    assert wanted.ref == ObjectRef("brand", "logo")
    made = marked(picture(flat(*ROOM, [255, 255, 255])), png(LOGO), bucket="brand", position="left")
    assert box(made) == (0, 55, 20, 10)


@pytest.mark.parametrize(
    ("overlay", "limits"),
    [
        (b"no picture at all", None),
        (b"", None),
        (png(scene())[:400], None),
        (jpeg(scene())[:-2500], None),
        (png(LOGO), Limits(source_pixels=100)),
        (svg(), Limits(source_bytes=10)),
    ],
)
def test_an_overlay_that_cannot_be_read_is_named(overlay: bytes, limits: Limits | None) -> None:
    with pytest.raises(
        InvalidParameter, match=r"`watermark.key` must be the key of an image that can be read \(.+\)"
    ) as refused:
        marked(picture(scene()), overlay, limits=limits)
    assert refused.value.code == "OverlayImageException"


def test_out_of_time_is_no_fault_of_the_overlay() -> None:
    context = Context(deadline=Deadline.after(-1), objects={ObjectRef("", "logo"): sample("heic").body})
    with pytest.raises(TimeExceeded):
        apply("watermark", picture(scene()), context=context, key="logo")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "`watermark.key` must be given"),
        ({"key": ""}, "`watermark.key` must be text of 1 to 1024 characters, got ''"),
        ({"key": "l", "bucket": 5}, "`watermark.bucket` must be text of 1 to 255 characters, got 5"),
        ({"key": "l", "opacity": 101}, "`watermark.opacity` must be a number from 0 to 100, got 101"),
        ({"key": "l", "width": 0}, "`watermark.width` must be a number above 0 of at most 100, got 0"),
        ({"key": "l", "left": "near"}, "`watermark.left` must be pixels (120) or percent (25% or 25p), got 'near'"),
        ({"key": "l", "alpha": 1}, "`watermark.alpha` must be a known parameter"),
    ],
)
def test_refuses(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check(Watermark, said, where="watermark")
    assert refused.value.message.startswith(message)


def test_refuses_unknown_blend() -> None:
    with pytest.raises(InvalidParameter, match=r"`watermark.blend` must be one of over, multiply, .*, got 'burn'"):
        check(Watermark, {"key": "l", "blend": "burn"}, where="watermark")


def test_a_turned_overlay_is_that_of_an_affine_transform() -> None:
    made = marked(picture(flat(160, 120, [255, 255, 255])), png(flat(40, 20, GREEN)), rotate=90, position="top-left")
    assert box(made) == (0, 0, 20, 40)
    turned: Any = marked(picture(flat(160, 120, [255, 255, 255])), png(flat(40, 20, GREEN)), rotate=30).image
    # A rectangle that is turned by 30 degrees about the middle of the image, clockwise.
    for right, low, is_inside in ((18, 8, True), (-18, -8, True), (18, 12, False), (22, 0, False), (-18, 8, True)):
        x = 80 + right * math.cos(math.pi / 6) - low * math.sin(math.pi / 6)
        y = 60 + right * math.sin(math.pi / 6) + low * math.cos(math.pi / 6)
        assert (pixel(turned, int(x), int(y))[0] < 20) is is_inside, (right, low)


def test_a_shadow_is_the_blurred_shape_of_the_overlay_at_an_offset() -> None:
    white = picture(flat(160, 120, [255, 255, 255]))
    said: dict[str, Any] = {"left": 40, "top": 40, "shadow": "black", "shadowX": 10, "shadowY": 6}
    made: Any = marked(white, png(flat(20, 10, GREEN)), shadowBlur=2, **said).image
    assert box(Picture(made, white.source)) == (40, 40, 20, 10)
    coverage = np.zeros((120, 160))
    coverage[46:56, 50:70] = 255
    kernel = np.exp(-(np.arange(-12, 13) ** 2) / 8)
    kernel /= kernel.sum()
    for axis in (0, 1):
        coverage = np.apply_along_axis(np.convolve, axis, coverage, kernel, mode="same")
    expected = 255 - coverage
    expected[40:50, 40:60] = 200
    # libvips ends its Gaussian at a fifth of its height.
    assert np.abs(made.numpy()[..., 1] - expected).mean() < 1.5
    hard: Any = marked(white, png(flat(20, 10, GREEN)), shadowBlur=0, **said).image
    assert pixel(hard, 69, 55) == [0, 0, 0]
    assert pixel(hard, 70, 56) == [255, 255, 255]


def test_a_chessboard_leaves_every_other_tile_out() -> None:
    said: dict[str, Any] = {"tile": True, "chessboard": True, "left": 0, "top": 0}
    made: Any = marked(picture(flat(160, 120, [255, 255, 255])), png(flat(20, 10, GREEN)), **said).image
    for column in range(8):
        for row in range(12):
            is_covered = pixel(made, column * 20 + 10, row * 10 + 5)[0] == 0
            assert is_covered is ((column + row) % 2 == 0)
    with pytest.raises(InvalidParameter, match="left out without tile"):
        check(Watermark, {"key": "logo", "chessboard": True}, where="watermark")


def test_a_box_may_enlarge_the_overlay() -> None:
    white = flat(160, 120, [255, 255, 255])
    made = marked(picture(white), png(LOGO), boxWidth=80, boxHeight=80, boxFit="contain", position="top-left")
    assert box(made) == (0, 0, 80, 40)
    assert box(marked(picture(white), png(LOGO), boxHeight=30, boxFit="contain", position="top-left"))[3] == 30
    assert box(marked(picture(white), png(LOGO), boxWidth=80, position="top-left")) == (0, 0, 20, 10)


def test_opacity_holds_for_the_shadow_too() -> None:
    made: Any = marked(
        picture(flat(160, 120, [255, 255, 255])), png(LOGO), left=40, top=40, shadow="black", shadowBlur=0, opacity=50
    ).image
    assert abs(pixel(made, 61, 51)[0] - 127) <= 1
