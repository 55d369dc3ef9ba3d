"""Few colours, close to the picture, and as many as it takes."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from tests.client import Client
from tests.pictures import deep, film, grey, jpeg, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features import Context, Deadline, InvalidParameter, Output, Report, TimeExceeded, TooLarge, check, edits, run
from features._picture import Picture
from features.quantize import Quantize, quantize
from features.quantize._choice import clusters, distances, silhouette
from features.quantize._pixels import difference

Image = Any
SAMPLES = Path(__file__).parents[2] / "samples"


def photo(name: str, width: int = 400) -> Image:
    """A sample, reduced and in memory."""
    return pyvips.Image.thumbnail(str(SAMPLES / "photos" / f"{name}.jpg"), width).copy_memory()


def rows(image: Image) -> NDArray[np.uint8]:
    """All pixels, without alpha, one a row."""
    return np.asarray(image.numpy()).reshape(-1, image.bands)[:, : image.bands - image.hasalpha()]


def colours(image: Image) -> set[tuple[int, ...]]:
    return {tuple(map(int, row)) for row in np.unique(rows(image), axis=0)}


def hexes(image: Image) -> set[str]:
    return {"#" + bytes(row).hex() for row in colours(image)}


def lab(colour: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIELAB of rows of sRGB, by the formulas of IEC 61966-2-1 and CIE 15, D65."""
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    scaled = xyz / [0.9505, 1.0, 1.089]
    bent = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = bent.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def apart(one: Image, other: Image) -> float:
    """Mean colour difference (CIE 1976) of two pictures."""
    return float(np.linalg.norm(lab(rows(one)) - lab(rows(other)), axis=1).mean())


def report(image: Image, **said: Any) -> dict[str, Any]:
    asked = check(Quantize, {"palette": True, **said})
    outcome = quantize.apply(picture(image), asked, Context())
    assert isinstance(outcome, Report)
    return outcome.content


def stripes(*shades: str, side: int = 24) -> Image:
    """Stripes of these colours, as wide as high."""
    parts = [
        pyvips.Image.black(side, side, bands=3).linear([1], list(bytes.fromhex(shade)), uchar=True) for shade in shades
    ]
    return pyvips.Image.arrayjoin(parts).copy(interpretation="srgb").copy_memory()


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


# --- how many colours


def test_auto_takes_the_fewest_that_are_close_enough() -> None:
    image = photo("coffee")
    said = report(image)
    assert said["criterion"] == "difference"
    assert said["difference"] <= 4
    scores = {tried["colors"]: tried["score"] for tried in said["tried"]}
    assert scores[said["colors"]] == pytest.approx(said["difference"], abs=0.01)
    assert all(score > 4 for colors, score in scores.items() if colors < said["colors"])
    fewer = report(image, colors=said["colors"] - 1)
    assert fewer["difference"] > 4
    assert fewer["criterion"] is None
    assert fewer["tried"] == []


def test_the_difference_is_that_of_ciede2000() -> None:
    # Rows of the test data of Sharma, Wu and Dalal (2005), the farthest first.
    far = {
        (50, 2.5, 0, 58, 24, 15): 19.4535,
        (50, -1.3802, -84.2814, 50, 0, -82.7485): 1.0,
        (2.0776, 0.0795, -1.135, 0.9033, -0.0636, -0.5514): 0.9082,
    }
    for pair, expected in far.items():
        one, other = np.array(pair, np.float32).reshape(2, 1, 3)
        assert difference(one, other)[0] == pytest.approx(expected, abs=1e-3)


def test_stricter_takes_more() -> None:
    found = [report(photo("cat"), difference=target, minColors=2, maxColors=256)["colors"] for target in (12, 6, 4, 2)]
    assert all(fewer < more for fewer, more in pairwise(found))


def test_colourful_pictures_get_more() -> None:
    found = {name: report(photo(name))["colors"] for name in ("retina", "coffee", "astronaut")}
    assert found["retina"] < found["coffee"] < found["astronaut"]


@pytest.mark.parametrize(("least", "most"), [(2, 2), (5, 9), (40, 40), (2, 256)])
@pytest.mark.parametrize("criterion", ["difference", "silhouette"])
def test_the_range_holds(criterion: str, least: int, most: int) -> None:
    said = report(photo("raccoon", 200), criterion=criterion, minColors=least, maxColors=min(most, 64))
    assert least - 1 <= said["colors"] <= most
    assert {least <= tried["colors"] <= most for tried in said["tried"]} == {True}


def _silhouette(points: list[list[float]], labels: list[int]) -> float:
    """By the definition of Rousseeuw (1987)."""
    scores = []
    for point, label in zip(points, labels, strict=True):
        far: dict[int, list[float]] = {}
        for other, theirs in zip(points, labels, strict=True):
            if other is not point:
                far.setdefault(theirs, []).append(math.dist(point, other))
        if label not in far:
            scores.append(0.0)
            continue
        within = sum(far[label]) / len(far[label])
        between = min(sum(each) / len(each) for theirs, each in far.items() if theirs != label)
        scores.append((between - within) / max(within, between))
    return sum(scores) / len(scores)


