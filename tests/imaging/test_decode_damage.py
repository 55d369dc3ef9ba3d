"""Files cut off, with bits flipped, or made to exhaust: shown or refused, but none crashes, hangs or fails otherwise.

What might end a whole process is tried in one of its own, once for all files.
"""

from __future__ import annotations

import json
import random
import resource
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import pictures

from features import edits
from imaging import Context, DamagedSource, Deadline, FeatureError, Limits, Output, Rendered, TooLarge, check, run
from imaging.codecs.decode import decode, inspect, source_at_fault
from imaging.deadlines import killable_process
from imaging.deadlines.killable_process import ProcessDied
from imaging.pipeline import isolated

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CUTS, FLIPS = 20, 30


def outcome(original: bytes, *, tolerant: bool = False, whole: bytes = b"") -> str:
    """What becomes of a file: `shown`, or the name of the refusal; anything else is an exception.

    `unharmed` is a file from which the same answer comes as from the whole one.
    """
    limits = Limits(memory=400_000_000, tolerate_truncated=tolerant)
    context = Context(limits=limits, deadline=Deadline.after(20))
    try:
        answer = run(original, edits({"resize": {"width": 40}}), check(Output, {"format": "png"}), context)
    except FeatureError as refusal:
        return type(refusal).__name__
    assert isinstance(answer, Rendered)
    return "unharmed" if answer.body == whole else "shown"


