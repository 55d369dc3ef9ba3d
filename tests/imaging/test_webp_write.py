"""Lossy WebP is written by Pillow's libwebp: the same bytes as libvips', within the deadline."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pictures

from features import edits
from imaging import Context, Deadline, Output, Rendered, TimeExceeded, run
from imaging.codecs import webp_write
from imaging.codecs.webp_write import encode_still
from imaging.formats import webp

NEVER = Deadline()


@pytest.fixture(autouse=True)
def _not_the_first_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webp, "_first_images", iter(()))


@settings(deadline=None, max_examples=40)
@given(
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    has_alpha=st.booleans(),
    quality=st.integers(1, 100),
    effort=st.integers(0, 6),
)
def test_the_file_is_that_of_libvips(size: tuple[int, int], has_alpha: bool, quality: int, effort: int) -> None:
    image: Any = pictures.scene(*size)
    if has_alpha:
        image = image.bandjoin(image[1]).copy_memory()
    expected = image.webpsave_buffer(Q=quality, effort=effort, keep="none")
    assert encode_still(image, quality=quality, effort=effort, deadline=NEVER) == expected


@pytest.mark.parametrize(("scale", "is_limited"), [(1, False), (2, True), (4, True)])
def test_the_last_step_of_effort_is_for_small_alpha_channels(scale: int, is_limited: bool) -> None:
    image: Any = pictures.scene(160, 120).resize(scale)
    original = image.bandjoin(image[1]).pngsave_buffer()

    def answer(effort: int) -> bytes:
        outcome = run(original, [], Output(format="webp", effort=effort), Context())
        assert isinstance(outcome, Rendered)
        return outcome.body

    assert (answer(10) == answer(9)) is is_limited


OUTPUTS = [
    Output(format="webp"),
    Output(format="webp", quality=37, effort=9),
    Output(format="webp", lossless=True),
    Output(format="webp", chroma_subsampling="4:4:4"),
    Output(format="webp", max_bytes=900),
]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("make", [pictures.jpeg, partial(pictures.png, pictures.scene_with_alpha()), pictures.gif])
def test_answers_are_those_without_the_library(make: Any, output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    original = make()

    def answer() -> bytes:
        outcome = run(original, edits({"resize": {"width": 60}}), output, Context())
        assert isinstance(outcome, Rendered)
        return outcome.body

    found = answer()
    monkeypatch.setattr(webp_write, "_encoder", lambda: None)
    assert found == answer()


def test_every_image_but_the_first_is_written_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    encode = webp_write.encode_still

    def count(image: Any, **options: Any) -> bytes | None:
        written.append(image.width)
        return encode(image, **options)

    monkeypatch.setattr(webp_write, "encode_still", count)
    monkeypatch.setattr(webp, "_first_images", iter((True,)))
    for width in (20, 30, 40):
        run(pictures.jpeg(), edits({"resize": {"width": width}}), Output(format="webp"), Context())
    assert written == [30, 40]


class ShortDeadline(Deadline, frozen=True, kw_only=True):
    """A deadline that passes while the encoder works: after it was looked at three times."""

    looks: list[int]

    def left(self) -> float:
        self.looks.append(1)
        return 1.0 if len(self.looks) <= 3 else -1.0


def test_the_deadline_stops_the_encoder() -> None:
    image: Any = pyvips.Image.gaussnoise(600, 600, seed=1).cast("uchar")
    image = image.bandjoin([image, image]).copy(interpretation="srgb")
    looks: list[int] = []
    with pytest.raises(TimeExceeded):
        encode_still(image, quality=80, effort=6, deadline=ShortDeadline(looks=looks))
    # It was stopped at once: the hook is called for each percent.
    assert len(looks) < 10
