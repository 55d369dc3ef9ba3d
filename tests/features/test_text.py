"""A text stands where it is asked for, in its font, size and colours, on every frame and on any machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pictures import deep, film, gif, grey, jpeg, png, scene, scene_with_alpha
from tests.steps import apply, picture

from features import edits
from imaging import Context, FeatureError, InvalidParameter, Output, Rendered, TooLarge, run
from imaging.picture import Picture

ROOM = (400, 300)
ROOT = Path(__file__).resolve().parents[2]


def paper() -> Picture:
    image = pyvips.Image.black(*ROOM, bands=3).cast("uchar")
    return picture(image.copy(interpretation="srgb"))


def written(text: str, **said: Any) -> Any:
    return apply("text", paper(), text=text, **said).image


def box(image: Any, threshold: int = 60) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is not black."""
    left, top, width, height = (
        (image[:3].bandmean() > threshold).ifthenelse(255, 0).find_trim(threshold=1, background=[0], line_art=True)
    )
    return (int(left), int(top), int(width), int(height))


@pytest.mark.parametrize(
    ("position", "across", "down"),
    [("top-left", 0, 0), ("top", 1, 0), ("top-right", 2, 0), ("center", 1, 1), ("bottom-right", 2, 2), ("south", 1, 2)],
)
def test_the_text_stands_at_its_position(position: str, across: int, down: int) -> None:
    left, top, width, height = box(written("HgH", size=40, position=position))
    for start, length, whole, part in ((left, width, ROOM[0], across), (top, height, ROOM[1], down)):
        expected = (whole - length) * part / 2
        # Letters are lower than their line.
        assert abs(start - expected) <= 16, (position, start, expected)


def test_a_tight_text_begins_where_its_letters_begin() -> None:
    tops = [box(written("HgH", size=40, position="top-left", y=30, tight=tight))[1] for tight in (False, True)]
    assert tops[1] in (30, 31)
    assert tops[0] > tops[1]


def test_offsets_move_it() -> None:
    base = box(written("Hg", size=40, position="top-left"))
    moved = box(written("Hg", size=40, position="top-left", x=30, y="10p"))
    assert (moved[0] - base[0], moved[1] - base[1], *moved[2:]) == (30, 30, *base[2:])


def test_texts_with_and_without_descenders_have_one_baseline() -> None:
    plain, with_descender = (box(written(text, size=60, position="bottom-left")) for text in ("HH", "Hg"))
    assert plain[1] == with_descender[1]


@pytest.mark.parametrize("size", [12, 40, "20p"])
def test_capitals_have_the_height_that_the_font_states(size: Any) -> None:
    """Inter's capitals are 0.727 of its size."""
    pixels = 80 if size == "20p" else size
    assert abs(box(written("H", size=size, position="center"), 100)[3] - 0.727 * pixels) <= 1.5


def test_weight_makes_letters_heavier_and_italic_slants_them() -> None:
    shares = [written("HHH", size=60, weight=weight, position="center").avg() for weight in (100, 400, 700, 900)]
    assert shares == sorted(shares)
    assert shares[-1] > 1.5 * shares[0]
    upright, slanted = (written("III", size=60, italic=italic, position="center") for italic in (False, True))
    assert (upright - slanted).abs().max() > 100


@pytest.mark.parametrize("font", ["inter", "Inter Light", "Source Serif 4", "SourceSerif 4", "noto sans arabic"])
def test_a_family_is_found_in_any_case_and_style(font: str) -> None:
    assert box(written("Hg", font=font, size=40))[2] > 0


@pytest.mark.parametrize("font", ["sans", "serif", "mono"])
def test_each_shipped_font_is_its_own(font: str) -> None:
    wide, narrow = (box(written(letters, font=font, size=40, position="center"))[2] for letters in ("mmmm", "iiii"))
    assert (abs(wide - narrow) < 12) == (font == "mono")


