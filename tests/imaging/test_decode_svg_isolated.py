"""No drawing takes longer than its deadline or more memory than its budget, and none is parsed by this process."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.drawings import DEAR, svg

from features import edits
from imaging import (
    Context,
    Deadline,
    FeatureError,
    Limits,
    ObjectRef,
    Output,
    Rendered,
    TooLarge,
    check,
    render_previews,
    run,
)
from imaging.codecs.decode import decode, inspect, loaders

SECONDS, LATE = 2.0, 1.0
GROWTH = 150_000_000
"""Bytes by which this process may grow: it holds the file, and the pixels of an answer of 300 pixels a side."""
PNG = check(Output, {"format": "png"})


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()
    return int(pages[1]) * 4096


def refused_or_answered(original: bytes, steps: Any, output: Output, limits: Limits) -> float:
    started = time.monotonic()
    with contextlib.suppress(FeatureError):
        run(original, steps, output, Context(limits=limits, deadline=Deadline.after(SECONDS)))
    return time.monotonic() - started


@pytest.mark.slow
@pytest.mark.parametrize("name", DEAR)
def test_a_dear_drawing_is_answered_or_refused_in_time(name: str) -> None:
    original, before = DEAR[name]().encode(), resident()
    drawn = refused_or_answered(original, edits({"resize": {"width": 300}}), PNG, Limits())
    unedited = refused_or_answered(original, (), Output(), Limits())
    overlaid = time.monotonic()
    context = Context(deadline=Deadline.after(SECONDS), objects={ObjectRef("", "a.svg"): original})
    with contextlib.suppress(FeatureError):
        run(pictures.jpeg(), edits({"watermark": {"key": "a.svg", "wRatio": 50}}), PNG, context)
    assert max(drawn, unedited, time.monotonic() - overlaid) < SECONDS + LATE
    assert resident() - before < GROWTH


@pytest.mark.parametrize("name", ["20,000 namespaces", "900,000 elements"])
def test_more_parts_than_a_drawing_needs_are_refused(name: str) -> None:
    with pytest.raises(TooLarge, match=r"an SVG must (declare|have) at most"):
        inspect(DEAR[name]().encode(), Limits())


def test_memory_has_an_end() -> None:
    original = DEAR["a text of 1.2 MB"]().encode()
    with pytest.raises(TooLarge, match="an SVG must take at most 60 MB of memory") as caught:
        decode(
            original,
            inspect(original, Limits()),
            Output(),
            Context(limits=Limits(memory=60_000_000), deadline=Deadline.after(60)),
        )
    assert "_draw" in caught.value.detail


def test_processor_time_has_an_end() -> None:
    original = svg(f'<rect width="100%" height="100%" filter="{"blur(40) " * 2000}"/>', 1000).encode()
    context = Context(limits=Limits(work=1.0), deadline=Deadline.after(120))
    with pytest.raises(TooLarge, match="an SVG must take at most 1 seconds of a processor, this one takes more"):
        run(original, edits({"resize": {"width": 300}}), PNG, context)


def test_drawings_are_opened_by_another_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(_: bytes, kind: str, **__: object) -> None:
        pytest.fail(f"{kind} was opened here")

    original = pictures.svg()
    monkeypatch.setattr("imaging.codecs.decode.svg.load", opened)
    monkeypatch.setattr("imaging.codecs.decode.header.load", opened)
    monkeypatch.setattr("imaging.codecs.decode.decoder.load", opened)
    assert isinstance(run(original, (), PNG, Context()), Rendered)
    assert isinstance(run(original, (), Output(), Context()), Rendered)
    assert render_previews(original, Limits(), Deadline.after(20), side=100)
    monkeypatch.undo()
    monkeypatch.setattr("imaging.codecs.decode.svg.load", opened)
    context = Context(objects={ObjectRef("", "a.svg"): original})
    assert isinstance(run(pictures.jpeg(), edits({"watermark": {"key": "a.svg"}}), PNG, context), Rendered)


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.7])
@pytest.mark.parametrize(
    "original",
    [
        pictures.svg(),
        svg('<text x="9" y="90" font-size="40">Hello ß</text>').encode(),
        svg('<rect width="300" height="400" fill="teal" opacity=".3"/>').encode(),
    ],
)
def test_pixels_are_those_of_the_library(original: bytes, scale: float) -> None:
    picture = decode(original, inspect(original, Limits()), Output(), Context(), 1 / scale)
    here = loaders.load(original, "svg", scale=scale)
    assert (picture.width, picture.height) == (here.width, here.height)
    assert picture.image.write_to_memory() == here.write_to_memory()


def test_the_process_that_measures_a_drawing_draws_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from imaging.deadlines import killable_process

    taken: list[object] = []
    take = killable_process._server.take

    def counted(deadline: Deadline) -> object:
        taken.append(take(deadline))
        return taken[-1]

    monkeypatch.setattr(killable_process._server, "take", counted)
    original = pictures.svg()
    assert isinstance(run(original, (), PNG, Context(deadline=Deadline.after(20))), Rendered)
    assert len(taken) == 1
