"""Colours of half-clear edges, where what was mixed is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pyvips
from tests import similarity

from features.remove_background import edges
from imaging.context import Deadline
from imaging.errors import TimeExceeded

SUBJECT, BACKGROUND = [200.0, 60.0, 40.0], [30.0, 200.0, 90.0]
SIDE = 400


def soft_disc(side: int = SIDE) -> Any:
    """Alpha that falls from 255 to 0 over 40 pixels around a circle."""
    across, down = pyvips.Image.xyz(side, side).bandsplit()
    distance = ((across - side / 2) ** 2 + (down - side / 2) ** 2) ** 0.5
    return ((distance - side * 0.3) * (-255 / 40) + 255).cast("uchar")


def plain(colour: list[float], side: int = SIDE) -> Any:
    return (pyvips.Image.black(side, side, bands=3) + colour).copy(interpretation="srgb")


def mixed(alpha: Any) -> Any:
    share = alpha / 255
    return (plain(SUBJECT) * share + plain(BACKGROUND) * (1 - share)).rint().cast("uchar").copy(interpretation="srgb")


def visible_error(found: Any, alpha: Any) -> float:
    """Mean difference to the subject's own colour, weighed by how much of it is seen, over half-clear pixels."""
    weight = ((alpha > 0) & (alpha < 255)) / 255 * (alpha / 255)
    difference = (found[:3] - plain(SUBJECT)).abs().bandmean()
    return float((difference * weight).avg() / weight.avg())


def test_the_old_background_is_taken_out() -> None:
    alpha = soft_disc()
    before, after = visible_error(mixed(alpha), alpha), visible_error(edges.decontaminate(mixed(alpha), alpha), alpha)
    assert before > 40
    assert after < 4


def test_what_is_opaque_stays_as_it_is() -> None:
    alpha = soft_disc()
    noise: Any = pyvips.Image.gaussnoise(SIDE, SIDE, mean=128, sigma=40, seed=3)
    image = noise.bandjoin([noise * 0.8, noise * 1.1]).cast("uchar").copy(interpretation="srgb")
    opaque = alpha == 255
    difference = (edges.decontaminate(image, alpha)[:3].cast("float") - image).abs().bandmean()
    assert (opaque.ifthenelse(difference, 0)).max() == 0


def test_nothing_of_the_background_leaves_under_clear_pixels() -> None:
    alpha = soft_disc()
    for found in (edges.decontaminate(mixed(alpha), alpha), edges.clear_transparent(mixed(alpha), alpha)):
        assert (alpha == 0).ifthenelse(found, 0).max() == 0
        assert (found.bands, found.format, found.interpretation) == (4, "uchar", "srgb")
        assert (found[3] - alpha).abs().max() == 0


def test_any_shape_and_the_smallest_picture() -> None:
    for width, height in ((1, 1), (3, 200), (700, 20), (161, 160)):
        image = plain(SUBJECT, 1).resize(width, vscale=height, kernel="nearest").cast("uchar")
        alpha = pyvips.Image.black(width, height) + 128
        found = edges.decontaminate(image, alpha.cast("uchar"))
        assert (found.width, found.height) == (width, height)
        assert similarity.mean_difference(found[:3], image) < 3


def test_the_treatment_ends_at_the_deadline() -> None:
    alpha = soft_disc()
    with pytest.raises(TimeExceeded):
        edges.decontaminate(mixed(alpha), alpha, Deadline.after(-1))


def test_masks_that_hide_all_or_nothing() -> None:
    image = mixed(soft_disc())
    clear, opaque = (pyvips.Image.black(SIDE, SIDE) + level for level in (0, 255))
    assert edges.decontaminate(image, clear.cast("uchar")).max() == 0
    assert similarity.mean_difference(edges.decontaminate(image, opaque.cast("uchar"))[:3], image) == 0


def test_the_difference_is_enlarged_and_weighed_as_in_floating_point() -> None:
    noise: Any = pyvips.Image.gaussnoise(330, 210, mean=128, sigma=60, seed=5)
    image = noise.bandjoin([noise * 0.6, noise * 1.2]).cast("uchar").copy(interpretation="srgb")
    alpha = pyvips.Image.gaussnoise(330, 210, mean=128, sigma=90, seed=6).cast("uchar")
    halves = edges._colour_difference(image, alpha).astype(float)
    halves = np.apply_along_axis(_interpolated, 1, np.apply_along_axis(_interpolated, 0, halves, 210), 330)
    pixels, levels, cut = (_array(each) for each in (image, alpha, edges.decontaminate(image, alpha)))
    expected = np.clip(pixels + 2 * halves * (1 - levels / 255), 0, 255) * (levels > 0)
    assert np.abs(cut[..., :3] - expected).max() <= 6
    assert np.abs(cut[..., :3] - expected).mean() < 1.5


def _array(image: Any) -> Any:
    return np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, -1)


def _interpolated(line: Any, length: int) -> Any:
    at = (np.arange(length) + 0.5) * len(line) / length - 0.5
    return np.interp(at, np.arange(len(line)), line)
