"""Several results of one original: the pixels are decoded once, and each result is that of a run of its own."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests import pictures

from features import edits
from imaging import Context, DamagedSource, FeatureError, Job, Limits, Output, Rendered, Report, TooLarge, run, run_each
from imaging.codecs.decode import decoder

SIZES = (20, 60, 120)


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The formats of the images whose pixels are opened, by libvips or by a decoder of ours."""
    opened: list[str] = []
    loaded: Any = decoder._loaded

    def count(original: bytes, source: Any, *args: Any) -> Any:
        opened.append(source.format)
        return loaded(original, source, *args)

    monkeypatch.setattr(decoder, "_loaded", count)
    return opened


def srcset(context: Context | None = None) -> list[Job]:
    """Three widths in three formats, and the facts."""
    context = context or Context()
    jobs = [
        Job(edits({"resize": {"width": width}}), Output(format=name), context)
        for width in SIZES
        for name in ("jpeg", "webp", "png")
    ]
    return [*jobs, Job(edits({"info": True}), Output(), context)]


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "svg"])
def test_widths_and_formats_take_one_decoding(name: str, decodings: list[str]) -> None:
    original = pictures.sample(name).body
    outcomes = dict(run_each(original, srcset()))
    assert decodings == [name]
    for number, (width, media_type) in enumerate((width, kind) for width in SIZES for kind in ("jpeg", "webp", "png")):
        outcome = outcomes[number]
        assert isinstance(outcome, Rendered)
        assert (outcome.width, outcome.media_type) == (width, f"image/{media_type}")
    facts = outcomes[9]
    assert isinstance(facts, Report)
    assert facts.content["format"] == name


@pytest.mark.parametrize("name", ["jpeg", "png"])
def test_each_result_looks_like_that_of_a_run_of_its_own(name: str) -> None:
    original = pictures.sample(name).body
    jobs = srcset()[:9]
    for number, outcome in run_each(original, jobs):
        alone = run(original, jobs[number].steps, jobs[number].output, jobs[number].context)
        assert isinstance(outcome, Rendered)
        assert isinstance(alone, Rendered)
        one, other = (pyvips.Image.new_from_buffer(each.body, "") for each in (outcome, alone))
        # A run of its own lets the decoder of JPEG shrink more; the shared pixels are sharper.
        assert (one - other).abs().avg() < 4


def test_an_original_that_needs_no_change_is_not_decoded(decodings: list[str]) -> None:
    original = pictures.jpeg()
    ((_, outcome),) = run_each(original, [Job((), Output(), Context())])
    assert isinstance(outcome, Rendered)
    assert decodings == []


def test_moving_and_still_results_of_an_animation_take_one_decoding_each(decodings: list[str]) -> None:
    small = edits({"resize": {"width": 20}})
    jobs = [Job(small, Output(format=name), Context()) for name in ("webp", "gif", "jpeg", "png")]
    outcomes = dict(run_each(pictures.sample("gif-animated").body, jobs))
    frames = [outcome.frames for _, outcome in sorted(outcomes.items()) if isinstance(outcome, Rendered)]
    assert frames[:2] == [3, 3]
    assert frames[2:] == [1, 1]
    assert len(decodings) == 2


def test_an_error_of_one_result_leaves_the_others() -> None:
    limits = Limits(result_side=100)
    jobs = [Job(edits({"resize": {"width": width}}), Output(format="png"), Context(limits)) for width in (50, 500)]
    outcomes = dict(run_each(pictures.png(), jobs))
    assert isinstance(outcomes[0], Rendered)
    assert isinstance(outcomes[1], TooLarge)


def test_pixels_that_do_not_fit_into_memory_are_not_shared(decodings: list[str]) -> None:
    original = pictures.png(pictures.scene(3000, 2000))
    context = Context(Limits(memory=85_000_000))
    jobs = [Job(edits({"resize": {"width": width}}), Output(format="jpeg"), context) for width in (20, 60)]
    outcomes = dict(run_each(original, jobs))
    assert all(isinstance(outcome, Rendered) for outcome in outcomes.values())
    assert len(decodings) >= 2


@pytest.mark.parametrize("body", [b"no image", pictures.jpeg()[:-300]], ids=["no image", "cut off"])
def test_an_original_that_cannot_be_read(body: bytes) -> None:
    with pytest.raises(FeatureError) as error:
        [*run_each(body, srcset())]
    assert not isinstance(error.value, DamagedSource) or body != b"no image"
