"""Sizes like sharp's, pixels like Pillow's, frames on their own, and nothing larger than allowed."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from tests.pictures import deep, grey, jpeg, pillow, scene, scene_with_alpha, svg
from tests.similarity import mean_difference, worst_block
from tests.steps import apply, picture, pixel, sequential

from features import edits
from features.resize import Plan, plan, preshrink
from features.resize.parameters import Resize
from imaging import Output, Rendered, run
from imaging.context import Context, Limits
from imaging.errors import InvalidParameter, TooLarge
from imaging.params.types import Ratio

FITS = ("cover", "contain", "fill", "inside", "outside")
SIDE = st.integers(1, 3000)


def resized(**said: Any) -> Any:
    return apply("resize", picture(scene()), **said)


def size(**said: Any) -> tuple[int, int]:
    made = resized(**said)
    return made.width, made.height


# Width and height of a source, what is asked, and what sharp 0.35.5 answers.
SHARP = [
    ((640, 480), {"width": 300}, (300, 225)),
    ((640, 480), {"height": 300}, (400, 300)),
    ((640, 480), {"width": 300, "height": 300}, (300, 300)),
    ((640, 480), {"width": 300, "height": 300, "fit": "contain"}, (300, 300)),
    ((640, 480), {"width": 300, "height": 300, "fit": "inside"}, (300, 225)),
    ((640, 480), {"width": 300, "height": 300, "fit": "outside"}, (400, 300)),
    ((640, 480), {"width": 300, "height": 300, "fit": "fill"}, (300, 300)),
    ((640, 480), {"width": 300, "fit": "fill"}, (300, 480)),
    ((1000, 625), {"width": 100}, (100, 63)),
    ((500, 333), {"width": 77, "fit": "inside"}, (77, 51)),
    ((48, 666), {"width": 236, "fit": "outside"}, (236, 3274)),
    ((1, 300), {"height": 20}, (1, 20)),
    ((3, 500), {"width": 1}, (1, 167)),
    ((640, 480), {"width": 800, "height": 800, "without_enlargement": True}, (640, 480)),
    ((640, 480), {"width": 500, "height": 800, "without_enlargement": True}, (500, 480)),
    ((640, 480), {"width": 800, "height": 800, "fit": "contain", "without_enlargement": True}, (800, 800)),
    ((640, 480), {"width": 800, "height": 100, "fit": "fill", "without_enlargement": True}, (640, 100)),
    ((640, 480), {"width": 320, "height": 100, "without_reduction": True}, (320, 100)),
    ((640, 480), {"width": 320, "fit": "inside", "without_reduction": True}, (640, 480)),
    ((640, 480), {"width": 800, "height": 100, "fit": "outside", "without_reduction": True}, (800, 600)),
]


@pytest.mark.parametrize(("full", "asked", "expected"), SHARP)
def test_sizes_are_those_of_sharp(full: tuple[int, int], asked: dict[str, Any], expected: tuple[int, int]) -> None:
    assert plan(Resize(**asked), full).result == expected


@given(SIDE, SIDE, SIDE, SIDE)
def test_sizes_keep_what_the_fit_promises(width: int, height: int, asked_width: int, asked_height: int) -> None:
    full = (width, height)
    results = {fit: plan(Resize(width=asked_width, height=asked_height, fit=fit), full).result for fit in FITS}  # type: ignore[arg-type]  # fits are words
    assert results["cover"] == results["contain"] == results["fill"] == (asked_width, asked_height)
    inside, outside = results["inside"], results["outside"]
    assert inside[0] <= asked_width
    assert inside[1] <= asked_height
    assert asked_width in (inside[0], outside[0]) or asked_height in (inside[1], outside[1])
    assert outside[0] >= asked_width
    assert outside[1] >= asked_height


@given(SIDE, SIDE, SIDE, st.sampled_from(FITS[:2] + FITS[3:]))
def test_one_side_keeps_the_proportions_within_a_pixel(width: int, height: int, asked: int, fit: Any) -> None:
    across = plan(Resize(width=asked, fit=fit), (width, height)).result
    down = plan(Resize(height=asked, fit=fit), (width, height)).result
    if height >= width / asked:
        assert across[0] == asked
        assert abs(across[1] - max(1, asked * height / width)) <= 1
    if width >= height / asked:
        assert down[1] == asked
        assert abs(down[0] - max(1, asked * width / height)) <= 1


@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(FITS), st.booleans(), st.booleans())
def test_never_enlarged_or_reduced_where_not_wanted(
    width: int, height: int, asked_width: int, asked_height: int, fit: Any, enlarge: bool, reduce: bool
) -> None:
    wanted = Resize(
        width=asked_width, height=asked_height, fit=fit, without_enlargement=not enlarge, without_reduction=not reduce
    )
    scaled = plan(wanted, (width, height)).scaled
    if not enlarge:
        assert scaled[0] <= width
        assert scaled[1] <= height
    if not reduce:
        assert scaled[0] >= width
        assert scaled[1] >= height


@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(FITS))
def test_the_decoder_is_told_to_leave_enough(width: int, height: int, wide: int, high: int, fit: Any) -> None:
    wanted = Resize(width=wide, height=high, fit=fit)
    by = preshrink(wanted, (width, height))
    scaled = plan(wanted, (width, height)).scaled
    assert width / by >= scaled[0] - 1e-6
    assert height / by >= scaled[1] - 1e-6


def test_nothing_asked_changes_nothing() -> None:
    assert plan(Resize(), (640, 480)) == Plan((640, 480), (640, 480), (640, 480))
    assert mean_difference(resized(width=0, height=0).image, scene()) == 0


def test_device_pixels_ratio_and_aspect_ratio() -> None:
    assert size(width=50, dpr=2) == (100, 75)
    assert size(width=50, height=50, dpr=1.5) == (75, 75)
    assert size(ratio=0.5) == (80, 60)
    assert size(width=50, height=40, ratio=2) == (100, 80)
    assert size(width=160, aspectRatio="16:9") == (160, 90)
    assert size(height=90, aspectRatio="16:9") == (160, 90)
    assert plan(Resize(width=16, aspect_ratio=Ratio(16 / 9)), (1, 1)).result == (16, 9)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"aspectRatio": "16:9"}, "`resize.aspectRatio` must be given with either width or height"),
        ({"width": 1, "height": 1, "aspectRatio": 2}, "`resize.aspectRatio` must be given with either width or height"),
        (
            {"width": 9, "height": 9, "fit": "fill", "focalPoint": "0,0"},
            "`resize.focalPoint` must be left out with fit",
        ),
        ({"width": 9, "position": "top", "focalPoint": "0,0"}, "`resize.focalPoint` must be left out with a position"),
        (
            {"fit": "stretch"},
            "`resize.fit` must be one of cover, contain, fill, inside, outside, cover-ratio, auto, got 'stretch'",
        ),
        ({"width": -1}, "`resize.width` must be a whole number from 0 to 65535, got -1"),
        ({"dpr": 6}, "`resize.dpr` must be a number from 1 to 5, got 6"),
        ({"kernel": "sinc"}, "`resize.kernel` must be one of nearest"),
        ({"gravity": "north", "position": "top"}, "`resize.position` must be given once"),
    ],
)
def test_refusals_name_the_field(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        resized(**said)
    assert refused.value.message.startswith(message)


# Enlarging, libvips (and so sharp) puts the picture half a pixel of the result farther to the right and down.
@pytest.mark.parametrize(("asked", "apart"), [((80, 60), 1), ((50, 38), 1), ((33, 25), 1), ((320, 240), 2)])
def test_pixels_are_those_of_pillow(asked: tuple[int, int], apart: float) -> None:
    made = apply("resize", picture(scene()), width=asked[0], height=asked[1], fit="fill")
    kernel = Pillow.Resampling.LANCZOS if asked[0] < 160 else Pillow.Resampling.BICUBIC
    expected = from_pillow(pillow(scene()).resize(asked, kernel))
    assert mean_difference(made.image, expected) < apart
    assert worst_block(made.image, expected) < 4 * apart


@pytest.mark.parametrize(
    "kernel", ["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3", "mks2013", "mks2021"]
)
@pytest.mark.parametrize("width", [64, 200])
def test_every_kernel_draws_the_same_picture(kernel: str, width: int) -> None:
    made = resized(width=width, kernel=kernel)
    expected = from_pillow(pillow(scene()).resize((width, width * 3 // 4), Pillow.Resampling.BOX))
    assert mean_difference(made.image, expected) < 5


def from_pillow(image: Pillow.Image) -> Any:
    return pyvips.Image.new_from_memory(image.tobytes(), *image.size, len(image.getbands()), "uchar").copy(
        interpretation="srgb"
    )


@pytest.mark.parametrize(
    ("position", "left", "top"),
    [
        ("left", 0, 0),
        ("center", 20, 0),
        ("right", 40, 0),
        ("northwest", 0, 0),
        ("right bottom", 40, 0),
        ("south", 20, 0),
    ],
)
def test_cover_keeps_the_part_at_the_position(position: str, left: int, top: int) -> None:
    made = resized(width=120, height=120, position=position)
    assert mean_difference(made.image, scene().crop(left, top, 120, 120)) == 0


@pytest.mark.parametrize(("point", "left"), [("0,0", 0), ("0.5,0.5", 20), ("1,1", 40), ("0.4,0", 4), ("0.6,0.9", 36)])
def test_cover_keeps_the_focal_point(point: str, left: int) -> None:
    made = resized(width=120, height=120, focalPoint=point)
    assert mean_difference(made.image, scene().crop(left, 0, 120, 120)) == 0


@pytest.mark.parametrize("position", ["attention", "entropy"])
@pytest.mark.parametrize("at", [10, 230])
def test_cover_looks_for_what_is_interesting(position: str, at: int) -> None:
    noise = pyvips.Image.gaussnoise(60, 60, mean=128, sigma=60, seed=7).bandjoin([90, 30]).cast("uchar")
    plain = pyvips.Image.black(300, 80, bands=3) + 120
    image = plain.cast("uchar").insert(noise, at, 10).copy(interpretation="srgb")
    for whole in (picture(image), sequential(image)):
        made = apply("resize", whole, width=100, height=80, strategy=position)
        assert (made.width, made.height) == (100, 80)
        assert made.image.deviate() > 0.8 * image.crop(at - 10, 0, 80, 80).deviate()


def test_all_frames_keep_the_same_part() -> None:
    noise = pyvips.Image.gaussnoise(60, 60, mean=128, sigma=60, seed=7).bandjoin([90, 30]).cast("uchar")
    plain = (pyvips.Image.black(300, 80, bands=3) + 120).cast("uchar")
    film = pyvips.Image.arrayjoin([plain.insert(noise, 230, 10), plain.insert(noise, 10, 10)], across=1)
    made = apply("resize", picture(film, frames=2), width=100, height=80, position="attention")
    assert (made.width, made.height, made.frames) == (100, 80, 2)
    first, second = made.split()
    assert first.deviate() > 20
    assert second.deviate() == 0


@pytest.mark.parametrize(
    ("background", "corner"),
    [("black", [0, 0, 0]), ("#ff8000", [255, 128, 0]), ("transparent", [0, 0, 0, 0]), ("ff000080", [255, 0, 0, 128])],
)
def test_contain_fills_up_with_the_background(background: str, corner: list[float]) -> None:
    made = resized(width=100, height=100, fit="contain", background=background)
    assert (made.width, made.height) == (100, 100)
    assert pixel(made, 0, 0) == pixel(made, -1, -1) == corner
    middle = made.image.crop(0, 12, 100, 75)
    assert mean_difference(middle[:3], resized(width=100).image) == 0
    below = resized(width=100, height=100, fit="contain", background=background, position="bottom")
    assert mean_difference(below.image.crop(0, 25, 100, 75)[:3], resized(width=100).image) == 0


def test_contain_gives_a_grey_picture_the_colour_it_needs() -> None:
    red = apply("resize", picture(grey()), width=100, height=100, fit="contain", background="red")
    assert pixel(red, 0, 0) == [255, 0, 0]
    plain = apply("resize", picture(grey()), width=100, height=100, fit="contain", background="white")
    assert pixel(plain, 0, 0) == [255]


def test_sixteen_bits_stay() -> None:
    made = apply("resize", picture(deep()), width=80, height=80, fit="contain", background="white")
    assert made.image.format == "ushort"
    assert pixel(made, 0, 0) == [65535, 65535, 65535]
    assert mean_difference(made.image, resized(width=80, height=80, fit="contain", background="white").image) < 1


def test_clear_pixels_lend_no_colour() -> None:
    red = (pyvips.Image.black(40, 40, bands=3) + [255, 0, 0, 255][:3]).bandjoin(255)
    green = (pyvips.Image.black(40, 40, bands=3) + [0, 255, 0]).bandjoin(0)
    image = red.join(green, "horizontal").cast("uchar").copy(interpretation="srgb")
    made = apply("resize", picture(image), width=27)
    for x in range(27):
        colour = pixel(made, x, 5)
        assert colour[3] < 2 or colour[:3] == [255, 0, 0]


def test_alpha_is_reduced_like_pillow_does() -> None:
    made = apply("resize", picture(scene_with_alpha()), width=60)
    expected = from_pillow(pillow(scene_with_alpha()).resize((60, 45), Pillow.Resampling.LANCZOS))
    assert mean_difference(made.image, expected) < 1


def test_frames_do_not_bleed_into_each_other() -> None:
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    film = pyvips.Image.arrayjoin([pyvips.Image.black(90, 61, bands=3) + colour for colour in colours], across=1)
    film = film.cast("uchar").copy(interpretation="srgb")
    for said in (
        {"width": 31},
        {"width": 200},
        {"width": 40, "height": 40},
        {"height": 40, "width": 70, "fit": "fill"},
    ):
        made = apply("resize", picture(film, frames=3), **said)
        for frame, colour in zip(made.split(), colours, strict=True):
            assert [band.min() for band in frame.bandsplit()] == colour
            assert [band.max() for band in frame.bandsplit()] == colour


@pytest.mark.parametrize("asked", [{"width": 50}, {"width": 50, "height": 50}, {"height": 33, "fit": "inside"}])
def test_what_was_shrunk_on_load_gets_the_size_it_would_have_had(asked: dict[str, Any]) -> None:
    whole = picture(scene(1001, 667))
    halved = picture(scene(501, 334), shrunk_from=(1001, 667))
    expected, made = apply("resize", whole, **asked), apply("resize", halved, **asked)
    assert (made.width, made.height) == (expected.width, expected.height)
    assert made.full == (made.width, made.height)
    assert mean_difference(made.image, expected.image) < 2


@pytest.mark.parametrize(
    "said",
    [
        {"width": 9000},
        {"height": 9000},
        {"width": 65_535, "height": 65_535, "fit": "contain"},
        {"width": 2000, "dpr": 5},
        {"ratio": 100},
    ],
)
def test_nothing_larger_than_the_limit_is_begun(said: dict[str, Any]) -> None:
    with pytest.raises(TooLarge, match=r"`resize\.(width|height)` must leave a picture of at most 8192 pixels a side"):
        resized(**said)
    small = Context(limits=Limits(result_pixels=10_000))
    with pytest.raises(TooLarge, match="10000 in all"):
        apply("resize", picture(scene()), context=small, width=101, height=100)
    assert apply("resize", picture(scene()), context=small, width=100, height=100).width == 100


def test_frames_count_towards_the_limit() -> None:
    film = picture(scene(100, 400), frames=4)
    context = Context(limits=Limits(result_pixels=40_000))
    assert apply("resize", film, context=context, width=100, height=100, fit="fill").frames == 4
    with pytest.raises(TooLarge, match="in 4 frames"):
        apply("resize", film, context=context, width=100, height=101, fit="fill")


def test_a_strip_covers_a_square_or_is_refused() -> None:
    strip = picture(scene(400, 2))
    assert apply("resize", strip, width=1000, height=1000).image.crop(0, 0, 5, 5).avg() > 0
    with pytest.raises(TooLarge, match="must not scale a side beyond"):
        apply("resize", picture(scene(2000, 1)), width=5000, height=5000)
    with pytest.raises(TooLarge):
        apply("resize", picture(scene(2000, 1)), width=5000, height=5000, position="attention")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_gets_the_same_size_however_it_is_stored(orientation: int) -> None:
    """667 rows shrunk to 334 on load would round to 134; sharp then answers 134."""
    body = jpeg(scene(1001, 667), orientation=orientation)
    for said in ({"resize": {"width": 200}}, {"flip": True, "flop": True, "resize": {"width": 200}}):
        made = run(body, edits(said), Output(), Context())
        assert isinstance(made, Rendered)
        assert (made.width, made.height) == (200, 133)


def test_a_drawing_is_drawn_in_the_size_asked_for() -> None:
    made = run(svg(160, 120), edits({"resize": {"width": 800}}), Output(format="png"), Context())
    assert isinstance(made, Rendered)
    drawn = pyvips.Image.new_from_buffer(svg(160, 120), "", scale=5)
    assert mean_difference(pyvips.Image.new_from_buffer(made.body, ""), drawn) < 0.1
    with pytest.raises(TooLarge, match=r"^`resize\.width` must leave"):
        run(svg(), edits({"resize": {"width": 9_000}}), Output(format="png"), Context())
