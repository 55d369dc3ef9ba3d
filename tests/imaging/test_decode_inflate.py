"""PNG unpacked in a thread beside libvips."""

from __future__ import annotations

import gc
import threading
import time
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import isal_zlib
from tests.pictures import Image, deep, grey, png, profile, scene, scene_with_alpha

from features import edits
from imaging import Context, DamagedSource, Deadline, Limits, Output, Rendered, TimeExceeded, run
from imaging.codecs import png_chunks
from imaging.codecs.decode import decode, inflate, inspect
from imaging.codecs.decode.inflate import open_decompressed
from imaging.codecs.png_chunks import SIGNATURE, chunk, get_payload, read_chunks

LIMITS = Limits()


@pytest.fixture(autouse=True)
def all_of_them(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """However small; and no thread and no descriptor is left."""
    monkeypatch.setattr(inflate, "WORTH_BYTES", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    before = open_files()
    yield
    end = time.monotonic() + 10
    while (left := [each for each in threading.enumerate() if each.name == "inflate"]) and time.monotonic() < end:
        gc.collect()
        time.sleep(0.01)
    assert left == []
    assert open_files() <= before


def open_files() -> int:
    """Descriptors of this process, as far as the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


class CountedWork:
    """Counts what the decompressor is given and what it returns. Counts, unlike times, are the same everywhere."""

    def __init__(self) -> None:
        self.given = self.returned = self.checksums = 0

    def decompressobj(self, wbits: int) -> CountedWork:
        self._inflater = isal_zlib.decompressobj(wbits)
        return self

    def decompress(self, packed: bytes | memoryview, limit: int) -> bytes:
        before = len(packed)
        piece = self._inflater.decompress(packed, limit)
        self.given += before - len(self._inflater.unconsumed_tail)
        self.returned += len(piece)
        return piece

    def crc32(self, *content: Any) -> int:
        self.checksums += 1
        return isal_zlib.crc32(*content)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the library's, or of the present stream."""
        return getattr(isal_zlib if hasattr(isal_zlib, name) else self._inflater, name)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> CountedWork:
    counted = CountedWork()
    monkeypatch.setattr(inflate, "isal_zlib", counted)
    monkeypatch.setattr(png_chunks, "isal_zlib", counted)
    return counted


def drawn(original: bytes, *, tolerant: bool = False) -> Image:
    limits = Limits(tolerate_truncated=tolerant)
    picture = decode(original, inspect(original, limits), Output(), Context(limits=limits))
    return picture.image.copy_memory()


def directly(original: bytes) -> Image:
    return pyvips.Image.new_from_buffer(original, "", fail_on="warning")


def rebuilt(original: bytes, pixels: bytes) -> bytes:
    """The file with another zlib stream, under a checksum that fits."""
    parts = [bytes(whole) for kind, whole in read_chunks(original) if kind != b"IDAT"]
    return b"".join([SIGNATURE, *parts[:-1], chunk(b"IDAT", pixels), parts[-1]])


def stream_of(original: bytes) -> bytes:
    return b"".join(get_payload(whole) for kind, whole in read_chunks(original) if kind == b"IDAT")


@pytest.mark.parametrize("filters", ["none", "sub", "up", "avg", "paeth", "all"])
@pytest.mark.parametrize("image", [scene(), scene_with_alpha(), grey()], ids=["rgb", "alpha", "grey"])
def test_the_pixels_are_the_same(image: Image, filters: str) -> None:
    original = image.pngsave_buffer(filter=filters)
    source = open_decompressed(original, Deadline())
    assert source is not None
    read = pyvips.Image.pngload_source(source, access="sequential", fail_on="warning")
    assert read.write_to_memory() == directly(original).write_to_memory()
    assert drawn(original).write_to_memory() == directly(original).write_to_memory()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_of_all_depths(bits: int) -> None:
    original = scene().pngsave_buffer(palette=True, bitdepth=bits)
    assert open_decompressed(original, Deadline()) is not None
    assert drawn(original).write_to_memory() == directly(original).write_to_memory()


def test_sixteen_bits_and_a_profile() -> None:
    original = png(deep(), icc=profile())
    source = open_decompressed(original, Deadline())
    assert source is not None
    read = pyvips.Image.pngload_source(source, access="sequential")
    assert read.get("icc-profile-data") == profile()
    assert read.write_to_memory() == directly(original).write_to_memory()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    flat=st.booleans(),
    pieces=st.lists(st.integers(1, 70_000), max_size=5),
)
def test_however_the_stream_is_cut_into_chunks(width: int, height: int, flat: bool, pieces: list[int]) -> None:
    image: Image = pyvips.Image.black(width, height, bands=3) + 7
    image = (image if flat else image + pyvips.Image.gaussnoise(width, height, sigma=40)).cast("uchar").copy_memory()
    original = image.copy(interpretation="srgb").pngsave_buffer(compression=9)
    stream, others = stream_of(original), read_chunks(original)
    cuts = [0, *sorted({min(sum(pieces[:count]), len(stream)) for count in range(len(pieces) + 1)}), len(stream)]
    parts = [chunk(b"IDAT", stream[start:end]) for start, end in pairwise(cuts)]
    (_, header), (_, end) = others[0], others[-1]
    assert drawn(b"".join([SIGNATURE, header, *parts, end])).write_to_memory() == image.write_to_memory()


def test_what_is_interlaced_small_or_unsound_is_left_to_libvips(monkeypatch: pytest.MonkeyPatch) -> None:
    original = scene().pngsave_buffer()
    assert open_decompressed(scene().pngsave_buffer(interlace=True), Deadline()) is None
    assert open_decompressed(original[:-30], Deadline()) is None
    assert open_decompressed(original[:2000] + bytes([original[2000] ^ 1]) + original[2001:], Deadline()) is None
    monkeypatch.setattr(inflate, "WORTH_BYTES", len(original) + 1)
    assert open_decompressed(original, Deadline()) is None


def test_one_processor_does_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "imaging.codecs.decode.inflate.open_decompressed", lambda _: pytest.fail("a second thread gains nothing")
    )
    original = scene().pngsave_buffer()
    decode(original, inspect(original, LIMITS), Output(), Context(limits=Limits(processors=1)))


