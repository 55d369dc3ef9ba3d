"""Files that lack an end mark or have a wrong checksum are shown where all of their pixels are there."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import pyvips
from PIL import Image as Pillow
from tests import odd_files, pictures
from tests.client import Client

from features import edits
from imaging import Context, DamagedSource, Deadline, InvalidParameter, Job, Limits, ObjectRef, Output, run_each
from imaging.codecs.decode.repair import repair_png
from imaging.pipeline.apply import Rendered
from imaging.pipeline.run import run

CONTEXT = Context(deadline=Deadline.after(3600))
"""Its time counts from the import of this module, an age before its last test."""


def pixels(body: bytes, context: Context = CONTEXT) -> bytes:
    outcome = run(body, [], Output(format="png", effort=1), context)
    assert isinstance(outcome, Rendered)
    return bytes(pyvips.Image.new_from_buffer(outcome.body, "").write_to_memory())


def unfinished(name: str) -> bytes:
    """The sample without its end mark."""
    body = pictures.sample(name).body
    if name.startswith("gif"):
        at = body.rindex(b"\x21\xff\x0bXMP")
        return body[:at]
    return body[: -12 if name.startswith("png") else -2]


NAMES = ["jpeg", "jpeg-progressive", "jpeg-grey", "jpeg-turned", "png", "png-16", "png-palette", "png-interlaced",
         "png-alpha", "png-1-bit", "gif", "gif-animated"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_end_mark_that_is_missing(name: str) -> None:
    assert pixels(unfinished(name)) == pixels(pictures.sample(name).body)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lost", [0.3, 0.02])
def test_pixels_that_are_missing_are_not_made_up(name: str, lost: float) -> None:
    whole = unfinished(name)
    with pytest.raises(DamagedSource):
        pixels(whole[: round(len(whole) * (1 - lost))])


def test_half_an_end_mark() -> None:
    body = pictures.sample("jpeg").body
    assert pixels(body[:-1]) == pixels(body)


@pytest.mark.parametrize("name", ["png", "png-interlaced", "png-16", "png-palette"])
@pytest.mark.parametrize("kind", [b"IDAT", b"IEND"])
def test_wrong_checksums_of_a_png(name: str, kind: bytes) -> None:
    body = bytearray(pictures.sample(name).body)
    end = body.rindex(b"IEND") if kind == b"IEND" else body.rindex(b"IEND") - 8
    body[end + 4 if kind == b"IEND" else end] ^= 0xFF  # the last byte of a CRC
    assert pixels(bytes(body)) == pixels(pictures.sample(name).body)
    if kind == b"IDAT":
        body[end - 4] ^= 0xFF  # the last byte of the Adler-32
        assert pixels(bytes(body)) == pixels(pictures.sample(name).body)


def test_a_file_that_browsers_show(tmp_path: Path) -> None:
    (tmp_path / "o.png").write_bytes((odd_files.FOLDER / "o-bad-adler.png").read_bytes())
    answer = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"}).get("/o.png?width=60")
    assert answer.status == 200
    assert Pillow.open(io.BytesIO(answer.body)).size == (60, 40)


def test_a_repaired_png_keeps_its_colors() -> None:
    body = odd_files.patches(odd_files.cicp(12, 13))
    whole = pixels(body)
    assert pixels(body[:-13]) == whole != pixels(odd_files.patches(b""))


def test_a_repair_keeps_to_the_memory_budget() -> None:
    body = pictures.png(pictures.scene(1200, 1200))[:-13]
    assert repair_png(body, CONTEXT)
    assert repair_png(body, Context(limits=Limits(memory=16_000_000))) is None


def test_sound_files_are_not_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("repaired")

    for name in ("repair_jpeg", "repair_png"):
        monkeypatch.setattr(f"imaging.codecs.decode.repair.{name}", refuse)
    for name in ("jpeg", "png", "gif", "webp"):
        assert pixels(pictures.sample(name).body)


@pytest.mark.parametrize("name", ["jpeg", "png", "png-alpha"])
def test_overlays_are_repaired_as_well(name: str) -> None:
    whole = pictures.sample(name).body
    cut = unfinished(name) if name == "jpeg" else whole[:-20]
    ref = ObjectRef("", "logo")
    steps = edits({"watermark": {"key": "logo"}})

    def marked(overlay: bytes) -> bytes:
        context = Context(objects={ref: overlay}, deadline=Deadline.after(30))
        outcome = run(pictures.sample("jpeg").body, steps, Output(format="png", effort=1), context)
        assert isinstance(outcome, Rendered)
        return outcome.body

    assert marked(cut) == marked(whole)
    with pytest.raises(InvalidParameter):
        marked(whole[: len(whole) // 2])


@pytest.mark.parametrize("name", ["jpeg", "png"])
def test_several_results_of_a_file_that_is_repaired(name: str) -> None:
    whole = pictures.sample(name).body
    cut = unfinished(name) if name == "jpeg" else whole[:-20]
    jobs = [Job(edits({"resize": {"width": width}}), Output(), CONTEXT) for width in (20, 40)]
    outcomes = dict(run_each(cut, jobs))
    for number, width in enumerate((20, 40)):
        outcome = outcomes[number]
        assert isinstance(outcome, Rendered)
        assert outcome.width == width
