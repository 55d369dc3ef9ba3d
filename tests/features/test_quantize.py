"""Few colours, and close to the picture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from tests.client import Client
from tests.colours import Image, apart, colours, hexes, lab, photo, report, rows, stripes
from tests.pictures import deep, film, grey, jpeg, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features import edits
from features.quantize.parameters import Quantize
from imaging import Context, Deadline, InvalidParameter, TimeExceeded, TooLarge, check
from imaging.picture import Picture


@pytest.mark.parametrize("dither", [False, True])
@pytest.mark.parametrize("most", [2, 3, 8, 16, 100, 256])
def test_no_more_colours_than_asked(most: int, dither: bool) -> None:
    reduced = apply("quantize", sequential(photo("coffee", 300)), colors=most, dither=dither)
    assert 0.8 * most <= len(colours(reduced.image)) <= most


@pytest.mark.parametrize("most", [4, 24])
def test_each_pixel_gets_the_nearest_colour(most: int) -> None:
    image = photo("rocket", 200)
    reduced = apply("quantize", picture(image), colors=most).image
    palette = np.array(sorted(colours(reduced)), np.uint8)
    far = np.linalg.norm(lab(rows(image))[:, None] - lab(palette)[None], axis=2)
    chosen = np.linalg.norm(lab(rows(image)) - lab(rows(reduced)), axis=1)
    # The table of cells, four levels wide, may take a neighbour where two are almost as near.
    assert (chosen - far.min(axis=1)).mean() < 0.1
    assert (chosen - far.min(axis=1)).max() < 4


@pytest.mark.parametrize("name", ["astronaut", "cat", "coffee", "raccoon", "retina", "rocket"])
def test_closer_than_libimagequant(name: str) -> None:
    image = photo(name)
    by_libimagequant = image.pngsave_buffer(palette=True, bitdepth=4, dither=0, effort=10)
    theirs = pyvips.Image.new_from_buffer(by_libimagequant, "").colourspace("srgb")
    assert len(colours(theirs)) == 16
    assert apart(apply("quantize", picture(image), colors=16).image, image) < 1.05 * apart(theirs, image)


def test_small_things_keep_their_colour() -> None:
    """The green in the cat's eyes is 0.2 % of a picture that is brown all over."""
    image = photo("cat")
    before, after = lab(rows(image)), lab(rows(apply("quantize", picture(image)).image))
    green = (before[:, 1] < 0) & (before[:, 2] > 15)
    assert 0.001 < green.mean() < 0.003
    brown = before[:, 1].mean()
    assert after[green, 1].mean() - before[green, 1].mean() < 0.8 * (brown - before[green, 1].mean())


def test_same_in_every_run() -> None:
    once, again = (apply("quantize", sequential(photo("cat")), dither=True).image for _ in range(2))
    assert mean_difference(once, again) == 0


@pytest.mark.parametrize("dither", [False, True])
def test_a_picture_of_few_colours_stays_as_it_is(dither: bool) -> None:
    # Two of them lie in one cell of the table.
    flat = stripes("1a73e8", "000000", "010101", "ffffff", "fefefe")
    assert mean_difference(apply("quantize", sequential(flat), colors=5, dither=dither).image, flat) == 0
    assert mean_difference(apply("quantize", sequential(flat), dither=dither).image, flat) == 0
    assert [cover["share"] for cover in report(flat)["palette"]] == [0.2] * 5


def test_what_is_clear_may_have_other_colours() -> None:
    shades = stripes("1a73e8", "000000", "010101", "c00000")
    clear = (pyvips.Image.xyz(96, 24)[0] < 72).ifthenelse(255, 0).cast("uchar")
    drawn = apply("quantize", sequential(shades.bandjoin(clear).copy(interpretation="srgb")), colors=3).image
    assert mean_difference(drawn.crop(0, 0, 72, 24)[0:3], shades.crop(0, 0, 72, 24)) == 0


def test_a_colour_too_rare_to_be_seen_does_not_come_back() -> None:
    flat = stripes("102030", "a0b0c0", side=700).draw_rect([255, 0, 0], 3, 3, 1, 1, fill=True)
    assert colours(apply("quantize", sequential(flat), colors=2).image) == {(16, 32, 48), (160, 176, 192)}


def test_flat_areas_keep_their_very_colour() -> None:
    flat = stripes("1a73e8", "e8a01a", "22aa44", "ffffff", "101010", side=100)
    soft = flat.gaussblur(1.5).copy_memory()
    assert len(colours(soft)) > 16
    kept = hexes(apply("quantize", picture(soft), colors=8).image)
    assert {"#1a73e8", "#e8a01a", "#22aa44", "#ffffff", "#101010"} <= kept


