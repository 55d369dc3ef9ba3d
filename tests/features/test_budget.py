"""What a whole run takes is reckoned before the first pixel, and refused at once where that is too much."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pyvips
from bench.costs import CASES
from tests import pictures

from features import CATALOGUE, edits
from imaging import Context, Feature, Limits, ObjectRef, Output, Rendered, Step, TooLarge, run
from imaging.codecs.decode import inspect
from imaging.cost import Pending, Shape
from imaging.pipeline.budget import refuse_beyond_budget

ROOT = Path(__file__).resolve().parents[2]
LOGO = ObjectRef("", "logo.png")
PHOTO = pictures.jpeg(pictures.scene(1200, 800))
OVER = 1.15
"""Of the budget, that a process may take at its peak."""


def repeated(said: dict[str, object], times: int) -> tuple[Step, ...]:
    return edits(said) * times


def refused(original: bytes, steps: tuple[Step, ...], context: Context) -> str:
    """Why; and it is said before anything was decoded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imaging.pipeline.apply.decode", lambda *_, **__: pytest.fail("it has been decoded"))
        with pytest.raises(TooLarge) as error:
            run(original, steps, Output(), context)
    return error.value.message


def test_the_table_has_every_feature_and_its_figures_are_near_the_measured_ones() -> None:
    assert CASES.keys() == {feature.name for feature in CATALOGUE}
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in (ROOT / "bench/COSTS.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| feature ")
    ]
    assert [row[0] for row in rows] == [feature.name for feature in CATALOGUE for _ in CASES[feature.name]]
    for row in rows:
        if row[4] != "–":
            assert 0.5 <= float(row[4]) <= 2.5, row
        if row[7] != "–":
            assert float(row[7]) >= 0.5, row


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_every_feature_declares_what_it_takes(feature: Feature) -> None:
    shape = Shape(1000, 800)
    for said in CASES[feature.name]:
        (step, *_) = (step for step in edits({feature.name: said}) if step.feature is feature)
        cost = feature.cost(step.params, shape)
        assert cost.seconds > 0
        assert cost.memory >= 0
        if feature.size is not None:
            assert min(feature.size(step.params, shape.size, (10, 10))) > 0


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"blur": {"sigma": 31.9, "minAmplitude": 0.001, "precision": "float"}}, "blur"),
        ({"convolve": [1] * 441}, "convolve"),
        ({"clahe": {"width": 40, "height": 40}}, "clahe"),
    ],
)
def test_more_work_than_the_budget_is_refused_at_once(said: dict[str, object], named: str) -> None:
    why = refused(PHOTO, repeated(said, 32), Context(limits=Limits(work=3)))
    assert re.search(
        rf"may take 3 seconds of a processor, with `{named}` as step \d+ of 32 this one would take about [3-9]", why
    ), why


def test_more_memory_than_the_budget_is_refused_at_once() -> None:
    why = refused(PHOTO, edits({"resize": {"width": 8000}, "rotate": 10}), Context(limits=Limits(memory=200_000_000)))
    assert re.search(r"may take 200 MB of memory, with `rotate` as step 2 of 2 this one would take about \d+ MB", why)


def test_encoding_counts_too() -> None:
    why = refused(PHOTO, edits({"resize": {"width": 3000}}), Context(limits=Limits(work=0.2)))
    assert "with its encoding as jpeg" in why or "with `resize`" in why
    with pytest.raises(TooLarge, match="with its encoding as avif this one would take about"):
        run(PHOTO, (), Output(format="avif", effort=10), Context(limits=Limits(work=2)))


def test_the_number_of_steps_and_of_overlays_is_bounded() -> None:
    assert refused(PHOTO, repeated({"negate": True}, 65), Context()) == "a request may have 64 steps, got 65"
    context = Context(objects={LOGO: pictures.png()})
    steps = repeated({"watermark": {"key": "logo.png"}}, 17)
    assert refused(PHOTO, steps, context) == "a request may lay 16 pictures over another, got 17"


def test_the_pixels_of_overlays_count() -> None:
    plain: Any = pyvips.Image.black(9000, 9000, bands=3).copy(interpretation="srgb")
    context = Context(limits=Limits(memory=300_000_000), objects={LOGO: bytes(plain.pngsave_buffer())})
    for said in ({"boolean": {"key": "logo.png", "operator": "and"}}, {"frame": "logo.png"}):
        assert "MB of memory, with `" in refused(PHOTO, edits(said), context)
    run(PHOTO, edits({"watermark": {"key": "logo.png"}}), Output(), context)


@pytest.mark.parametrize("name", ["removeBackground", "smartCropping", "redEye", "redact"])
def test_models_are_within_the_default_budgets(name: str) -> None:
    """Of a camera's picture, whose decoder cannot shrink on load."""
    original = pictures.png(pictures.scene(4000, 3000), compression=1)
    source = inspect(original, Limits())
    said = {"width": 800, "height": 800} if name == "smartCropping" else True
    context = Context(limits=Limits(work=0.7 * 28))
    refuse_beyond_budget(original, source, edits({name: said}), Output(format="webp"), context, 1.0)


def test_pixels_are_held_only_where_neighbours_are_looked_at_twice() -> None:
    once = Pending().then(1)
    assert not once.must_be_held("neighbours", 2), "a resize and one such step are computed in one pass"
    assert once.then(2).must_be_held("neighbours", 2)
    assert not once.then(2).must_be_held("pixels", 0)
    assert not Pending().must_be_held("whole", 2)
    assert once.must_be_held("whole", 2)


def test_held_pixels_are_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = edits({"blur": 2}) + edits({"sharpen": 1}) + edits({"median": 3}) + edits({"rotate": 20})
    held = run(PHOTO, steps, Output(format="png"), Context())
    monkeypatch.setattr(Pending, "must_be_held", lambda *_: False)
    assert held == run(PHOTO, steps, Output(format="png"), Context())


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1)])
@pytest.mark.parametrize("name", ["curve", "equalise", "normalise", "tint"])
def test_pictures_of_one_pixel_a_side_keep_their_colours(name: str, size: tuple[int, int]) -> None:
    """libvips takes what is one pixel wide for a histogram, unless it is told otherwise."""
    said = {"curve": "0,0,64,40,192,220,255,255", "tint": "red"}.get(name, True)
    for after in ("grayscale", "modulate"):
        steps = edits({name: said}) + edits({after: {}})
        made = run(pictures.png(pictures.scene(*size)), steps, Output(format="png"), Context())
        assert isinstance(made, Rendered)
        assert (made.width, made.height) == size


def chains(seed: int, count: int, seconds: float) -> list[dict[str, Any]]:
    """Random chains in a process of their own, whose memory ends at 4 GB."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.features.chains", str(seed), str(count)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "MALLOC_ARENA_MAX": "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert (ran.returncode, len(rows)) == (0, count), ran.stderr[-1000:]
    return rows


def assert_within_budgets(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert row["bytes"] <= OVER * row["budget"], row
    answered = [row for row in rows if row["outcome"] == "200"]
    assert answered, "all are refused"
    assert len(answered) < len(rows), "none is refused"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, which only Linux has")
def test_some_random_chains_stay_within_the_budget() -> None:
    assert_within_budgets(chains(seed=7, count=12, seconds=200))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, which only Linux has")
def test_many_random_chains_stay_within_the_budget() -> None:
    assert_within_budgets(chains(seed=1000, count=400, seconds=2900))
