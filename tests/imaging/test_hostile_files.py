"""Small files that are made to take gigabytes or minutes: refused at once, or shown for little.

All are tried in one process, whose memory is bounded and measured.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import hostile, pictures

from features import edits
from imaging import Context, Deadline, FeatureError, Output, Rendered, check, run
from imaging.codecs.decode import inspect
from imaging.codecs.decode.chunks import remove_texts
from imaging.codecs.decode.parts import MAX_FRAMES, MAX_SCANS, check_parts
from imaging.codecs.png_chunks import chunk
from imaging.context import Limits
from imaging.errors import TooLarge

ROOT = Path(__file__).resolve().parents[2]
MOST_MEMORY, MOST_SECONDS = 200, 5.0
"""Megabytes beside the largest file, and seconds an answer; all take less than half a second here."""
Case = tuple[Callable[[int], bytes], int, int, str]
CASES: dict[str, Case] = {
    # what makes it, how many parts, how many in the slow test, what becomes of it
    "png of zTXt": (lambda count: hostile.png_of_packed_texts(count, 50_000_000), 60, 900, "shown"),
    "png of iTXt": (lambda count: hostile.png_of_packed_texts(count, 50_000_000, b"iTXt"), 60, 900, "shown"),
    "png of a profile": (hostile.png_of_profile, 40_000_000, 400_000_000, "TooLarge"),
    "png of chunks": (lambda count: hostile.png_with(chunk(b"prVt", b"") * count), 300_000, 8_000_000, "TooLarge"),
    "png of texts": (lambda count: hostile.png_with(chunk(b"tEXt", b"a\0b") * count), 300_000, 6_000_000, "TooLarge"),
    "jpeg of APP1": (hostile.jpeg_of_segments, 300_000, 24_000_000, "TooLarge"),
    "jpeg of comments": (lambda count: hostile.jpeg_of_segments(count, b"\xff\xfe"), 300_000, 24_000_000, "TooLarge"),
    "jpeg of scans": (hostile.jpeg_of_scans, 1000, 100_000, "TooLarge"),
    "gif of frames": (hostile.gif_of_frames, 100_000, 6_000_000, "TooLarge"),
    "gif of blocks": (hostile.gif_of_blocks, 3_000_000, 49_000_000, "TooLarge"),
    "gif of comments": (lambda count: hostile.gif_of_blocks(count, 0), 300_000, 33_000_000, "TooLarge"),
    "webp of frames": (hostile.webp_of_frames, 100_000, 1_000_000, "TooLarge"),
    "webp of chunks": (hostile.webp_of_chunks, 300_000, 12_000_000, "TooLarge"),
    "tiff of pages": (hostile.tiff_of_pages, 20_000, 800_000, "TooLarge"),
    "tiff of shared values": (lambda size: hostile.tiff_of_shared_values(100, size), 5_000_000, 90_000_000, "TooLarge"),
    "ico of entries": (lambda count: hostile.ico_of_shared_payload(count, 60_000), 65_535, 65_535, "TooLarge"),
    "ico of a shared payload": (lambda size: hostile.ico_of_shared_payload(9_999, size), 160_000, 90_000_000, "shown"),
    "bmp of runs": (lambda count: hostile.bmp_of_runs(1, 2, b"\1\0" * count), 2_000_000, 40_000_000, "DamagedSource"),
    "avif of boxes": (hostile.avif_of_boxes, 300_000, 12_000_000, "TooLarge"),
}


def outcome(original: bytes, asked: dict[str, Any], output: dict[str, Any]) -> str:
    """`shown`, or the name of the refusal; anything else is an exception."""
    try:
        answer = run(original, edits(asked), check(Output, output), Context(deadline=Deadline.after(28)))
    except FeatureError as refusal:
        return type(refusal).__name__
    assert isinstance(answer, Rendered)
    return "shown"


def memory(field: str) -> int:
    """Megabytes that this process has (VmRSS), or has had at the most since the peak was reset (VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith(field))