def test_alpha_is_kept_and_what_is_clear_does_not_count() -> None:
    image = scene_with_alpha()
    reduced = apply("quantize", sequential(image), colors=6).image
    assert mean_difference(reduced[3], image[3]) == 0
    hidden = stripes("c02030", "1040a0").bandjoin((pyvips.Image.xyz(48, 24)[0] < 24).ifthenelse(255, 0).cast("uchar"))
    assert report(hidden, colors=2)["palette"] == [{"color": "#c02030", "share": 1.0}]


def test_what_is_clear_lends_no_error_to_its_neighbours() -> None:
    left = (pyvips.Image.xyz(96, 48)[0] < 48).ifthenelse(255, 0).cast("uchar")
    half = pyvips.Image.arrayjoin([stripes("808080", side=48), stripes("00ff00", side=48)]).bandjoin(left)
    dithered = apply("quantize", sequential(half.copy(interpretation="srgb")), colors=2, dither=True).image
    assert mean_difference(dithered.crop(0, 0, 48, 48), half.crop(0, 0, 48, 48)) == 0


@pytest.mark.parametrize("said", [{}, {"criterion": "silhouette"}, {"colors": 4}, {"dither": True}])
def test_a_clear_picture_stays_clear(said: dict[str, Any]) -> None:
    clear = stripes("c02030").bandjoin(0).copy(interpretation="srgb")
    assert apply("quantize", sequential(clear), **said).image.bands == 4
    assert report(clear, **said) == {"colors": 0, "palette": [], "difference": 0.0, "criterion": None, "tried": []}


@pytest.mark.parametrize("dither", [False, True])
@pytest.mark.parametrize(
    "image",
    [scene(), scene_with_alpha(), grey(), grey().bandjoin(128), deep(), deep(scene_with_alpha())],
    ids=["rgb", "alpha", "grey", "grey-alpha", "16", "16-alpha"],
)
def test_every_kind_of_picture(image: Image, dither: bool) -> None:
    reduced = apply("quantize", sequential(image), colors=16, dither=dither).image
    assert (reduced.bands, reduced.format) == (image.bands, "uchar")
    assert reduced.interpretation == ("b-w" if image.bands < 3 else "srgb")
    assert len(colours(reduced)) <= 16
    eight = image if image.format == "uchar" else image.colourspace("srgb")
    assert mean_difference(reduced, eight) < 20


@pytest.mark.parametrize("dither", [False, True])
def test_frames_share_one_palette(dither: bool) -> None:
    reduced = apply("quantize", picture(film(), frames=3), colors=8, dither=dither)
    assert (reduced.frames, reduced.delays, reduced.height) == (3, (100, 100, 100), 120)
    assert len(colours(reduced.image)) <= 8
    assert mean_difference(reduced.image, film()) < 40


def test_frames_are_dithered_alone() -> None:
    still = pyvips.Image.arrayjoin([scene(), scene(), scene()], across=1)
    first, second, third = apply("quantize", picture(still, frames=3), colors=5, dither=True).split()
    assert mean_difference(first, second) == mean_difference(first, third) == 0


@pytest.mark.parametrize("name", ["astronaut", "cat", "rocket"])
def test_dithering_comes_closer_from_a_distance(name: str) -> None:
    image = photo(name)
    plain, mixed = (apply("quantize", picture(image), colors=16, dither=dither).image for dither in (False, True))

    def off(reduced: Image) -> float:
        return mean_difference(reduced.shrink(8, 8), image.shrink(8, 8))

    assert off(mixed) < 0.7 * off(plain)


# --- the report


def test_the_report_tells_the_colours_of_the_picture() -> None:
    image = photo("rocket")
    said = report(image, colors=12)
    shares = [cover["share"] for cover in said["palette"]]
    reduced = apply("quantize", picture(image), colors=12).image
    assert said["colors"] == len(said["palette"]) == 12
    assert {cover["color"] for cover in said["palette"]} == hexes(reduced)
    assert sum(shares) == pytest.approx(1, abs=0.001)
    assert shares == sorted(shares, reverse=True)
    largest = tuple(bytes.fromhex(said["palette"][0]["color"][1:]))
    counted = (rows(reduced) == largest).all(axis=1).mean()
    assert shares[0] == pytest.approx(counted, abs=0.001)


def test_a_grey_picture_has_grey_colours() -> None:
    said = report(grey())
    assert all(len({cover["color"][at : at + 2] for at in (1, 3, 5)}) == 1 for cover in said["palette"])


