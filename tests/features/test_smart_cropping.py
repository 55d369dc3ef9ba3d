"""Crops around what somebody saw: boxes, shapes, sizes, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures, steps

from features import edits
from imaging import Context, InvalidParameter, Limits, Output, Region, Rendered, SalientRegion, TooLarge, run
from imaging.detection import DetectionNotConfigured, Found, Kind

FACES = (Region(0.5, 0.25, 0.25, 0.25), Region(0.1, 0.6, 0.1, 0.2))
EVEN = (0.0, 1.0)
FIGURE = SalientRegion(FACES[0], EVEN, EVEN)
WHOLE = Region(0.0, 0.0, 1.0, 1.0)


@dataclass
class Sight(DetectionNotConfigured):
    """Somebody who sees what a test tells him to."""

    seen: tuple[Region, ...] = ()
    things: tuple[Region, ...] = ()
    figure: SalientRegion | None = None
    labelled: tuple[Found, ...] = ()
    finds_objects: bool = True

    def faces(self) -> tuple[Region, ...]:
        return self.seen

    def objects(self) -> tuple[Region, ...]:
        return self.things

    def find(self, kind: Kind, frames: range, overlay: tuple[str, str] | None) -> tuple[Found, ...]:
        assert (kind, list(frames), overlay) == ("objects", [0], None)
        return self.labelled

    def salient(self) -> SalientRegion | None:
        return self.figure


def cropped(sight: Sight, **said: Any) -> tuple[int, int, int, int]:
    """Left, top, width and height of the crop out of 400 x 200 pixels that tell their place."""
    places: Any = pyvips.Image.xyz(400, 200)
    across, down = places.bandsplit()
    image = across.bandjoin([down, across]).cast("float").copy(interpretation="multiband")
    made = steps.apply("smartCropping", steps.picture(image), context=Context(vision=sight), **said)
    left, top, _ = steps.pixel(made, 0, 0)
    return round(left), round(top), made.width, made.height


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"faceIndex": 0}, (200, 50, 100, 50)),
        ({"faceIndex": 1}, (40, 120, 40, 40)),
        ({}, (40, 50, 260, 110)),
        ({"faceIndex": 0, "padding": 10}, (190, 40, 120, 70)),
        ({"faceIndex": 0, "padding": "50p"}, (150, 25, 200, 100)),
        ({"faceIndex": 0, "padding": 1000}, (0, 0, 400, 200)),
        ({"faceIndex": 1, "padding": 50}, (0, 70, 130, 130)),
    ],
)
def test_without_a_shape_the_faces_and_their_padding_are_cut_out(said: Any, expected: Any) -> None:
    assert cropped(Sight(FACES), **said) == expected


def test_objects_come_where_there_are_no_faces() -> None:
    things = (Region(0, 0, 0.5, 0.5), Region(0.25, 0.5, 0.5, 0.25))
    assert cropped(Sight(things=things)) == (0, 0, 300, 150)
    assert cropped(Sight(FACES, things), subject="objects") == (0, 0, 300, 150)
    assert cropped(Sight(FACES, things)) == (40, 50, 260, 110)
    # Where nobody can look for objects, `auto` does not ask.
    assert cropped(Sight(things=things, figure=FIGURE, finds_objects=False)) == (200, 50, 100, 50)


@pytest.mark.parametrize("subject", ["faces", "objects", "salient", "auto"])
def test_what_stands_out_is_the_last_resort(subject: str) -> None:
    assert cropped(Sight(figure=FIGURE), subject=subject) == (200, 50, 100, 50)
    # Not even that: the eye-catcher of the pixels.
    assert cropped(Sight(), subject=subject)[2:] == (267, 133)
    assert cropped(Sight(), subject=subject, width=50, height=100)[2:] == (50, 100)


RIGHT = (0.0, 0.0, 0.1, 0.3, 1.0)
"""Shares of a figure of which the most lies in the last quarter, and nothing in the first."""


@pytest.mark.parametrize(
    ("across", "down", "said", "expected"),
    [
        # Too wide for a square: where most of it lies.
        (RIGHT, EVEN, {"width": 200, "height": 200}, (200, 0, 200, 200)),
        (tuple(1 - share for share in reversed(RIGHT)), EVEN, {"width": 200, "height": 200}, (0, 0, 200, 200)),
        # All the same: the middle.
        (EVEN, EVEN, {"width": 200, "height": 200}, (100, 0, 200, 200)),
        # Too high: its head, though more of it lies below.
        (EVEN, (0.0, 0.15, 0.35, 0.65, 1.0), {"width": 400, "height": 100}, (0, 0, 400, 100)),
        # A spire is no head.
        (EVEN, (0.0, 0.0, 0.05, 0.5, 1.0), {"width": 400, "height": 100}, (0, 37, 400, 100)),
    ],
)
def test_a_figure_that_does_not_fit_keeps_most_of_it_and_its_head(
    across: Any, down: Any, said: Any, expected: tuple[int, ...]
) -> None:
    found = cropped(Sight(figure=SalientRegion(WHOLE, across, down)), subject="salient", padding=0, **said)
    assert found == pytest.approx(expected, abs=3)


def test_there_is_room_above_a_head() -> None:
    """The figure begins at 40 of 200 pixels; a twentieth of the crop stays above it."""
    figure = SalientRegion(Region(0.0, 0.2, 1.0, 0.8), EVEN, (0.0, 0.0, 0.25, 0.5, 0.75, 1.0))
    assert cropped(Sight(figure=figure), subject="salient", width=400, height=100) == (0, 35, 400, 100)


@pytest.mark.parametrize(("mirror", "left"), [(False, 200), (True, 0)])
def test_a_figure_is_found_in_what_is_shown_of_it(mirror: bool, left: int) -> None:
    given = steps.picture(pictures.scene(400, 200))
    given = steps.apply("flop", given) if mirror else given
    context = Context(vision=Sight(figure=SalientRegion(WHOLE, RIGHT, EVEN)))
    made = steps.apply("smartCropping", given, context=context, subject="salient", width=200, height=200)
    assert (made.image - given.image.crop(left, 0, 200, 200)).abs().max() == 0


def test_an_index_counts_from_the_largest_and_one_too_few_is_refused() -> None:
    with pytest.raises(InvalidParameter) as refused:
        cropped(Sight(FACES), faceIndex=2)
    assert refused.value.code == "SmartCrop::FaceIndexOutOfRange"
    assert "from 0 to 1" in refused.value.message
    # No face at all is no mistake of the one who asks.
    assert cropped(Sight(), faceIndex=2)[2:] == (267, 133)


@pytest.mark.parametrize(
    "said", [{"padding": -1}, {"subject": "objects", "faceIndex": 0}, {"width": 0}, {"subject": "cats"}]
)
def test_what_makes_no_sense_is_refused(said: Any) -> None:
    with pytest.raises(InvalidParameter, match=r"smartCropping\.") as refused:
        cropped(Sight(FACES), **said)
    if "padding" in said:
        assert refused.value.code == "SmartCrop::PaddingOutOfBounds"


@given(
    region=st.tuples(*[st.floats(0, 0.9)] * 2, *[st.floats(0.001, 1)] * 2),
    size=st.tuples(st.integers(1, 500), st.integers(1, 500)),
    padding=st.one_of(st.none(), st.integers(0, 300), st.sampled_from(["10p", "300p"])),
)
def test_any_shape_is_cut_within_the_picture(region: Any, size: Any, padding: Any) -> None:
    seen = Region.clamped(*region)
    assert seen is not None
    said = {"width": size[0], "height": size[1]} | ({} if padding is None else {"padding": padding})
    made = steps.apply(
        "smartCropping", steps.picture(pictures.scene(160, 120)), context=Context(vision=Sight((seen,))), **said
    )
    assert (made.width, made.height) == size


def test_a_shape_is_no_smaller_than_the_result_where_there_is_room() -> None:
    """A face of 100 x 50 pixels in 400 x 200, with no padding: 50 x 50 pixels would cut it, 100 x 100 hold it."""
    sight = Sight((FACES[0],))
    assert cropped(sight, width=50, height=50, padding=0)[2:] == (50, 50)
    left, top, width, height = cropped(sight, width=150, height=150, padding=0)
    assert (width, height) == (150, 150)
    assert left == 250 - 75
    assert top == pytest.approx(75 - 150 * 0.42, abs=1)


def test_one_side_keeps_the_shape_of_what_matters() -> None:
    assert cropped(Sight(FACES), faceIndex=0, width=50)[2:] == (50, 25)
    assert cropped(Sight(FACES), faceIndex=0, height=100)[2:] == (200, 100)


def test_every_frame_is_cut_alike_and_alpha_stays() -> None:
    film = steps.picture(pictures.film(), frames=3)
    made = steps.apply("smartCropping", film, context=Context(vision=Sight(FACES)), faceIndex=0, width=20, height=20)
    assert (made.width, made.height, made.frames) == (20, 20, 3)
    clear = steps.picture(pictures.scene_with_alpha())
    assert steps.apply("smartCropping", clear, context=Context(vision=Sight(FACES)), width=20, height=20).has_alpha


def test_the_largest_result_is_a_limit() -> None:
    with pytest.raises(TooLarge, match=r"smartCropping\.width"):
        steps.apply(
            "smartCropping",
            steps.picture(pictures.scene()),
            context=Context(limits=Limits(result_side=100), vision=Sight(FACES)),
            width=101,
            height=10,
        )


def test_it_comes_before_the_resize_and_reads_a_file_once() -> None:
    said = {"smartCropping": {"faceIndex": 0}, "resize": {"width": 20}}
    made = run(pictures.png(), edits(said), Output(), Context(vision=Sight(FACES)))
    assert isinstance(made, Rendered)
    assert (made.width, made.height) == (20, 15)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([("resize", {"width": 200})], (100, 25, 50, 25)),
        ([("resize", {"width": 100, "height": 100})], (50, 25, 50, 25)),
        ([("resize", {"width": 200, "height": 200, "fit": "contain"})], (100, 75, 50, 25)),
        ([("crop", {"left": 100, "width": 300})], (100, 50, 100, 50)),
        ([("flop", {}), ("crop", {"left": 50, "width": 350})], (50, 50, 100, 50)),
        ([("flip", {})], (200, 100, 100, 50)),
    ],
)
def test_after_edits_that_show_a_part(
    before: list[tuple[str, dict[str, Any]]], expected: tuple[int, int, int, int]
) -> None:
    """The face lies at 200, 50 and is 100 x 50 pixels large in a picture of 400 x 200."""
    given = steps.picture(pictures.scene(400, 200))
    for name, said in before:
        given = steps.apply(name, given, **said)
    whole = given.image
    made = steps.apply("smartCropping", given, context=Context(vision=Sight(FACES[:1])), faceIndex=0, padding=0)
    assert (made.width, made.height) == expected[2:]
    assert (made.image - whole.crop(*expected)).abs().max() == 0


def test_a_face_that_was_cut_off_is_no_longer_there() -> None:
    given = steps.apply("crop", steps.picture(pictures.scene(400, 200)), left=0, width=100)
    made = steps.apply("smartCropping", given, context=Context(vision=Sight(FACES[:1])), faceIndex=0)
    assert made.width < 100


CAR = Found(Region(0.5, 0.5, 0.25, 0.25), name="Car", above=("Vehicle",))
DOG = Found(Region(0.0, 0.0, 0.25, 0.5), name="Dog", above=("Animal",))


def test_objects_are_chosen_by_their_labels_and_the_classes_above_them() -> None:
    sight = Sight(things=(WHOLE,), labelled=(CAR, DOG), figure=FIGURE)
    assert cropped(sight, subject="objects", labels="car") == (200, 100, 100, 50)
    assert cropped(sight, subject="objects", labels="Animal") == (0, 0, 100, 100)
    assert cropped(sight, labels="Dog,Vehicle") == (0, 0, 300, 150)
    assert cropped(Sight(FACES, labelled=(CAR, DOG)), labels="Dog") == (0, 0, 100, 100)
    assert cropped(Sight(FACES, labelled=(CAR, DOG)), labels="Cat") == (40, 50, 260, 110)
    # Nothing of that kind: the salient region.
    assert cropped(sight, subject="objects", labels="Cat") == (200, 50, 100, 50)
    assert cropped(sight, subject="objects") == (0, 0, 400, 200)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # The face is 100 x 50 at 200, 50: half of the width of the crop, in the middle of it.
        ({"zoom": 50, "placeY": 50}, (150, 25, 200, 100)),
        ({"zoom": 100}, (200, 54, 100, 50)),
        ({"zoom": 50, "placeX": 0, "placeY": 0}, (200, 50, 200, 100)),
        ({"zoom": 50, "placeX": 100, "placeY": 100}, (100, 0, 200, 100)),
        # As far as the image reaches.
        ({"zoom": 40, "placeX": 0}, (150, 23, 250, 125)),
        ({"zoom": 1}, (0, 0, 400, 200)),
        ({"zoom": 50, "width": 100, "height": 100, "placeX": 50, "placeY": 50}, (150, 0, 100, 100)),
        ({"placeX": 0, "width": 100, "height": 100}, (200, 0, 100, 100)),
    ],
)
def test_the_subject_takes_its_share_and_stands_in_its_place(said: dict[str, Any], expected: Any) -> None:
    assert cropped(Sight(FACES), faceIndex=0, **said) == expected


@given(st.floats(5, 100), st.floats(0, 100), st.floats(0, 100))
def test_the_subject_stays_inside_of_the_crop(zoom: float, x: float, y: float) -> None:
    left, top, width, height = cropped(Sight(FACES), faceIndex=0, zoom=zoom, placeX=x, placeY=y)
    assert 0 <= left <= 201
    assert 0 <= top <= 51
    assert left + width >= 299
    assert top + height >= 99
    assert left + width <= 400
    assert top + height <= 200


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"zoom": 0}, "`smartCropping.zoom` must be a number above 0 of at most 100"),
        ({"zoom": 50, "padding": 3}, "`smartCropping.padding` must be left out with zoom"),
        ({"placeX": 101}, "`smartCropping.placeX` must be a number from 0 to 100"),
        ({"subject": "faces", "labels": "Car"}, "`smartCropping.labels` must be left out with faces"),
    ],
)
def test_a_place_that_cannot_be_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        edits({"smartCropping": said})
    assert refused.value.message.startswith(message)