def test_lines_break_at_the_width_and_at_line_ends() -> None:
    one = box(written("word word word", size=30, position="center"))
    broken = box(written("word word word", size=30, width=120, position="center"))
    assert broken[2] <= 120 < one[2]
    assert broken[3] > 2 * one[3]
    assert box(written("a\nb\nc", size=30, position="center"))[3] > 2 * one[3]


def test_lines_are_aligned() -> None:
    def starts(align: str) -> list[int]:
        image = written("mmmmmm\ni", size=40, align=align, position="top-left")
        return [box(image.crop(0, start, ROOM[0], 45))[0] for start in (0, 52)]

    left, center, right = starts("left"), starts("center"), starts("right")
    assert left[1] - left[0] < 10 < center[1] - center[0] < right[1] - right[0]


def test_letters_are_reduced_until_they_fit_the_height() -> None:
    text = "a text of many words " * 5
    fitted = box(written(text, size=60, height=80, position="center"))
    assert 50 <= fitted[3] <= 80
    with pytest.raises(InvalidParameter, match=r"text\.height"):
        written(text * 8, size=60, width=50, height=10)


def test_color_opacity_background_and_outline() -> None:
    red = written("HH", size=80, color="red", position="center")
    assert red[0].max() == 255
    assert red[1].max() < 3
    assert 120 <= written("HH", size=80, opacity=50, position="center").max() <= 130
    boxed = written("HH", size=40, color="black", background="0000ff", padding=20, position="center")
    left, top, width, height = box(boxed, 40)
    assert boxed(left + 2, top + 2) == [0, 0, 255]
    assert abs(left + width / 2 - ROOM[0] / 2) <= 1
    assert abs(top + height / 2 - ROOM[1] / 2) <= 1
    rounded = written("HH", size=40, color="black", background="0000ff", padding=20, radius=20, position="center")
    assert rounded(left + 2, top + 2) == [0, 0, 0]
    plain = box(written("HH", size=80, position="center"))
    outlined = box(written("HH", size=80, color="black", stroke="white", strokeWidth=5, position="center"))
    assert 8 <= outlined[2] - plain[2] <= 12


def test_a_shadow_is_cast_behind_the_text() -> None:
    bare = written("H", size=80, position="center")
    shaded = written("H", size=80, position="center", shadow="00ff00", shadowX=20, shadowY=20, shadowBlur=0)
    only_shadow = shaded - bare
    assert box(only_shadow, 20)[0] > box(bare)[0]
    assert only_shadow[1].max() == 255
    assert only_shadow[0].max() == 0


def test_rotation_is_clockwise_and_around_the_text() -> None:
    _, _, width, height = box(written("HHHH", size=40, position="center"))
    left, top, turned_width, turned_height = box(written("HHHH", size=40, rotate=90, position="center"))
    assert abs(turned_width - height) <= 2
    assert abs(turned_height - width) <= 2
    assert abs(left + turned_width / 2 - 200) <= 6
    assert abs(top + turned_height / 2 - 150) <= 6
    # The first letter is at the top.
    first = written("M..", size=60, rotate=90, position="center")
    assert first.crop(0, 0, 400, 150).avg() > first.crop(0, 150, 400, 150).avg()


def test_tiles_cover_the_image_at_equal_distances() -> None:
    tiled = written("X", size=12, tile=True, gap=10)
    quarters = [tiled.crop(x, y, 200, 150).avg() for x in (0, 200) for y in (0, 150)]
    assert max(quarters) < 1.3 * min(quarters)


def test_markup_colours_parts_and_is_off_by_default() -> None:
    marked = written('a<span foreground="#00ff00">b</span>', size=80, markup=True, position="center")
    assert marked[1].max() == 255
    assert (marked[1] - marked[0]).max() > 200
    literal = written("<b>", size=40, position="center")
    assert box(literal)[2] > box(written("b", size=40, position="center"))[2] * 2