def cut_off(body: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """The file without its last bytes: few of them, then any number."""
    for lost in range(1, count // 2):
        yield body[:-lost]
    for _ in range(count // 2):
        yield body[: chance.randrange(len(body))]


def with_flipped_bits(body: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    """The file with one to ten bits changed, half of them in its head."""
    for _ in range(count):
        changed = bytearray(body)
        for _ in range(chance.choice((1, 1, 3, 10))):
            at = chance.randrange(min(len(body), 400) if chance.random() < 0.5 else len(body))
            changed[at] ^= 1 << chance.randrange(8)
        yield bytes(changed)


def try_all() -> None:
    """Print what became of every damaged file, as JSON; the process that runs this may end on the way."""
    for name in pictures.NAMES:
        body = pictures.sample(name).body
        chance = random.Random(name)
        share = 5 if name.startswith("heic") else 1  # each takes a process of its own
        kinds = {
            "cut": cut_off(body, chance, CUTS // share),
            "flipped": with_flipped_bits(body, chance, FLIPS // share),
        }
        found: dict[str, object] = {"name": name, "slowest": 0.0}
        answer = run(body, edits({"resize": {"width": 40}}), check(Output, {"format": "png"}), Context())
        assert isinstance(answer, Rendered)
        for kind, files in kinds.items():
            counts: Counter[str] = Counter()
            for damaged in files:
                began = time.monotonic()
                counts[outcome(damaged, whole=answer.body if kind == "cut" else b"")] += 1
                found["slowest"] = max(float(str(found["slowest"])), time.monotonic() - began)
            found[kind] = counts
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def test_every_damaged_file_is_shown_or_refused() -> None:
    command = [sys.executable, "-m", "tests.imaging.test_decode_damage"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"after {found[-1]['name'] if found else 'nothing'}: {done.stderr[-2000:]}"
    assert [each["name"] for each in found] == list(pictures.NAMES)
    for each in found:
        assert set(each["cut"]) <= {"DamagedSource", "UnsupportedSource", "unharmed"}, each
        assert set(each["flipped"]) <= {"shown", "DamagedSource", "UnsupportedSource", "TooLarge"}, each
        assert each["slowest"] < 10, each


def test_damage_inside_a_scan_is_mended() -> None:
    body = bytearray(pictures.jpeg(pictures.scene(640, 480), Q=95))
    middle = len(body) // 2
    body[middle] ^= 0x10
    assert outcome(bytes(body)) == "shown"


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "png", "png-palette", "gif", "bmp"])
def test_what_there_is_is_shown_where_that_is_wanted(name: str) -> None:
    body = pictures.sample(name).body
    half = body[: len(body) * 3 // 4] if name != "gif" else body[: len(body) - 2500]
    assert outcome(half) == "DamagedSource"
    assert outcome(half, tolerant=True) == "shown"


def test_a_damaged_source_says_so_when_its_pixels_are_pulled() -> None:
    body = pictures.png(pictures.scene(300, 300))
    body = body[: len(body) // 2] + body[-12:]
    source = inspect(body, Limits())
    picture = decode(body, source, Output(), Context())
    with pytest.raises(DamagedSource) as refusal, source_at_fault(body, source, Output(), Context()):
        picture.image.avg()
    assert refusal.value.message == "the picture is damaged or cut off"
    assert refusal.value.detail


@pytest.mark.parametrize("body", [pictures.sample("heic").body, pictures.sample("avif").body], ids=["heic", "avif"])
def test_a_decoder_that_takes_its_process_along_is_the_sources_fault(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def died(*_: object) -> None:
        raise ProcessDied("the process ended with -11 and no answer")

    # The second module holds the function by its own name from its first import on.
    for module in (killable_process, isolated):
        monkeypatch.setattr(module, "run_confined", died)
    # So little time is left that an AVIF goes to a process of its own as well.
    monkeypatch.setattr(Deadline, "leaves_room_for", lambda *_: False)
    with pytest.raises(DamagedSource) as refusal:
        run(body, edits({"resize": {"width": 40}}), check(Output, {"format": "png"}), Context())
    assert "-11" in refusal.value.detail


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png_of_zeros(width: int, height: int) -> bytes:
    """A PNG of 2.5 gigapixels in a few megabytes, made without holding them."""
    deflate = zlib.compressobj(9)
    row = bytes(1 + width)
    pixels = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_a_png_bomb_is_refused_by_its_header() -> None:
    body = png_of_zeros(50_000, 2_000).replace(struct.pack(">II", 50_000, 2_000), struct.pack(">II", 50_000, 50_000), 1)
    # The checksum of the header has to fit again.
    head = body[12:29]
    body = body[:29] + struct.pack(">I", zlib.crc32(head)) + body[33:]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLarge, match="50000 × 50000 = 2500000000"):
        inspect(body, Limits())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def gif_of_frames(count: int, width: int = 50, height: int = 50) -> bytes:
    """A GIF that shows one pixel, over and over."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = (
        b"\x21\xf9\x04\x00\x01\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    )
    return head + frame * count + b";"


def test_a_gif_of_ten_thousand_frames_is_refused_but_its_first_one_shown() -> None:
    body = gif_of_frames(10_000)
    source = inspect(body, Limits())
    assert source.frames == 10_000
    with pytest.raises(TooLarge, match="at most 300 frames, got 10000"):
        decode(body, source, check(Output, {"format": "webp"}), Context())
    assert decode(body, source, check(Output, {"format": "jpeg"}), Context()).frames == 1


def test_a_gif_of_few_large_frames_is_refused() -> None:
    body = gif_of_frames(200, 2000, 2000)
    with pytest.raises(TooLarge, match="at most 100000000 pixels together, got 800000000"):
        decode(body, inspect(body, Limits()), check(Output, {"format": "gif"}), Context())


def test_an_icon_may_not_hide_a_large_picture() -> None:
    inside = png_of_zeros(20_000, 20_000 // 400)
    inside = inside[:16] + struct.pack(">II", 20_000, 20_000) + inside[24:]
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inside), 22)
    with pytest.raises(TooLarge, match="20000 × 20000"):
        inspect(struct.pack("<HHH", 0, 1, 1) + entry + inside, Limits())


def test_a_tiff_whose_directories_turn_in_circles_is_read_in_no_time() -> None:
    entries = 400
    circle = struct.pack("<2sHIH", b"II", 42, 8, entries)
    circle += b"".join(struct.pack("<HHII", 273, 4, 1 << 17, 5000) for _ in range(entries)) + struct.pack("<I", 8)
    began = time.monotonic()
    assert outcome(circle + bytes(2_000_000)) == "DamagedSource"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("lie", [b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x01\0\0\0"])
@pytest.mark.parametrize("at", [14, 18, 22, 26, 30])
def test_bitmap_headers_that_lie(at: int, lie: bytes) -> None:
    body = pictures.bmp()
    assert outcome(body[:at] + lie + body[at + 4 :]) in {"shown", "DamagedSource", "TooLarge", "UnsupportedSource"}


if __name__ == "__main__":
    try_all()