def test_pixels_in_two_places_are_left_to_libvips() -> None:
    original = scene().pngsave_buffer()
    stream = stream_of(original)
    parts = (chunk(b"IDAT", stream[:100]), chunk(b"zzZz", b""), chunk(b"IDAT", stream[100:]))
    (_, header), (_, end) = read_chunks(original)[0], read_chunks(original)[-1]
    assert open_decompressed(b"".join([SIGNATURE, header, *parts, end]), Deadline()) is None


@pytest.mark.parametrize("kind", [b"IDAT", b"zzZz"])
def test_a_file_of_crumbs_is_left_to_libvips(kind: bytes, work: CountedWork) -> None:
    """Each chunk would be a hundred bytes of Python's memory, and some of its time."""
    original = scene().pngsave_buffer()
    end = original.rindex(b"IEND") - 4
    crumbs = original[:end] + chunk(kind, b"") * 200_000 + original[end:]
    work.checksums = 0
    assert open_decompressed(crumbs, Deadline()) is None
    assert work.checksums < 5_000, "of 200,000 chunks"


def test_nothing_is_read_behind_the_end_of_the_stream(work: CountedWork) -> None:
    """Half of the rows, then 100 MB of junk under checksums that fit: refused at once."""
    original = scene(400, 300).pngsave_buffer()
    half = zlib.compress(zlib.decompress(stream_of(original))[: 400 * 150 * 3])
    junk = chunk(b"IDAT", bytes(8192)) * 12_000
    whole = rebuilt(original, half)
    end = whole.rindex(b"IEND") - 4
    with pytest.raises(DamagedSource):
        run(whole[:end] + junk + whole[end:], edits({"resize": {"width": 40}}), Output(), Context())
    # Read once to decode it, and once for a repair.
    assert 0 < work.given <= 2 * (len(half) + 70_000)


