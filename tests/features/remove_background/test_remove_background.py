"""Cut-outs: what stays, what lies behind, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests import pictures, similarity
from tests.steps import apply, picture, pixel, sequential
from tests.weights import PHOTOS, require_weights

from features import remove_background as package
from features.remove_background import masks
from features.remove_background.parameters import RemoveBackground
from imaging.context import Context, Deadline, ObjectRef
from imaging.errors import InvalidParameter, TimeExceeded, TooLarge
from imaging.params.validation import check
from imaging.picture import Picture

WIDTH, HEIGHT = 60, 40
BACKDROP = ObjectRef("", "backdrops/sky.png")


def plain(colour: list[float], width: int = WIDTH, height: int = HEIGHT) -> Any:
    image = (pyvips.Image.black(width, height, bands=len(colour)) + colour).cast("uchar")
    return image.copy(interpretation="srgb" if len(colour) > 2 else "b-w")


@pytest.fixture
def _left_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that sees the subject in the left half of every picture, but for its topmost quarter."""

    def mask(image: Any, _model: str, _context: Context) -> Any:
        width, height = image.width // 2, image.height - image.height // 4
        subject = (pyvips.Image.black(width, height) + 255).cast("uchar")
        return subject.embed(0, image.height // 4, image.width, image.height).copy(interpretation="b-w")

    monkeypatch.setattr(masks, "subject_mask", mask)


left_half = pytest.mark.usefixtures("_left_half")


@left_half
def test_the_subject_stays_and_the_rest_is_clear() -> None:
    cut = apply("removeBackground", picture(plain([200, 100, 50])))
    assert cut.image.interpretation == "srgb"
    assert [pixel(cut, x, y) for x, y in ((0, -1), (-1, -1), (0, 0))] == [[200, 100, 50, 255], [0] * 4, [0] * 4]


@left_half
@pytest.mark.parametrize("levels", [[90], [90, 128], [200, 100, 50, 128]], ids=["grey", "grey-alpha", "alpha"])
def test_what_was_half_clear_stays_half_clear(levels: list[float]) -> None:
    cut = apply("removeBackground", picture(plain(levels)), decontaminate=False)
    colours = levels[:3] if len(levels) == 4 else [levels[0]] * 3
    assert pixel(cut, 5, 30) == [*colours, levels[-1] if len(levels) in (2, 4) else 255]


@left_half
def test_pictures_that_can_be_read_only_once() -> None:
    cut = apply("removeBackground", sequential(plain([200, 100, 50])))
    assert pixel(cut, 0, -1) == [200, 100, 50, 255]


@left_half
def test_the_mask_alone() -> None:
    mask = apply("removeBackground", picture(plain([9, 9, 9])), maskOnly=True)
    assert (mask.image.bands, mask.image.interpretation) == (1, "b-w")
    assert [pixel(mask, 0, -1), pixel(mask, -1, -1)] == [[255], [0]]
    assert pixel(apply("removeBackground", picture(plain([9, 9, 9])), onlyMask=True), 0, -1) == [255]


@left_half
def test_trim_leaves_the_subject() -> None:
    cut = apply("removeBackground", picture(plain([200, 100, 50])), trim=True)
    assert (cut.width, cut.height) == (WIDTH // 2, HEIGHT * 3 // 4)
    assert cut.image[3].min() == 255
    mask = apply("removeBackground", picture(plain([200, 100, 50])), trim=True, maskOnly=True)
    assert (mask.width, mask.height) == (WIDTH // 2, HEIGHT * 3 // 4)


def test_trim_without_a_subject_leaves_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "subject_mask", lambda image, *_: pyvips.Image.black(image.width, image.height))
    cut = apply("removeBackground", picture(plain([200, 100, 50])), trim=True)
    assert (cut.width, cut.height) == (WIDTH, HEIGHT)


@left_half
def test_a_colour_behind_it() -> None:
    cut = apply("removeBackground", picture(plain([200, 100, 50])), background="0000ff")
    assert [pixel(cut, 0, -1), pixel(cut, -1, -1)] == [[200, 100, 50], [0, 0, 255]]
    assert pixel(apply("removeBackground", picture(plain([200, 100, 50])), bgcolor="0000ff80"), -1, 0) == [
        0, 0, 255, 128,
    ]  # fmt: skip


@left_half
@pytest.mark.parametrize("size", [(600, 100), (30, 90), (60, 40)])
def test_a_picture_behind_it_fills_the_room(size: tuple[int, int]) -> None:
    sky = plain([10, 20, 230], *size).pngsave_buffer()
    given = picture(plain([200, 100, 50]))
    cut = apply("removeBackground", given, context=Context(objects={BACKDROP: sky}), background=BACKDROP.key)
    assert (cut.width, cut.height, cut.image.bands) == (WIDTH, HEIGHT, 3)
    assert [pixel(cut, 0, -1), pixel(cut, -1, -1), pixel(cut, 0, 0)] == [[200, 100, 50], [10, 20, 230], [10, 20, 230]]


@left_half
def test_a_half_clear_picture_behind_it_shines_through() -> None:
    sky = plain([10, 20, 230, 100]).pngsave_buffer()
    given = picture(plain([200, 100, 50]))
    cut = apply("removeBackground", given, context=Context(objects={BACKDROP: sky}), background=BACKDROP.key)
    assert pixel(cut, -1, -1) == [10, 20, 230, 100]


@left_half
@pytest.mark.parametrize("body", [b"no picture", pictures.jpeg()[:200]], ids=["text", "cut off"])
def test_a_backdrop_that_cannot_be_read_is_told_of(body: bytes) -> None:
    context = Context(objects={BACKDROP: body})
    with pytest.raises(InvalidParameter, match=r"`removeBackground.background` must be a colour, or the key") as caught:
        apply("removeBackground", picture(plain([1, 2, 3])), context=context, background=BACKDROP.key)
    assert caught.value.code == "OverlayImageException"


@left_half
def test_every_frame_of_an_animation() -> None:
    film = pyvips.Image.arrayjoin([plain([200, 0, 0]), plain([0, 200, 0]), plain([0, 0, 200])], across=1)
    cut = apply("removeBackground", picture(film, frames=3), trim=True)
    assert (cut.frames, cut.width, cut.height) == (3, WIDTH // 2, HEIGHT * 3 // 4)
    assert [pixel(cut, 3, frame * cut.height + 3) for frame in range(3)] == [
        [200, 0, 0, 255], [0, 200, 0, 255], [0, 0, 200, 255],
    ]  # fmt: skip
    behind = apply("removeBackground", picture(film, frames=3), background="white")
    assert [pixel(behind, -1, -1 - frame * HEIGHT) for frame in range(3)] == [[255] * 3] * 3


def test_an_animation_for_which_there_is_no_time_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = []

    def slow(image: Any, *_: Any) -> Any:
        import time

        time.sleep(0.05)
        frames.append(image)
        return pyvips.Image.black(image.width, image.height)

    monkeypatch.setattr(masks, "subject_mask", slow)
    film = picture(pyvips.Image.arrayjoin([plain([1, 2, 3])] * 100, across=1), frames=100)
    with pytest.raises(TimeExceeded, match="removing the background of 100 frames takes longer"):
        apply("removeBackground", film, context=Context(deadline=Deadline.after(2)))
    assert len(frames) < 10


@left_half
def test_more_than_fits_into_memory_is_refused() -> None:
    from msgspec import structs

    tight = structs.replace(picture(plain([1, 2, 3])), room=WIDTH * HEIGHT * 7)
    with pytest.raises(TooLarge):
        apply("removeBackground", tight)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"model": "u3net"}, "`removeBackground.model` must be one of u2net, "),
        ({"background": "whit"}, "`removeBackground.background` must be a colour .*, or the key of an image"),
        (
            {"alphaMattingErodeSize": 5},
            "`removeBackground.alphaMatting` must be true if one of its thresholds is given",
        ),
        (
            {"alphaMatting": True, "alphaMattingForegroundThreshold": 10},
            "`removeBackground.alphaMattingBackgroundThreshold` must be below alphaMattingForegroundThreshold, 10",
        ),
        ({"alphaMatting": True, "alphaMattingErodeSize": 101}, "must be a whole number from 0 to 100, got 101"),
        ({"maskOnly": True, "background": "white"}, "`removeBackground.background` must be left out with maskOnly"),
        (
            {"backgroundBucket": "b"},
            "`removeBackground.backgroundBucket` must be left out unless the background is a key",
        ),
        ({"backgroundBucket": "b", "background": "red"}, "must be left out unless the background is a key"),
    ],
)
def test_what_does_not_go_together_is_refused(said: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        check(RemoveBackground, said, where="removeBackground")


@pytest.mark.parametrize(
    ("said", "refs"),
    [
        ({}, ()),
        ({"background": "white"}, ()),
        ({"background": {"r": 1, "g": 2, "b": 3}}, ()),
        ({"background": "beach.jpg"}, (ObjectRef("", "beach.jpg"),)),
        ({"background": "/beach", "backgroundBucket": "b"}, (ObjectRef("b", "beach"),)),
    ],
)
def test_which_object_is_needed(said: dict[str, object], refs: tuple[ObjectRef, ...]) -> None:
    feature = package.remove_background
    assert feature.expensive
    assert not feature.billed
    assert feature.objects is not None
    assert feature.objects(check(RemoveBackground, said)) == refs


def test_a_later_resize_may_shrink_on_load_as_far_as_the_model_sees() -> None:
    max_preshrink = package.remove_background.max_preshrink
    assert max_preshrink is not None
    assert max_preshrink(RemoveBackground(), (6400, 3200)) == 5
    assert max_preshrink(RemoveBackground(trim=True), (6400, 3200)) == 1
    assert max_preshrink(RemoveBackground(alpha_matting=True), (6400, 3200)) == 1


@pytest.fixture(scope="module")
def astronaut() -> Picture:
    return picture(pyvips.Image.new_from_file(str(PHOTOS / "astronaut.jpg")))


def test_the_astronaut(astronaut: Picture) -> None:
    context = Context(weights=str(require_weights("optimised/u2net.onnx")))
    cut = apply("removeBackground", astronaut, context=context)
    face, wall = pixel(cut, 225, 120), pixel(cut, 20, 20)
    assert face == [*pixel(astronaut, 225, 120), 255]
    assert wall == [0, 0, 0, 0]


def test_no_halo_around_her_hair(astronaut: Picture) -> None:
    """Behind her hair is a light wall; on black its remains would shine."""
    context = Context(weights=str(require_weights("optimised/u2net.onnx")))

    def brightness(**said: object) -> float:
        cut = apply("removeBackground", astronaut, context=context, **said)
        hair = cut.image.crop(140, 5, 160, 100)
        edge = ((hair[3] > 20) & (hair[3] < 200)) / 255
        return float((hair[:3].bandmean() * edge).avg() / edge.avg())

    assert brightness() < brightness(decontaminate=False) - 25


def test_matted_and_smoothed(astronaut: Picture) -> None:
    context = Context(weights=str(require_weights("optimised/u2net.onnx", "numba/made-with")))
    small = picture(astronaut.image.crop(110, 0, 240, 240))
    plain_mask, matted, smoothed = (
        apply("removeBackground", small, context=context, maskOnly=True, **said).image
        for said in ({}, {"alphaMatting": True}, {"postProcess": True})
    )
    assert 0.5 < similarity.mean_difference(matted, plain_mask) < 20
    assert similarity.mean_difference(smoothed, plain_mask) > 0.5