@pytest.mark.parametrize(
    "markup",
    ['<span size="999999">x</span>', "<big>x</big>", "<b>x", '<span font_desc="Inter 5000">x</span>', "&nosuch;"],
)
def test_markup_beyond_the_list_is_refused(markup: str) -> None:
    with pytest.raises(InvalidParameter, match=r"text\.text"):
        written(markup, markup=True)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"text": ""}, "text.text"),
        ({"text": "a\0b"}, "text.text"),
        ({"text": "   "}, "text.text"),
        ({"text": "a", "size": 0}, "text.size"),
        ({"text": "a", "width": "-5"}, "text.width"),
        ({"text": "a", "font": "../x, 900"}, "text.font"),
        ({"text": "a", "font": "Comic Sans"}, "text.font"),
        ({"text": "a" * 1001}, "text.text"),
    ],
)
def test_a_wrong_value_is_named(said: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidParameter, match=named.replace(".", r"\.")):
        run(jpeg(), edits({"text": said}), Output(), Context())


def test_a_text_of_too_many_pixels_is_refused_before_it_is_set() -> None:
    with pytest.raises(TooLarge):
        run(jpeg(scene(3000, 2000)), edits({"text": {"text": "W" * 1000, "size": 2000}}), Output(), Context())


@pytest.mark.parametrize("original", [jpeg(), png(scene_with_alpha()), png(grey()), png(deep()), gif(film())])
def test_every_kind_of_image_takes_a_text(original: bytes) -> None:
    plain, with_text = (
        run(original, edits(said), Output(format="png", animated=False), Context())
        for said in ({"negate": False}, {"text": {"text": "Hg", "size": 40, "color": "ff00ff"}})
    )
    assert isinstance(plain, Rendered)
    assert isinstance(with_text, Rendered)
    before, after = (pyvips.Image.new_from_buffer(made.body, "").colourspace("srgb")[:3] for made in (plain, with_text))
    assert float((before - after).abs().bandmean().avg()) > 0
    assert (with_text.width, with_text.height) == (plain.width, plain.height)


def test_every_frame_has_the_text() -> None:
    made = run(gif(film()), edits({"text": {"text": "Hg", "size": 60}}), Output(), Context())
    assert isinstance(made, Rendered)
    assert made.frames == 3
    frames = pyvips.Image.new_from_buffer(made.body, "", n=-1)
    heights = frames.height // 3
    parts = [frames.crop(0, heights * at, frames.width, heights) for at in range(3)]
    assert all((part[:3].bandmean() > 250).avg() > 0 for part in parts)


_IN_ANOTHER_PLACE = """
import sys
from features import edits
from imaging import Context, Output, run
drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="80"><text y="60" font-size="50">Hg</text></svg>'
paper, png = open(sys.argv[1], "rb").read(), Output(format="png")
made = run(paper, edits({"text": {"text": "Hg مرحبا", "size": 30}}), png, Context())
drawn = run(drawing, edits({"resize": {"width": 300}}), png, Context())
sys.stdout.write((made.body + drawn.body).hex())
"""


def test_a_machine_without_fonts_draws_the_same_text(tmp_path: Path) -> None:
    """Of texts and of drawings: fontconfig is told of no folder of the machine."""
    (tmp_path / "empty.conf").write_text("<fontconfig/>")
    (tmp_path / "paper.png").write_bytes(png(scene()))
    places: tuple[dict[str, str], ...] = (
        {},
        {"FONTCONFIG_FILE": str(tmp_path / "empty.conf"), "FONTCONFIG_PATH": str(tmp_path)},
    )
    results = {
        subprocess.run(
            [sys.executable, "-c", _IN_ANOTHER_PLACE, str(tmp_path / "paper.png")],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **place},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for place in places
    }
    assert len(results) == 1


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    size=st.sampled_from([1, 7, 30, "30p"]),
    markup=st.booleans(),
    rotate=st.sampled_from([0, 33]),
)
def test_any_text_is_drawn_or_refused(text: str, size: Any, *, markup: bool, rotate: float) -> None:
    said = {"text": {"text": text, "size": size, "markup": markup, "rotate": rotate}}
    try:
        made = run(png(scene(80, 60)), edits(said), Output(format="png"), Context())
    except FeatureError:
        return
    assert isinstance(made, Rendered)
    assert (made.width, made.height) == (80, 60)