def try_all(*, large: bool) -> None:
    """Print for each file what became of it, the seconds of the slowest answer, and the memory beside the file."""
    resource.setrlimit(resource.RLIMIT_AS, (5_000_000_000, 5_000_000_000))
    outcome(pictures.sample("jpeg").body, {"resize": {"width": 32}}, {})
    for name, (make, small, many, _) in CASES.items():
        original, slowest, outcomes = make(many if large else small), 0.0, set()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak (proc_pid_clear_refs(5))
        before = memory("VmRSS")
        for asked, output in (({"resize": {"width": 32}}, {"format": "png"}), ({}, {}), ({}, {"metadata": "keep"})):
            started = time.monotonic()
            outcomes.add(outcome(original, asked, output))
            slowest = max(slowest, time.monotonic() - started)
        print(json.dumps([name, sorted(outcomes), slowest, memory("VmHWM") - before]), flush=True)  # noqa: T201 - for the test


def tried(*, large: bool) -> dict[str, tuple[list[str], float, int]]:
    program = f"from tests.imaging.test_hostile_files import try_all; try_all(large={large})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return {
        name: (outcomes, slowest, memory)
        for name, outcomes, slowest, memory in map(json.loads, ran.stdout.splitlines())
    }


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_small_files_take_neither_gigabytes_nor_minutes(*, large: bool) -> None:
    found = tried(large=large)
    assert found.keys() == CASES.keys()
    for name, (outcomes, slowest, memory) in found.items():
        assert outcomes == [CASES[name][3]], name
        assert slowest < MOST_SECONDS, name
        assert memory < MOST_MEMORY, name


@pytest.mark.parametrize(
    "original",
    [
        hostile.png_with(chunk(b"prVt", b"") * 5000),
        hostile.jpeg_of_segments(5000),
        pictures.jpeg(keep="none", interlace=True),
        hostile.gif_of_frames(2000),
        hostile.gif_of_blocks(5000, 255),
        hostile.webp_of_frames(1000),
        hostile.webp_of_chunks(1000),
        hostile.tiff_of_pages(2000),
        hostile.tiff_of_shared_values(1, 1000),
        hostile.ico_of_shared_payload(500, 10),
        hostile.avif_of_boxes(100),
    ],
)
def test_honest_numbers_of_parts_are_shown(original: bytes) -> None:
    assert outcome(original, {"resize": {"width": 32}}, {"format": "png"}) == "shown"


@pytest.mark.parametrize(
    ("make", "maximum"), [(hostile.gif_of_frames, MAX_FRAMES), (hostile.tiff_of_pages, MAX_FRAMES)]
)
def test_the_last_frame_that_may_be_is_counted(make: Callable[[int], bytes], maximum: int) -> None:
    assert inspect(make(maximum), Limits()).frames == maximum
    with pytest.raises(TooLarge, match=rf"at most {maximum} (frames|pages)"):
        inspect(make(maximum + 1), Limits())


def test_scans_are_counted_behind_the_first() -> None:
    own = pictures.jpeg(keep="none", interlace=True).count(b"\xff\xda")
    check_parts(hostile.jpeg_of_scans(MAX_SCANS - own), "jpeg", Limits())
    with pytest.raises(TooLarge, match=f"{MAX_SCANS} scans"):
        check_parts(hostile.jpeg_of_scans(MAX_SCANS - own + 1), "jpeg", Limits())


def test_webp_may_have_as_many_frames_as_the_operator_lets_be_drawn() -> None:
    original = hostile.webp_of_frames(6000)
    with pytest.raises(TooLarge, match="5000 frames"):
        check_parts(original, "webp", Limits())
    check_parts(original, "webp", Limits(frames=6000))


