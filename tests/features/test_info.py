"""What the report says of a file is true, and tells no place."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import blurhash
import pytest
import pyvips
from tests.pictures import GPS_MARKS, NAMES, SECONDS, film, gif, jpeg, png, sample, scene, svg, webp

from features import edits
from imaging import Context, Output, Report, run


def report(body: bytes, said: dict[str, object] | None = None) -> dict[str, Any]:
    """What `info` says, after these edits."""
    outcome = run(body, edits({"info": True, **(said or {})}), Output(), Context())
    assert isinstance(outcome, Report)
    return json.loads(json.dumps(outcome.content))  # type: ignore[no-any-return]  # json gives Any


@pytest.mark.parametrize("name", NAMES)
def test_facts(name: str) -> None:
    file = sample(name)
    said = report(file.body)
    assert (said["format"], said["bytes"]) == (file.format, len(file.body))
    assert (said["bits"], said["alpha"], said["profile"]) == (file.bits, file.alpha, file.profile)
    assert (said["pages"], said["orientation"]) == (file.frames, file.orientation)
    if file.format != "ico":
        assert (said["width"], said["height"]) == (160, 120)
    stored = (said["storedWidth"], said["storedHeight"])
    assert stored == ((said["width"], said["height"]) if file.orientation < 5 else (said["height"], said["width"]))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_metadata_is_told(name: str) -> None:
    text = json.dumps(report(sample(name).body))
    assert "GPS" not in text
    assert all(str(second) not in text for second in SECONDS)
    assert not any(mark in text.encode() for mark in GPS_MARKS)


def test_frames_are_those_of_an_animation() -> None:
    assert report(gif(film()))["frames"] == 3
    assert report(sample("webp-animated").body)["frames"] == 3
    assert report(sample("tiff-pages").body)["frames"] == 1


def flag(*colours: str, width: int = 60) -> pyvips.Image:
    """Stripes of these colours, the first the widest."""
    shares = [len(colours) + 3, *([1] * (len(colours) - 1))]
    unit = width // sum(shares)
    image = pyvips.Image.black(sum(shares) * unit, 40, bands=3)
    left = 0
    for colour, share in zip(colours, shares, strict=True):
        image = image.draw_rect(list(bytes.fromhex(colour)), left, 0, share * unit, 40, fill=True)
        left += share * unit
    return image.copy(interpretation="srgb")


def test_colours_of_a_flag() -> None:
    said = report(png(flag("c02030", "ffffff", "1040a0", "00ff00", "101010")))
    assert said["dominantColor"] == "#c02030"
    assert sorted(said["palette"]) == ["#00ff00", "#101010", "#1040a0", "#c02030", "#ffffff"]


def test_one_colour_has_a_palette_of_one() -> None:
    said = report(png(flag("336699")))
    assert (said["dominantColor"], said["palette"]) == ("#336699", ["#336699"])


def test_shades_of_a_soft_edge_are_one_colour() -> None:
    disc = svg()
    assert report(disc)["palette"] == ["#e01020"]
    soft = pyvips.Image.svgload_buffer(disc)
    assert report(png(soft))["palette"] == report(webp(soft, lossless=True))["palette"] == ["#e01020"]


def test_a_photograph_has_five_colours() -> None:
    said = report(jpeg(scene()))
    assert len(set(said["palette"])) == 5
    assert said["dominantColor"] == said["palette"][0]


def test_clear_pixels_have_no_colour() -> None:
    flagged = flag("c02030", "1040a0")
    opaque_right = (pyvips.Image.xyz(flagged.width, flagged.height)[0] >= flagged.width - 8).ifthenelse(255, 0)
    assert report(png(flagged.bandjoin(opaque_right.cast("uchar"))))["palette"] == ["#1040a0"]
    said = report(png(flagged.bandjoin(0)))
    assert (said["dominantColor"], said["palette"]) == (None, [])


def test_blurhash_shows_the_picture() -> None:
    said = report(jpeg(scene()))
    rows = blurhash.decode(said["blurHash"], 16, 12)
    levels = bytes(round(level) for row in rows for colour in row for level in colour)
    shown = pyvips.Image.new_from_memory(levels, 16, 12, 3, "uchar")
    assert (shown - scene().thumbnail_image(16)).abs().avg() < 20
    assert blurhash.components(said["blurHash"]) == (4, 3)
    assert blurhash.components(report(jpeg(scene().rot90()))["blurHash"]) == (3, 4)


def test_colours_are_of_the_picture_as_it_stands_facts_of_the_file() -> None:
    said = report(png(flag("c02030", "1040a0")), {"resize": {"width": 10}, "tint": "white", "grayscale": True})
    assert (said["width"], said["height"]) == (60, 40)
    assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in said["palette"])


def test_needs_no_numpy() -> None:
    program = (
        "import sys; from features import *; from imaging import *; from tests.pictures import jpeg;"
        "run(jpeg(), edits({'info': True}), Output(), Context()); print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