def test_by_address(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(jpeg(scene()))
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    told = client.get("/cat.jpg?feature=quantize&colors=5&palette=true")
    assert told.status == 200
    assert told.headers["Content-Type"].startswith("application/json")
    assert told.json()["colors"] == 5
    shown = client.get("/cat.jpg?quantize=5&format=png&width=80")
    assert len(colours(pyvips.Image.new_from_buffer(shown.body, ""))) == 5
    auto = client.get("/cat.jpg?quantize=auto&format=png")
    assert len(colours(pyvips.Image.new_from_buffer(auto.body, ""))) in range(8, 33)
    assert client.get("/cat.jpg?quantize=auto&difference=3&minColors=4&criterion=difference").status == 200
    refused = client.get("/cat.jpg?quantize=8&difference=3")
    assert refused.status == 400
    assert "`quantize.difference` must be left out with colors=8" in refused.json()["message"]
    assert client.get("/cat.jpg?feature=quantize,info&palette=true").status == 400
    assert client.get("/cat.jpg?feature=quantize,info").json()["format"] == "jpeg"
    # Without the feature both names are the output's.
    assert client.get("/cat.jpg?palette=true&colors=4&format=png").headers["Content-Type"] == "image/png"


def test_always_comes_before_its_report_and_after_its_picture(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(jpeg(scene()))
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}", "ALWAYS": '{"grayscale": true}'})
    told = client.get("/cat.jpg?quantize=5&quantize.palette=true").json()
    assert all(cover["color"][1:3] == cover["color"][3:5] for cover in told["palette"])


# --- what is refused


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"colors": "1"}, r"`quantize.colors` must be a whole number from 2 to 256, got '1'"),
        ({"colors": "257"}, r"`quantize.colors` must be a whole number from 2 to 256, got '257'"),
        ({"colors": "many"}, r"`quantize.colors` must be a whole number from 2 to 256, got 'many'"),
        ({"criterion": "knee"}, r"`quantize.criterion` must be one of difference, silhouette, got 'knee'"),
        ({"difference": "0"}, r"`quantize.difference` must be a number above 0 of at most 50, got '0'"),
        ({"minColors": "9", "maxColors": "8"}, r"`quantize.minColors` must be at most maxColors, 8, got 9"),
        ({"minColors": "33"}, r"`quantize.minColors` must be at most maxColors, 32, got 33"),
        ({"colors": "8", "difference": "3"}, r"`quantize.difference` must be left out with colors=8, got 3"),
        # What would be the default is refused too: one who says it wants something of it.
        ({"colors": "8", "difference": "4"}, r"`quantize.difference` must be left out with colors=8, got 4"),
        ({"colors": "8", "criterion": "difference"}, r"`quantize.criterion` must be left out with colors=8, got 'diff"),
        ({"colors": "8", "minColors": "4"}, r"`quantize.minColors` must be left out with colors=8, got 4"),
        ({"colors": "8", "maxColors": "16"}, r"`quantize.maxColors` must be left out with colors=8, got 16"),
        (
            {"criterion": "silhouette", "difference": "3"},
            r"`quantize.difference` must be left out with criterion=silhouette, got 3",
        ),
        ({"dither": "2"}, r"`quantize.dither` must be true or false, got '2'"),
    ],
)
def test_refuses(said: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        check(Quantize, said, where="quantize", text=True)


@pytest.mark.parametrize(
    ("value", "text"), [("auto", True), ("AUTO", True), ("", True), ("auto", False), (None, False)]
)
def test_auto_is_a_word_for_no_number(value: object, text: bool) -> None:
    assert check(Quantize, {"colors": value}, text=text) == Quantize()


def test_two_reports_are_one_too_many() -> None:
    with pytest.raises(InvalidParameter, match=r"`quantize` must be left out, because `info` is already a report"):
        edits({"info": True, "quantize": {"palette": True}})


def test_stops_at_the_deadline() -> None:
    with pytest.raises(TimeExceeded):
        apply("quantize", picture(scene()), context=Context(deadline=Deadline.after(0)))


def test_keeps_within_memory() -> None:
    with pytest.raises(TooLarge, match="must fit into 0 MB"):
        apply("quantize", Picture(scene(), picture(scene()).source, room=1000), colors=4)


def test_needs_neither_scipy_nor_scikit_learn() -> None:
    program = (
        "import sys; from features import *; from imaging import *; from tests.pictures import jpeg;"
        "run(jpeg(), edits({'quantize': {'criterion': 'silhouette', 'dither': True}}), Output(), Context());"
        "print([name for name in ('scipy', 'sklearn', 'skimage', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
