"""How many colours a picture gets, and why silhouette cannot tell."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import pyvips
from tests.colours import photo, report, stripes

from features.quantize._choice import clusters, distances, silhouette
from features.quantize._pixels import difference


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
