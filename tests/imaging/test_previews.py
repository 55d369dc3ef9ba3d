"""What those who look at pictures are shown."""

from __future__ import annotations

import pytest
import pyvips
from tests import pictures
from tests.similarity import mean_difference

from imaging import DamagedSource, Deadline, Limits, TimeExceeded, UnsupportedSource, render_previews
from imaging.ops import previews
from imaging.ops.previews import _spread

SOON = Deadline()


@pytest.mark.parametrize("name", pictures.NAMES)
def test_every_input_is_shown_upright_in_three_bands(name: str) -> None:
    sample = pictures.sample(name)
    (view,) = render_previews(sample.body, Limits(), SOON, side=100)
    assert (view.bands, view.format) == (3, "uchar")
    assert max(view.width, view.height) <= 100
    if sample.format not in ("ico", "svg") and not sample.alpha and sample.bands == 3 and not sample.profile:
        assert (view.width, view.height) == (100, 75)
        assert mean_difference(view, pictures.scene().thumbnail_image(100)) < sample.tolerance + 4


@pytest.mark.parametrize("name", ["webp-animated", "gif-animated", "tiff-pages", "ico"])
def test_of_several_pages_several_are_shown(name: str) -> None:
    body = pictures.sample(name).body
    assert len(render_previews(body, Limits(), SOON, side=100, max_frames=5)) == 3
    assert len(render_previews(body, Limits(), SOON, side=100, max_frames=2)) == 2
    assert len(render_previews(body, Limits(), SOON, side=100)) == 1


def test_five_frames_are_spread_over_an_animation() -> None:
    assert _spread(1, 5) == [None]
    assert _spread(3, 5) == [0, 1, 2]
    assert _spread(100, 5) == [0, 25, 50, 74, 99]


def test_pictures_are_reduced_and_drawings_drawn_large() -> None:
    (small,) = render_previews(pictures.jpeg(), Limits(), SOON, side=1920)
    assert (small.width, small.height) == (160, 120)
    (drawn,) = render_previews(pictures.svg(), Limits(), SOON, side=1920)
    assert (drawn.width, drawn.height) == (1920, 1440)


def test_what_is_clear_stands_on_grey() -> None:
    black = pyvips.Image.black(40, 40, bands=4).cast("uchar").copy(interpretation="srgb")
    (view,) = render_previews(bytes(black.pngsave_buffer()), Limits(), SOON, side=100)
    assert view(0, 0) == [128, 128, 128]


def test_what_cannot_be_read_is_refused_as_in_a_run() -> None:
    with pytest.raises(UnsupportedSource):
        render_previews(b"no picture", Limits(), SOON, side=100)
    with pytest.raises(DamagedSource):
        render_previews(pictures.jpeg()[:2000], Limits(), SOON, side=100)


def test_a_decoder_that_nothing_stops_gets_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    body = pictures.avif()
    (here,) = render_previews(body, Limits(), SOON, side=100)
    monkeypatch.setattr(previews, "uninterruptible_seconds", lambda *_: 1000.0)
    (there,) = render_previews(body, Limits(), Deadline.after(60), side=100)
    assert mean_difference(there, here) == 0
    with pytest.raises(TimeExceeded):
        render_previews(pictures.avif(pictures.scene(2000, 1500)), Limits(), Deadline.after(0.02), side=100)
