"""What `redact` hides, against computations of its own in numpy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import pyvips
from tests.steps import apply, picture, pixel

from features import edits
from imaging import Context, Found, InvalidParameter, Label, ObjectRef, Output, Region, Rendered, run
from imaging.detection import DetectionNotConfigured, Kind

WIDTH, HEIGHT = 120, 90
FACE = Region(0.25, 0.2, 0.25, 0.4)
"""30 to 60 pixels across, 18 to 54 down; with the usual margin 22.5 to 67.5 and 9 to 63."""
FACE_BOX = (22, 9, 68, 63)


class Sight(DetectionNotConfigured):
    """Detections that a test has made up, and what was asked of it."""

    def __init__(self, **found: tuple[Found, ...]) -> None:
        self.found = found
        self.asked: list[tuple[Kind, range, Any]] = []

    def find(self, kind: Kind, frames: range, overlay: tuple[str, str] | None) -> tuple[Found, ...]:
        self.asked.append((kind, frames, overlay))
        return self.found.get(kind, ())

    def labels(self) -> tuple[Label, ...] | None:
        return ()


def sight(**found: tuple[Found, ...]) -> Context:
    return Context(vision=Sight(**(found or {"faces": (Found(FACE),)})))


def noise(bands: int = 3, height: int = HEIGHT, seed: int = 1) -> Any:
    levels = np.random.default_rng(seed).integers(0, 256, (height, WIDTH, bands), np.uint8)
    image = pyvips.Image.new_from_memory(levels.tobytes(), WIDTH, height, bands, "uchar")
    return image.copy(interpretation="srgb" if bands > 2 else "b-w")


def levels_of(image: Any) -> Any:
    return np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, image.bands).astype(int)


def box_of(shape: tuple[int, ...], box: tuple[int, int, int, int]) -> Any:
    """True inside of the box."""
    inside = np.zeros(shape[:2], bool)
    inside[box[1] : box[3], box[0] : box[2]] = True
    return inside


def squared(levels: Any, box: tuple[int, int, int, int], squares: int) -> Any:
    """The levels with the means of squares in the box."""
    made = levels.astype(float)
    side = -(-max(box[2] - box[0], box[3] - box[1]) // squares)
    for top, left in itertools.product(range(box[1], box[3], side), range(box[0], box[2], side)):
        cell = made[top : min(top + side, box[3]), left : min(left + side, box[2])]
        cell[:] = cell.mean(axis=(0, 1))
    return made


def test_a_face_becomes_squares_in_their_mean_colours() -> None:
    image = noise()
    made = levels_of(apply("redact", picture(image), context=sight(), detect="faces", mode="pixelate").image)
    before = levels_of(image)
    inside = box_of(before.shape, FACE_BOX)
    assert np.array_equal(made[~inside], before[~inside])
    # The last squares may be narrower; libvips fills them up with copies of the last pixels.
    whole = box_of(before.shape, (22, 9, 66, 53))
    assert np.abs(made[whole] - squared(before, FACE_BOX, 5)[whole]).max() <= 1


@pytest.mark.parametrize("mode", ["blur", "pixelate", "fill"])
@pytest.mark.parametrize("squares", [1, 5, 8])
def test_nothing_but_the_means_of_squares_is_left(mode: str, squares: int) -> None:
    """The pixels of each square in another order give the same picture."""
    image = noise()
    before = levels_of(image)
    shuffled = before.copy()
    side = -(-80 // squares)
    for top, left in itertools.product(range(0, 80, side), range(0, 80, side)):
        cell = shuffled[top : min(top + side, 80), left : min(left + side, 80)]
        flat = cell.reshape(-1, 3)
        cell[:] = np.random.default_rng(2).permutation(flat).reshape(cell.shape)
    other = pyvips.Image.new_from_memory(shuffled.astype(np.uint8).tobytes(), WIDTH, HEIGHT, 3, "uchar")
    said: dict[str, Any] = {"areas": "0,0,80,80", "mode": mode, "squares": squares}
    made, again = (
        levels_of(apply("redact", picture(each), **said).image) for each in (image, other.copy(interpretation="srgb"))
    )
    # Two levels are how libvips rounds a mean of rows and then of columns.
    assert np.abs(made[:80, :80] - again[:80, :80]).max() <= (0 if mode == "fill" else 2)
    assert not np.array_equal(made[:80, :80], before[:80, :80])
    assert np.array_equal(made[80:], before[80:])


def test_a_blur_is_smooth_and_keeps_the_mean_colour() -> None:
    image = noise()
    made = levels_of(apply("redact", picture(image), areas="10,10,100,70").image)[10:80, 10:110]
    assert np.abs(np.diff(made, axis=0)).max() <= 6
    assert np.abs(np.diff(made, axis=1)).max() <= 6
    assert np.abs(made.mean(axis=(0, 1)) - levels_of(image)[10:80, 10:110].mean(axis=(0, 1))).max() < 3


def test_a_fill_is_opaque_and_of_the_colour() -> None:
    image = noise(4)
    made = levels_of(apply("redact", picture(image), areas="10,20,30,40", mode="fill", color="teal").image)
    inside = box_of(made.shape, (10, 20, 40, 60))
    assert (made[inside] == [0, 128, 128, 255]).all()
    assert np.array_equal(made[~inside], levels_of(image)[~inside])


def test_grey_becomes_coloured_only_for_a_colour() -> None:
    grey = noise(1)
    assert apply("redact", picture(grey), areas="0,0,9,9", mode="fill").image.bands == 1
    made = apply("redact", picture(grey), areas="0,0,9,9", mode="fill", color="red")
    assert (pixel(made, 2, 2), made.image.bands) == ([255, 0, 0], 3)


def test_an_ellipse_covers_the_whole_box_of_a_detector() -> None:
    image = noise()
    made = apply("redact", picture(image), context=sight(), mode="fill", color="lime", shape="ellipse")
    levels = levels_of(made.image)
    green = (levels == [0, 255, 0]).all(axis=2)
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    distance = (((across + 0.5 - 45) / 23) ** 2 + ((down + 0.5 - 36) / 27) ** 2) ** 0.5
    assert green[distance < 0.95].all()
    assert not green[distance > 1.05].any()
    assert green[18:54, 30:60].all()
    assert np.array_equal(levels[distance > 1.05], levels_of(image)[distance > 1.05])


def test_the_corners_of_an_ellipse_show_nothing_of_the_one_before() -> None:
    image = noise()
    made = levels_of(apply("redact", picture(image), areas="0,0,60,60,30,30,60,60", mode="fill", shape="ellipse").image)
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    first = ((across + 0.5 - 30) / 30) ** 2 + ((down + 0.5 - 30) / 30) ** 2
    assert (made[first < 0.9] == 0).all()


@pytest.mark.parametrize(
    ("said", "box"),
    [
        ({"areas": "10,20,30,40"}, (10, 20, 40, 60)),
        ({"areas": "25p,50p,50p,25p"}, (30, 45, 90, 68)),
        ({"areas": [[10, 20, 30, "10p"]]}, (10, 20, 40, 29)),
        ({"areas": [{"left": 10, "top": 20, "width": 30, "height": 40}], "margin": 5}, (5, 15, 45, 65)),
        ({"areas": "10,20,30,40", "margin": "10p"}, (7, 16, 43, 64)),
        ({"areas": "-10,-10,20,20"}, (0, 0, 10, 10)),
        ({"areas": "110,80,500,500"}, (110, 80, 120, 90)),
        ({"areas": "10.5,20.5,0.2,0.2"}, (10, 20, 11, 21)),
    ],
)
def test_areas_in_pixels_and_in_percent(said: dict[str, Any], box: tuple[int, int, int, int]) -> None:
    image = (pyvips.Image.black(WIDTH, HEIGHT, bands=3) + 200).cast("uchar").copy(interpretation="srgb")
    made = levels_of(apply("redact", picture(image), mode="fill", **said).image)
    assert np.array_equal((made == 0).all(axis=2), box_of(made.shape, box))


def test_areas_are_those_of_the_original_where_it_was_shrunk_on_load() -> None:
    image = (pyvips.Image.black(WIDTH, HEIGHT, bands=3) + 200).cast("uchar").copy(interpretation="srgb")
    shrunk = picture(image, shrunk_from=(WIDTH * 4, HEIGHT * 4))
    made = levels_of(apply("redact", shrunk, mode="fill", areas="40,80,120,160").image)
    assert np.array_equal((made == 0).all(axis=2), box_of(made.shape, (10, 20, 40, 60)))


def test_small_regions_are_no_less_hidden() -> None:
    """A face of 16 pixels has no more than two squares on a side, whatever is asked for."""
    image = noise()
    made = levels_of(apply("redact", picture(image), areas="10,10,16,16", mode="pixelate", squares=8).image)
    assert len(np.unique(made[10:26, 10:26].reshape(-1, 3), axis=0)) == 4


def test_transparent_pixels_give_no_colour() -> None:
    clear = noise(3).bandjoin((pyvips.Image.black(WIDTH, HEIGHT) + [0]).cast("uchar"))
    seen = (pyvips.Image.black(10, 10, bands=4) + [10, 200, 30, 255]).cast("uchar")
    image = clear.insert(seen, 20, 20).copy(interpretation="srgb")
    made = apply("redact", picture(image), areas="0,0,40,40", squares=1, mode="pixelate")
    assert pixel(made, 5, 5)[:3] == pytest.approx([10, 200, 30], abs=12)
    assert pixel(made, 5, 5)[3] == pytest.approx(255 / 16, abs=1)


def test_deep_pixels_stay_deep() -> None:
    deep = (noise().cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
    made = apply("redact", picture(deep), areas="0,0,40,40", mode="fill", color="red").image
    assert (made.format, pixel(made, 3, 3)) == ("ushort", [65535, 0, 0])


def test_every_frame_hides_what_it_and_its_neighbours_show() -> None:
    frames = 8
    image = (pyvips.Image.black(WIDTH, HEIGHT * frames, bands=3) + 200).cast("uchar").copy(interpretation="srgb")
    found = (Found(Region(0, 0, 0.1, 0.1), frame=0), Found(Region(0.5, 0.5, 0.1, 0.1), frame=6))
    context = sight(faces=found)
    made = apply("redact", picture(image, frames=frames), context=context, mode="fill", margin=0)
    hidden = [[bool((levels_of(frame)[y, x] == 0).all()) for x, y in ((2, 2), (62, 47))] for frame in made.split()]
    assert [each[0] for each in hidden] == [True] * 3 + [False] * 5
    assert [each[1] for each in hidden] == [False] * 4 + [True] * 4
    assert isinstance(context.vision, Sight)
    assert context.vision.asked == [("faces", range(frames), None)]


def test_areas_are_hidden_in_every_frame() -> None:
    image = noise(height=HEIGHT * 3)
    made = apply("redact", picture(image, frames=3), areas="10,10,30,30", mode="fill")
    assert all(pixel(frame, 20, 20) == [0, 0, 0] for frame in made.split())


def test_objects_count_by_name_or_parent() -> None:
    image = (pyvips.Image.black(WIDTH, HEIGHT, bands=3) + 200).cast("uchar").copy(interpretation="srgb")
    things = (
        Found(Region(0, 0, 0.1, 0.1), name="Car", above=("Vehicle",)),
        Found(Region(0.5, 0.5, 0.1, 0.1), name="Dog", above=("Animal",)),
    )
    for labels, expected in ((None, [0, 0]), ("car", [0, 200]), ("Animal", [200, 0]), ("Tree", [200, 200])):
        said = {} if labels is None else {"labels": labels}
        made = apply("redact", picture(image), context=sight(objects=things), detect="objects", mode="fill", **said)
        assert [pixel(made, 3, 3)[0], pixel(made, 64, 48)[0]] == expected


def test_drawing_shows_the_boxes_and_hides_nothing() -> None:
    image = noise()
    made = levels_of(apply("redact", picture(image), context=sight(), draw=True, color="lime").image)
    green = (made == [0, 255, 0]).all(axis=2)
    assert green[9:11, 22:68].all()
    assert green[61:63, 22:68].all()
    assert green[9:63, 22:24].all()
    assert green[9:63, 66:68].all()
    inner = box_of(made.shape, (24, 11, 66, 61)) | ~box_of(made.shape, FACE_BOX)
    assert np.array_equal(made[inner], levels_of(image)[inner])


def test_a_hundred_overlapping_areas_take_no_longer_than_their_pixels() -> None:
    image = noise()
    areas = ",".join(f"{index % 50},{index % 40},60,50" for index in range(100))
    made = levels_of(apply("redact", picture(image), areas=areas, mode="pixelate", shape="ellipse").image)
    assert np.array_equal(made[:, 115:], levels_of(image)[:, 115:])


def test_it_comes_before_every_other_edit() -> None:
    original = noise()
    steps = edits({"crop": {"left": 60, "width": 60}, "redact": {"areas": "0,0,80,90", "mode": "fill"}})
    assert [step.feature.name for step in steps] == ["redact", "crop"]
    for order in (steps, steps[::-1]):
        made = run(original.pngsave_buffer(), order, Output(format="png"), Context())
        assert isinstance(made, Rendered)
        image: Any = pyvips.Image.new_from_buffer(made.body, "")
        assert (image.width, pixel(image, 19, 40), pixel(image, 20, 40) == pixel(original, 80, 40)) == (
            60, [0, 0, 0], True
        )  # fmt: skip


@pytest.mark.parametrize(("overlays", "hidden"), [(True, True), (False, False)])
def test_overlays_are_hidden_where_the_step_says_so(overlays: bool, hidden: bool) -> None:
    plain = (pyvips.Image.black(WIDTH, HEIGHT, bands=3) + 200).cast("uchar").copy(interpretation="srgb")
    logo = ObjectRef("", "logo.png")
    context = Context(vision=Sight(faces=(Found(FACE),)), objects={logo: noise().pngsave_buffer()})
    steps = edits({"redact": {"overlays": overlays, "mode": "fill"}, "watermark": {"key": "logo.png", "opacity": 100}})
    made = run(plain.pngsave_buffer(), steps, Output(format="png"), context)
    assert isinstance(made, Rendered)
    image: Any = pyvips.Image.new_from_buffer(made.body, "")
    assert (pixel(image, 45, 36)[:3] == [0, 0, 0]) is hidden
    assert isinstance(context.vision, Sight)
    assert [asked[2] for asked in context.vision.asked] == ([None, logo] if overlays else [None])


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"detect": "hands"}, "redact.detect"),
        ({"labels": "Car"}, "redact.labels"),
        ({"color": "transparent", "mode": "fill"}, "redact.color"),
        ({"margin": -1}, "redact.margin"),
        ({"areas": "1,2,3"}, "redact.areas"),
        ({"areas": "1,2,0,4"}, "redact.areas"),
        ({"areas": [{"left": 1}]}, "redact.areas"),
        ({"areas": []}, "redact.areas"),
        ({"areas": "1,2,3,4," * 101}, "redact.areas"),
        ({"areas": "1,2,3,4", "overlays": True}, "redact.overlays"),
        ({"squares": 9}, "redact.squares"),
    ],
)
def test_bad_parameters_are_refused_by_name(said: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameter) as error:
        edits({"redact": said})
    assert field in error.value.message


def test_an_area_outside_of_the_image_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"`redact.areas` must be regions of an image of 120 x 90 pixels"):
        apply("redact", picture(noise()), areas="120,0,10,10")