def test_a_stream_that_yields_nothing_is_given_up(work: CountedWork) -> None:
    """20 MB of empty blocks, for each of which tables are built anew."""
    original = scene().pngsave_buffer()
    empty = b"\x78\x01" + bytes.fromhex("0208208000") * 4_000_000  # fixed codes and the end of a block, four times
    assert zlib.decompressobj().decompress(empty[:1002]) == b""
    with pytest.raises(DamagedSource):
        run(rebuilt(original, empty), edits({"resize": {"width": 40}}), Output(), Context())
    assert 1_000_000 < work.given < 2 * 1_300_000, "of 20 MB, read once to decode it, and once for a repair"


def test_a_deadline_before_the_header_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "_stored", lambda *_: iter(()))
    original = scene().pngsave_buffer()
    source = inspect(original, LIMITS)
    with pytest.raises(TimeExceeded):
        decode(original, source, Output(), Context(deadline=Deadline.after(-1)))


def test_a_slow_feed_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """libvips waits for the pipe, and cannot be told to stop."""
    blocks = inflate._blocks

    def slowly(pieces: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks(pieces):
            time.sleep(0.1)
            yield block

    monkeypatch.setattr(inflate, "_blocks", slowly)
    monkeypatch.setattr(inflate, "_PIECE", 1000)
    started = time.monotonic()
    with pytest.raises(TimeExceeded):
        run(
            scene().pngsave_buffer(),
            edits({"resize": {"width": 40}}),
            Output(format="jpeg"),
            Context(deadline=Deadline.after(0.5)),
        )
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("what", ["os.pipe", "os.dup", "threading.Thread.start", "pyvips.Source.new_from_descriptor"])
def test_a_machine_without_threads_or_descriptors_lets_libvips_do_it(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def fail(*_: object) -> None:
        raise {"os.pipe": OSError, "os.dup": OSError, "threading.Thread.start": RuntimeError}.get(what, pyvips.Error)(
            what
        )

    original = scene().pngsave_buffer()
    monkeypatch.setattr(what, fail)
    assert drawn(original).write_to_memory() == directly(original).write_to_memory()


@pytest.mark.parametrize("kept", [0, 1, 2, 100, 5000])
def test_a_stream_that_ends_too_soon_is_damage(kept: int) -> None:
    original = scene().pngsave_buffer()
    cut = rebuilt(original, stream_of(original)[:kept])
    with pytest.raises(DamagedSource):
        run(cut, edits({"resize": {"width": 40}}), Output(format="png"), Context())
    if kept == 5000:  # shown by libvips alone
        assert isinstance(
            run(cut, edits({"resize": {"width": 40}}), Output(), Context(limits=Limits(tolerate_truncated=True))),
            Rendered,
        )


def test_no_stream_at_all_is_damage() -> None:
    with pytest.raises(DamagedSource):
        run(rebuilt(scene().pngsave_buffer(), b"no zlib at all"), [], Output(format="jpeg"), Context())


def test_rows_too_many_count_for_nothing(work: CountedWork) -> None:
    """A bomb: 200 MB of rows for a picture of 100."""
    original = scene(40, 100).pngsave_buffer()
    more = zlib.compress(zlib.decompress(stream_of(original)) + bytes(200_000_000), 1)
    assert drawn(rebuilt(original, more)).write_to_memory() == directly(original).write_to_memory()
    assert work.returned == 100 * (1 + 40 * 3)


def test_a_picture_that_nobody_reads_leaves_nothing() -> None:
    original = scene(1500, 1000).pngsave_buffer(compression=1)
    pictures = [decode(original, inspect(original, LIMITS), Output(), Context()) for _ in range(5)]
    assert sum(each.name == "inflate" for each in threading.enumerate()) == 5
    del pictures


def test_the_deadline_ends_it_too() -> None:
    original = scene(4000, 3000).pngsave_buffer(compression=1, filter="paeth")
    with pytest.raises(TimeExceeded):
        run(original, edits({"blur": 50}), Output(format="png"), Context(deadline=Deadline.after(0.05)))
