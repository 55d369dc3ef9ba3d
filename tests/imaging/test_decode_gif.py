"""Frames of a GIF that leave parts of the canvas undrawn, or are disposed of, are clear there, as in browsers."""

from __future__ import annotations

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import odd_files, pictures
from tests.odd_files import Drawn

from imaging import Context, Limits, Output, TooLarge
from imaging.codecs.decode import decode, inspect

WIDTH, HEIGHT = 12, 9


def frames_of(original: bytes, output: Output) -> list[list[tuple[int, ...]]]:
    """The pixels of each frame as red, green, blue and alpha; those of clear ones are 0."""
    picture = decode(original, inspect(original, Limits()), output, Context())
    image = picture.image if picture.image.hasalpha() else picture.image.bandjoin(255)
    body = bytes(image.write_to_memory())
    pixels = [tuple(body[at : at + 4]) if body[at + 3] else (0, 0, 0, 0) for at in range(0, len(body), 4)]
    size = picture.width * picture.height
    return [pixels[at : at + size] for at in range(0, len(pixels), size)]


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    if draw(st.booleans()):
        place = (0, 0, WIDTH, HEIGHT)
    else:
        left, top = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
        place = (left, top, draw(st.integers(1, WIDTH - left)), draw(st.integers(1, HEIGHT - top)))
    return Drawn(*place, draw(st.integers(0, 3)), draw(st.integers(0, 3)), draw(st.booleans()))


@settings(max_examples=150, deadline=None)
@given(st.lists(drawn(), min_size=1, max_size=4), st.integers(0, 5))
def test_all_ways_to_leave_the_canvas_undrawn(frames: list[Drawn], background: int) -> None:
    body = odd_files.gif(WIDTH, HEIGHT, frames, background)
    expected = odd_files.shown(WIDTH, HEIGHT, frames)
    assert frames_of(body, Output(format="webp")) == expected
    assert frames_of(body, Output(format="png")) == expected[:1]
    if len(frames) > 1:
        assert frames_of(body, Output(format="png", page=len(frames) - 1)) == expected[-1:]


def test_the_header_says_that_there_is_alpha() -> None:
    source = inspect((odd_files.FOLDER / "c13-first-offset.gif").read_bytes(), Limits())
    assert (source.alpha, source.bands) == (True, 4)


def test_a_gif_that_draws_on_all_of_its_canvas_has_no_alpha() -> None:
    whole = Drawn(0, 0, WIDTH, HEIGHT, 0, 1)
    for frames in ([whole], [whole, Drawn(2, 2, 3, 3, 2, 0)], [whole, Drawn(2, 2, 3, 3, 3, 0), whole]):
        body = odd_files.gif(WIDTH, HEIGHT, frames)
        picture = decode(body, inspect(body, Limits()), Output(format="webp"), Context())
        assert not picture.has_alpha
    assert not inspect(pictures.gif(), Limits()).alpha


def test_frames_without_a_palette_for_all() -> None:
    """The background colour is looked for in a palette, which files of other programs lack."""
    frames = [Drawn(0, 0, WIDTH, HEIGHT, 2, 1), Drawn(0, 0, WIDTH, HEIGHT, 0, 2, clear=True)]
    body = odd_files.gif(WIDTH, HEIGHT, frames)
    palette = body[13 : 13 + 768]
    local = body[:10] + b"\x70" + body[11:13] + body[13 + 768 :]
    for frame in frames:
        place = b"\x2c" + b"".join(side.to_bytes(2, "little") for side in frame[:4])
        local = local.replace(place + b"\x00\x08", place + b"\x87" + palette + b"\x08")
    assert frames_of(local, Output(format="webp")) == odd_files.shown(WIDTH, HEIGHT, frames)


def test_a_canvas_that_is_too_large_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    body = odd_files.gif(2_000, 2_000, [Drawn(1, 1, 5, 5, 0, 1), Drawn(2, 2, 5, 5, 2, 1)])

    def refuse(*_: object) -> None:
        raise AssertionError("computed")

    monkeypatch.setattr(pyvips.Image, "copy_memory", refuse)
    with pytest.raises(TooLarge):
        inspect(body, Limits(source_pixels=3_000_000))