def test_texts_of_a_png_are_left_out_where_they_cost_anything() -> None:
    plain = hostile.png_with()
    few = hostile.png_with(chunk(b"tEXt", b"Software\0Example"), chunk(b"iTXt", b"k\0\0\0\0\0text"))
    assert remove_texts(few) is few
    for texts in (
        chunk(b"zTXt", b"k\0\0"),
        chunk(b"iTXt", b"k\0\1\0\0\0"),
        chunk(b"tEXt", "Titré\0x".encode("latin-1")),
        chunk(b"tEXt", b"k\0" + b"x" * 70_000),
        chunk(b"tEXt", b"k\0x") * 101,
    ):
        assert remove_texts(hostile.png_with(texts)) == plain
    profile = chunk(b"iCCP", b"k\0\0abc")
    assert remove_texts(hostile.png_with(profile, profile)) == hostile.png_with(profile)


@pytest.mark.parametrize("count", [2, 8, 5400])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])
def test_directories_of_exif_do_not_go_in_circles(kind: str, count: int) -> None:
    block = hostile.exif_of_pointers(count if kind != "avif" else min(count, 9))
    original = {
        "jpeg": hostile.jpeg_of_exif,
        "png": lambda content: hostile.png_with(chunk(b"eXIf", content)),
        "webp": hostile.webp_of_exif,
        "avif": hostile.avif_of_exif,
    }[kind](block)
    began = time.monotonic()
    assert outcome(original, {"resize": {"width": 9}}, {"metadata": "keep"}) == "TooLarge"
    assert time.monotonic() - began < 2


def test_a_pointer_that_cameras_write_is_followed() -> None:
    assert outcome(hostile.jpeg_of_exif(pictures.exif()), {"resize": {"width": 9}}, {"metadata": "keep"}) == "shown"
    assert outcome(hostile.jpeg_of_exif(hostile.exif_of_pointers(1)), {}, {"metadata": "keep"}) == "shown"


@pytest.mark.parametrize("metadata", ["keep", "copyright"])
def test_a_keyword_in_latin_1_is_legal(metadata: str) -> None:
    original = hostile.png_with(chunk(b"tEXt", "Titré\0été".encode("latin-1")))
    for asked in ({}, {"resize": {"width": 20}}):
        assert outcome(original, asked, {"metadata": metadata}) == "shown"


@pytest.mark.parametrize("length", range(6, 20))
def test_a_gif_of_its_signature_alone_is_damaged(length: int) -> None:
    assert outcome(pictures.gif()[:length], {"resize": {"width": 9}}, {}) == "DamagedSource"


@pytest.mark.parametrize("offset", [2**63 - 1, 2**63, 2**64 - 1])
def test_an_offset_that_no_address_has_is_damage(offset: int) -> None:
    original = b"II+\0\x08\0\0\0" + struct.pack("<Q", offset) + bytes(64)
    assert outcome(original, {"resize": {"width": 9}}, {}) == "DamagedSource"
    assert outcome(original, {}, {"metadata": "keep"}) == "DamagedSource"


def test_runs_of_a_bmp_are_read_as_far_as_pixels_need_them() -> None:
    runs = b"\3\1\0\0" + b"\1\2\1\3\1\4" + b"\0\1"
    honest, longer = hostile.bmp_of_runs(3, 2, runs), hostile.bmp_of_runs(3, 2, runs + bytes(1_000_000))
    assert outcome(honest, {}, {"format": "png"}) == "shown"
    assert inspect(longer, Limits()).decoder_seconds < 0.01
    answers = [run(body, (), check(Output, {"format": "png"}), Context()) for body in (honest, longer)]
    assert isinstance(answers[0], Rendered)
    assert isinstance(answers[1], Rendered)
    assert answers[0].body == answers[1].body


def test_runs_within_an_icon_are_damage() -> None:
    payload = struct.pack("<IiiHHIIiiII", 40, 16, 32, 1, 8, 1, 0, 0, 0, 0, 0) + bytes(2000)
    icon = struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 8, len(payload), 22) + payload
    assert outcome(icon, {}, {"format": "png"}) == "DamagedSource"