@pytest.mark.parametrize("count", [2, 3, 7, 20])
def test_silhouette_is_rousseeuws(count: int) -> None:
    points = np.random.default_rng(count).normal(50, 20, (60, 3)).astype(np.float32)
    labels = np.arange(60) % count
    labels[7] = count + 5  # alone
    expected = _silhouette(points.tolist(), labels.tolist())
    assert silhouette(distances(points), labels) == pytest.approx(expected, abs=1e-4)


def test_silhouette_is_that_of_scikit_learn() -> None:
    # sklearn.metrics.silhouette_score 1.9.1 of these points and labels
    points = np.array([[0, 0, 0], [1, 2, 0], [2, 0, 1], [10, 9, 8], [11, 8, 9], [30, 1, 2], [31, 0, 0]], np.float32)
    assert silhouette(distances(points), np.array([0, 0, 0, 1, 1, 2, 2])) == pytest.approx(0.8689963, abs=1e-6)


def test_silhouette_of_one_cluster_is_nothing() -> None:
    assert silhouette(distances(np.zeros((4, 3), np.float32)), np.zeros(4, np.int64)) == 0


def test_silhouette_finds_groups_that_are_apart() -> None:
    """Twelve flat colours with a little noise: what it was made for."""
    shades = [
        "c02030",
        "1040a0",
        "22aa44",
        "ffffff",
        "101010",
        "e8a01a",
        "802080",
        "00c0c0",
        "806040",
        "ff80c0",
        "606060",
        "c0ff40",
    ]
    noise = pyvips.Image.gaussnoise(40 * len(shades), 40, sigma=2, mean=0, seed=1)
    noisy = (stripes(*shades, side=40) + noise).cast("uchar").copy(interpretation="srgb")
    assert report(noisy, criterion="silhouette")["colors"] == 12


def test_silhouette_of_a_cloud_without_gaps_tells_no_number_from_another() -> None:
    """Why the plain way ends at the least number: docs/quantize.md."""
    cloud = np.random.default_rng(1).uniform((20, -60, -60), (90, 60, 60), (1000, 3)).astype(np.float32)
    scores = [silhouette(distances(cloud), clusters(cloud, count)) for count in range(8, 33)]
    assert max(scores) - min(scores) < 0.06


@pytest.mark.parametrize("name", ["astronaut", "coffee", "raccoon", "rocket"])
def test_silhouette_ends_at_the_least_number_or_near_it(name: str) -> None:
    said = report(photo(name), criterion="silhouette")
    scores = [tried["score"] for tried in said["tried"]]
    assert said["colors"] <= 10
    assert scores[0] > scores[8] > scores[24]


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
    assert client.get("/cat.jpg?feature=quantize,info&palette=true").status == 400
    assert client.get("/cat.jpg?feature=quantize,info").json()["format"] == "jpeg"
    # Without the feature both names are the output's.
    assert client.get("/cat.jpg?palette=true&colors=4&format=png").headers["Content-Type"] == "image/png"


def test_always_comes_before_its_report_and_after_its_picture(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(jpeg(scene()))
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}", "ALWAYS": '{"grayscale": true}'})
    told = client.get("/cat.jpg?quantize=5&quantize.palette=true").json()
    assert all(cover["color"][1:3] == cover["color"][3:5] for cover in told["palette"])


def test_a_palette_png_of_it_holds_the_very_colours() -> None:
    rendered = run(jpeg(scene()), edits({"quantize": 12}), Output(format="png", palette=True), Context())
    assert not isinstance(rendered, Report)
    plain = run(jpeg(scene()), edits({"quantize": 12}), Output(format="png"), Context())
    assert not isinstance(plain, Report)
    one, other = (pyvips.Image.new_from_buffer(each.body, "").colourspace("srgb") for each in (rendered, plain))
    assert mean_difference(one, other) == 0
    assert len(rendered.body) < len(plain.body)


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
    with pytest.raises(InvalidParameter, match=r"`quantize` must be left out: `info` reports already"):
        edits({"info": True, "quantize": {"palette": True}})


def test_stops_at_the_deadline() -> None:
    with pytest.raises(TimeExceeded):
        apply("quantize", picture(scene()), context=Context(deadline=Deadline.after(0)))


def test_keeps_within_memory() -> None:
    with pytest.raises(TooLarge, match="must fit into 0 MB"):
        apply("quantize", Picture(scene(), picture(scene()).source, room=1000), colors=4)


def test_needs_neither_scipy_nor_scikit_learn() -> None:
    program = (
        "import sys; from features import *; from tests.pictures import jpeg;"
        "run(jpeg(), edits({'quantize': {'criterion': 'silhouette', 'dither': True}}), Output(), Context());"
        "print([name for name in ('scipy', 'sklearn', 'skimage', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
