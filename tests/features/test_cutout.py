"""How `cutout` finishes an image with transparency, against computations of its own in numpy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import pyvips
from tests.steps import apply, picture, pixel

from features import edits
from imaging import Context, InvalidParameter, ObjectRef, TooLarge
from imaging.context import Limits

WIDTH, HEIGHT = 200, 160
SUBJECT = (60, 40, 80, 60)
"""Left, top, width and height."""
RED = [200, 40, 30]


def subject(box: tuple[int, int, int, int] = SUBJECT, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Any:
    """A red rectangle on transparent black."""
    clear = pyvips.Image.black(*size, bands=4).cast("uchar")
    solid = (pyvips.Image.black(*box[2:], bands=4) + [*RED, 255]).cast("uchar")
    return clear.insert(solid, *box[:2]).copy(interpretation="srgb")


def levels_of(image: Any) -> Any:
    return np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, image.bands).astype(int)


def finished(image: Any = None, **said: Any) -> Any:
    made = apply("cutout", picture(subject() if image is None else image), useAlpha=True, **said)
    return made.image


def box_of(mask: Any) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def alone(alpha_box: tuple[int, int, int, int] = SUBJECT) -> Any:
    """The alpha channel of the subject."""
    mask = np.zeros((HEIGHT, WIDTH))
    mask[alpha_box[1] : alpha_box[1] + alpha_box[3], alpha_box[0] : alpha_box[0] + alpha_box[2]] = 255
    return mask


def blurred(levels: Any, sigma: float) -> Any:
    reach = math.ceil(4 * sigma)
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded = np.pad(levels, reach, mode="edge")
    across = np.apply_along_axis(lambda row: np.convolve(row, kernel, "valid"), 1, padded)
    return np.apply_along_axis(lambda column: np.convolve(column, kernel, "valid"), 0, across)


def test_without_parameters_nothing_changes() -> None:
    assert np.array_equal(levels_of(finished()), levels_of(subject()))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"margin": 0}, (0, 5, 200, 150)),
        ({"margin": "10p"}, (16, 17, 168, 126)),
        ({"scale": 50}, (50, 42, 100, 75)),
        ({"scale": 50, "position": "bottom-right"}, (100, 85, 100, 75)),
        ({"scale": 50, "position": "top-left", "margin": 10}, (10, 10, 90, 68)),
        ({"width": 400, "height": 90, "margin": 5}, (147, 5, 107, 80)),
        ({"scale": 200, "position": "top"}, (0, 0, 200, 160)),
    ],
)
def test_the_subject_is_scaled_and_placed(said: dict[str, Any], expected: tuple[int, int, int, int]) -> None:
    image = finished(**said)
    assert (image.width, image.height) == (said.get("width", WIDTH), said.get("height", HEIGHT))
    found = box_of(levels_of(image)[..., 3] > 127)
    assert np.abs(np.subtract(found, expected)).max() <= 1
    middle = (found[0] + found[2] // 2, found[1] + found[3] // 2)
    assert pixel(image, *middle) == [*RED, 255]


def test_a_product_is_a_white_square_with_margin_and_shadow() -> None:
    image = finished(layout="product", width=500)
    levels = levels_of(image)
    assert levels.shape == (500, 500, 3)
    assert pixel(image, 0, 0) == [255, 255, 255]
    red = np.abs(levels - RED).max(axis=2) < 12
    assert np.abs(np.subtract(box_of(red), (40, 92, 420, 315))).max() <= 1
    # Below the subject the shadow darkens the white; above it there is less of it.
    assert 150 < pixel(image, 250, 412)[0] < 245
    assert pixel(image, 250, 412)[0] < pixel(image, 250, 86)[0]
    assert pixel(image, 250, 412)[0] == pixel(image, 250, 412)[1]


def test_a_word_of_layout_gives_way_to_parameters() -> None:
    image = finished(layout="product", width=300, height=200, background="teal", shadow="none", margin=0)
    levels = levels_of(image)
    assert levels.shape == (200, 300, 3)
    assert (levels[0, 0] == [0, 128, 128]).all()
    assert np.abs(np.subtract(box_of(levels[..., 0] > 100), (17, 0, 267, 200))).max() <= 1


@pytest.mark.parametrize(("angle", "distance", "blur"), [(90, 10, 4), (0, 12, 2), (225, 16, 6), (45, 0, 5)])
def test_a_soft_shadow_is_the_shape_moved_and_blurred(angle: int, distance: int, blur: int) -> None:
    image = finished(
        shadow="soft", shadowAngle=angle, shadowDistance=distance, shadowBlur=blur, shadowOpacity=50, shadowColor="blue"
    )
    across = round(distance * math.cos(math.radians(angle)))
    down = round(distance * math.sin(math.radians(angle)))
    expected = blurred(np.roll(alone(), (down, across), (0, 1)), blur) / 2
    levels = levels_of(image)
    outside = alone() == 0
    # Shadows end at 2 % of the Gaussian's height.
    assert np.abs(levels[..., 3] - expected)[outside].max() <= 6
    assert (levels[outside & (expected > 20)][:, :3] == [0, 0, 255]).all()
    assert (levels[~outside] == [*RED, 255]).all()


@pytest.mark.parametrize(("angle", "length"), [(330, 50), (60, 40), (90, 30), (210, 60)])
def test_a_cast_shadow_is_the_shape_lying_on_the_ground(angle: int, length: int) -> None:
    image = finished(shadow="cast", shadowAngle=angle, shadowDistance=length, shadowBlur=0, shadowOpacity=100)
    left, top, width, height = SUBJECT
    ground = top + height
    across = math.cos(math.radians(angle)) * length / height
    down = math.sin(math.radians(angle)) * length / height
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    above = (rows - ground) / down
    foot = columns - above * across
    lies = (above > 0) & (above < height) & (foot > left) & (foot < left + width)
    shown = (levels_of(image)[..., 3] > 127) & (alone() == 0)
    expected = lies & (alone() == 0)
    differing = np.count_nonzero(shown != expected)
    # A line of pixels around the shape, which is at most half covered.
    assert differing <= 2 * (width + 2 * height)
    assert np.count_nonzero(expected) > 5 * differing


def test_a_contact_shadow_lies_where_the_subject_stands() -> None:
    levels = levels_of(finished(shadow="contact", shadowOpacity=100))
    dark = (levels[..., 3] > 64) & (alone() == 0)
    left, top, width, height = box_of(dark)
    assert top >= SUBJECT[1] + SUBJECT[3] - 3
    assert height <= 8
    assert abs(left - SUBJECT[0]) <= 3
    assert abs(width - SUBJECT[2]) <= 6


@pytest.mark.parametrize("width", [2, 5, 12, 40])
def test_an_outline_has_its_width_on_every_side(width: int) -> None:
    size = (WIDTH * 2, HEIGHT * 2)
    image = finished(subject((120, 90, 160, 120), size), outline=width, outlineColor="yellow")
    levels = levels_of(image)
    seen = levels[..., 3] > 127
    assert np.abs(np.subtract(box_of(seen), (120 - width, 90 - width, 160 + 2 * width, 120 + 2 * width))).max() <= 1
    assert (levels[150, 120 - width // 2 - 1] == [255, 255, 0, 255]).all()
    assert (levels[150, 200] == [*RED, 255]).all()


def test_shadow_is_behind_outline_and_outline_behind_the_subject() -> None:
    image = finished(
        outline=6, outlineColor="white", shadow="soft", shadowDistance=20, shadowOpacity=100, background="lime"
    )
    assert pixel(image, 100, 70) == RED
    assert pixel(image, 100, 103) == [255, 255, 255]
    assert max(pixel(image, 100, 112)) < 40
    assert pixel(image, 3, 3) == [0, 255, 0]


def test_percentages_and_pixels_follow_the_scale_of_decoding() -> None:
    """As it is decoded at half its size, so is the whole result."""
    whole = finished(outline=12, shadow="soft", shadowDistance=20, shadowBlur=6, background="white")
    half = subject().resize(0.5, kernel="nearest")
    shrunk = apply(
        "cutout", picture(half, shrunk_from=(WIDTH, HEIGHT)), useAlpha=True, outline=12, shadow="soft",
        shadowDistance=20, shadowBlur=6, background="white",
    ).image  # fmt: skip
    assert (shrunk.width, shrunk.height) == (WIDTH // 2, HEIGHT // 2)
    assert (whole.resize(0.5) - shrunk).abs().avg() < 2


def test_a_key_is_the_background_and_may_be_blurred() -> None:
    stripes = np.zeros((40, 50, 3), np.uint8)
    stripes[:, ::2] = 255
    sky = pyvips.Image.new_from_memory(stripes.tobytes(), 50, 40, 3, "uchar").copy(interpretation="srgb")
    context = Context(objects={ObjectRef("", "sky.png"): sky.pngsave_buffer()})
    given = {"useAlpha": True, "background": "sky.png", "width": 50, "height": 40, "scale": 20}
    sharp = apply("cutout", picture(subject()), context=context, **given).image
    assert [pixel(sharp, x, 2)[0] for x in (2, 3)] == [255, 0]
    soft = apply("cutout", picture(subject()), context=context, backgroundBlur=4, **given).image
    assert [pixel(soft, x, 2)[0] for x in (20, 21)] == pytest.approx([127.5, 127.5], abs=4)
    assert pixel(soft, 25, 20) == RED


def test_frames_share_one_place() -> None:
    first, second = subject((60, 40, 40, 60)), subject((100, 40, 40, 60))
    both = pyvips.Image.arrayjoin([first, second], across=1)
    made = apply("cutout", picture(both, frames=2), useAlpha=True, margin=0, background="white")
    frames = [levels_of(frame) for frame in made.split()]
    boxes = [box_of(frame[..., 1] < 150) for frame in frames]
    assert np.abs(np.subtract(boxes, [(0, 5, 100, 150), (100, 5, 100, 150)])).max() <= 1


def test_nothing_visible_leaves_the_background() -> None:
    empty = pyvips.Image.black(WIDTH, HEIGHT, bands=4).cast("uchar").copy(interpretation="srgb")
    image = finished(empty, layout="product", width=100)
    assert (image.width, image.min()) == (100, 255)


def test_an_image_without_transparency_is_a_subject() -> None:
    grey = (pyvips.Image.black(40, 30) + 60).cast("uchar").copy(interpretation="b-w")
    image = finished(grey, width=100, height=100, margin=10, background="white")
    assert np.abs(np.subtract(box_of(levels_of(image)[..., 0] < 150), (10, 20, 80, 60))).max() <= 1


def test_a_large_canvas_is_refused() -> None:
    with pytest.raises(TooLarge, match=r"`cutout.width`"):
        apply("cutout", picture(subject()), context=Context(limits=Limits(result_side=500)), useAlpha=True, width=501)


def test_the_background_is_removed_unless_the_image_has_transparency_of_its_own() -> None:
    assert [step.feature.name for step in edits({"cutout": "product"})] == ["removeBackground", "cutout"]
    assert [step.feature.name for step in edits({"cutout": {"useAlpha": True}})] == ["cutout"]
    first, _ = edits({"removeBackground": {"model": "u2netp"}, "cutout": {"outline": 3}})
    assert vars_of(first) == {"model": "u2netp"}


def vars_of(step: Any) -> Any:
    from imaging import describe

    return describe(step.params)


def test_surroundings_come_from_the_step_before_alone() -> None:
    with pytest.raises(InvalidParameter, match=r"cutout.backgroundBlur"):
        apply("cutout", picture(subject()), backgroundBlur=3)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"shadowBlur": 3}, "cutout.shadow"),
        ({"shadow": "none", "shadowOpacity": 30}, "cutout.shadow"),
        ({"shadow": "contact", "shadowAngle": 30}, "cutout.shadow"),
        ({"shadow": "soft", "shadowBlur": -1}, "cutout.shadowBlur"),
        ({"margin": "50p"}, "cutout.margin"),
        ({"margin": -3}, "cutout.margin"),
        ({"outline": "-1p"}, "cutout.outline"),
        ({"backgroundBucket": "b"}, "cutout.backgroundBucket"),
        ({"background": "red", "backgroundBlur": 3}, "cutout.backgroundBlur"),
        ({"useAlpha": True, "backgroundBlur": 3}, "cutout.backgroundBlur"),
        ({"layout": "round"}, "cutout.layout"),
        ({"scale": 0}, "cutout.scale"),
    ],
)
def test_bad_parameters_are_refused_by_name(said: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameter) as error:
        edits({"cutout": said})
    assert field in error.value.message
