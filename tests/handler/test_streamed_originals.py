"""Originals that are decoded while they arrive: the answers are those of whole files, whatever the store does."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import pictures
from tests.client import Answered, Client
from tests.generated import GENERATED, with_label
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server

from handler.render import inputs
from handler.storage.sources import cloud, folder
from imaging import Deadline, OriginalStream
from imaging.codecs.decode import original_stream, webp_stream

ETAG = {"ETag": '"e1"', "Last-Modified": "Sat, 01 Aug 2026 10:00:00 GMT"}
RANGE = re.compile(r"bytes=(\d+)-(\d+)?")
RESIZED = "/cat.jpg?width=90&format=jpeg"
NEVER = 1 << 60
CROPPED = "extract.left=10&extract.top=10&extract.width=200&extract.height=90"
Script = Callable[[ParsedRequest], Reply]


@cache
def noise() -> Any:
    """Return a picture that no format stores in fewer bytes than arrive at once."""
    bands: list[Any] = [pyvips.Image.gaussnoise(700, 600, seed=seed, sigma=50, mean=128) for seed in (1, 2, 3)]
    return bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb").copy_memory()


@cache
def photograph() -> bytes:
    return pictures.jpeg(noise(), Q=90)


def webp(picture: Any = None, *, icc: bytes | None = None, **options: Any) -> bytes:
    """Return a WebP without EXIF."""
    image = (noise() if picture is None else picture).copy()
    if icc:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    return bytes(image.webpsave_buffer(keep="icc" if icc else "none", **{"Q": 96, "effort": 0, **options}))


@cache
def webp_photograph() -> bytes:
    return webp()


KINDS: dict[str, Callable[[], bytes]] = {
    "subsampled": photograph,
    "full colour": lambda: pictures.jpeg(noise(), Q=92, subsample_mode="off"),
    "grey": lambda: pictures.jpeg(noise()[0], Q=98),
    "turned": lambda: pictures.jpeg(noise(), Q=90, orientation=6),
    "mirrored": lambda: pictures.jpeg(noise(), Q=90, orientation=2),
    "Display P3": lambda: pictures.jpeg(noise(), Q=90, icc=pictures.profile("p3")),
    "restarts": lambda: pictures.jpeg(noise(), Q=90, restart_interval=4),
    "generated": lambda: with_label(photograph()),
    "large EXIF": lambda: with_segments(photograph(), 3),
    "WebP": webp_photograph,
    "WebP with Display P3": lambda: webp(icc=pictures.profile("p3")),
}


def with_segments(body: bytes, number: int) -> bytes:
    """Return a JPEG with so many more segments of 65 kB before its pixels."""
    return body[:2] + (b"\xff\xef\xff\xff" + bytes(65_533)) * number + body[2:]


@pytest.fixture
def store() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small files, which are quickly made and decoded, sent in several blocks by a slow store."""
    monkeypatch.setattr(original_stream, "_FAST", math.inf)
    monkeypatch.setattr(inputs, "STREAMED_FROM", 200_000)
    monkeypatch.setattr(cloud, "CHUNK_BYTES", 1 << 16)
    monkeypatch.setattr(folder, "CHUNK_BYTES", 1 << 16)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def client(store: ScriptedServer, **more: str) -> Client:
    return Client({"SOURCE_BUCKETS": "photos", "AWS_ENDPOINT_URL_S3": store.url, "AWS_REGION": "us-east-1", **more})


def serve(body: bytes, *, etag: str = "e1", cut: int | None = None) -> Script:
    """Return the script of a store that answers ranges; whole answers break after `cut` bytes."""
    headers = {**ETAG, "ETag": f'"{etag}"'}

    def script(asked: ParsedRequest) -> Reply:
        if found := RANGE.fullmatch(asked.headers.get("range", "")):
            first = int(found[1])
            return Reply(206, body[first:], {**headers, "Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"})
        return Reply(200, body, headers, sent=cut)

    return script


@contextmanager
def whole_files() -> Iterator[None]:
    """Within the block, read every original before it is decoded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "STREAMED_FROM", NEVER)
        yield


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> list[OriginalStream]:
    """Return the streams from which pixels were decoded."""
    found: list[OriginalStream] = []
    starts = OriginalStream.start

    def start(stream: OriginalStream, deadline: Deadline) -> bool:
        found.append(stream)
        return starts(stream, deadline)

    monkeypatch.setattr(OriginalStream, "start", start)
    return found


def both(store: ScriptedServer, address: str = RESIZED, **more: str) -> tuple[Answered, Answered]:
    """Return the answer from a stream and the one from the whole file."""
    service = client(store, **more)
    streamed = service.get(address)
    with whole_files():
        return streamed, service.get(address)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameters", ["width=90&format=jpeg", "width=300&format=webp", CROPPED])
def test_the_answer_is_that_of_the_whole_file(
    store: ScriptedServer, streamed: list[OriginalStream], kind: str, parameters: str
) -> None:
    store.script = serve(KINDS[kind]())
    from_stream, from_file = both(store, f"/cat.jpg?{parameters}")
    assert from_stream.status == 200, from_stream.body
    assert from_stream == from_file
    assert (GENERATED in from_stream.body) == (kind == "generated")
    assert len(streamed) == 1
    assert len(store.asked) == 2


NOT_STREAMED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a progressive JPEG": (lambda: pictures.jpeg(noise(), Q=90, interlace=True), "width=90"),
    "a PNG": (lambda: pictures.png(noise()), "width=90"),
    "a header that does not end": (lambda: with_segments(photograph(), 40), "width=90"),
    "a report about the file": (photograph, "info=true"),
    "the original itself": (photograph, ""),
    "an answer that may be the original": (photograph, "width=700&format=jpeg&quality=100"),
    "kept metadata": (photograph, "width=90&metadata=keep"),
    "a kept gain map": (photograph, "width=90&hdr=keep"),
    "a lossless WebP": (lambda: webp(lossless=True), "width=90"),
    "a WebP with alpha": (lambda: webp(noise().bandjoin(noise()[0])), "width=90"),
    "a WebP with EXIF": (lambda: pictures.webp(noise(), Q=96, orientation=6), "width=90"),
    "a WebP with bytes after its end": (lambda: webp_photograph() + bytes(1000), "width=90"),
    "an animated WebP": (lambda: pictures.webp(pictures.film(500, 400), Q=100), "width=90&format=webp"),
}


@pytest.mark.parametrize("kind", NOT_STREAMED)
def test_what_needs_the_whole_file_is_read_once(
    store: ScriptedServer, streamed: list[OriginalStream], kind: str
) -> None:
    body, parameters = NOT_STREAMED[kind]
    store.script = serve(body())
    from_stream, from_file = both(store, f"/cat.jpg?{parameters}")
    assert from_stream.status == 200, from_stream.body
    assert from_stream == from_file
    assert len(streamed) == (kind == "kept metadata")
    assert len(store.asked) == 2


def test_a_small_file_is_read_whole(store: ScriptedServer, streamed: list[OriginalStream]) -> None:
    store.script = serve(pictures.jpeg())
    assert client(store).get(RESIZED).status == 200
    assert streamed == []


@pytest.mark.parametrize("body", [photograph(), webp_photograph()], ids=["JPEG", "WebP"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True))
def test_a_connection_that_breaks_anywhere_is_resumed_there(store: ScriptedServer, body: bytes, place: float) -> None:
    cut = int(place * len(body))
    store.script = serve(body, cut=cut)
    store.asked.clear()
    answer = client(store).get(RESIZED)
    assert answer.status == 200, answer.body
    assert answer.body == expected(RESIZED, body)
    first, *others = [asked.headers.get("range") for asked in store.asked]
    assert first is None
    assert others == [f"bytes={cut}-{len(body) - 1}"]


@cache
def expected(address: str, body: bytes) -> bytes:
    with scripted_server(serve(body)) as store, whole_files():
        return client(store).get(address).body


@pytest.mark.parametrize("cut", [0, 70_000, 200_000])
def test_a_file_that_is_replaced_while_it_is_sent_is_an_error(store: ScriptedServer, cut: int) -> None:
    body = photograph()
    other = serve(body[::-1], etag="e2")
    first = serve(body, cut=cut)
    store.script = lambda asked: (other if "range" in asked.headers else first)(asked)
    answer = client(store).get(RESIZED)
    assert answer.status == 502
    assert "photos" in answer.json()["message"]


def test_a_damaged_file_that_is_replaced_before_it_is_read_again_is_an_error(store: ScriptedServer) -> None:
    damaged, other = serve(photograph()[:200_000]), serve(photograph(), etag="e2")

    def script(asked: ParsedRequest) -> Reply:
        return other(asked) if len(store.asked) > 1 else damaged(asked)

    store.script = script
    answer = client(store).get(RESIZED)
    assert answer.status == 503
    assert answer.json()["message"] == "`cat.jpg` was replaced while it was read: try again"


@pytest.mark.parametrize("sent", [1_000, 70_000, 200_000])
def test_a_store_that_stalls_costs_no_more_than_the_deadline(store: ScriptedServer, sent: int) -> None:
    store.script = lambda _: Reply(200, photograph(), ETAG, sent=sent, after=2)
    started = time.monotonic()
    answer = client(store, MAX_SECONDS="1").get(RESIZED)
    assert answer.status == (504 if sent > 1_000 else 502)
    assert time.monotonic() - started < 60


def test_a_stall_ends_at_the_deadline_and_not_when_the_store_gives_up(store: ScriptedServer) -> None:
    goes_on = threading.Event()

    def script(asked: ParsedRequest) -> Reply:
        if "range" in asked.headers:
            goes_on.wait(60)
        return serve(photograph(), cut=200_000)(asked)

    store.script = script
    try:
        # The store does not answer again until the client has its answer.
        assert client(store, MAX_SECONDS="1").get(RESIZED).status == 504
    finally:
        goes_on.set()


def cut_webp(size: int) -> bytes:
    """Return the first bytes of a WebP, whose head states that there are no more."""
    body = bytearray(webp_photograph()[:size])
    body[4:8], body[16:20] = (size - 8).to_bytes(4, "little"), (size - 20).to_bytes(4, "little")
    return bytes(body)


DAMAGED: dict[str, tuple[Callable[[], bytes], int]] = {
    "cut off": (lambda: photograph()[:200_000], 422),
    "zeros from its first block on": (lambda: photograph()[:60_000] + bytes(200_000), 200),
    "without its end mark": (lambda: photograph().removesuffix(b"\xff\xd9"), 200),
    "with half an end mark": (lambda: photograph()[:-1], 200),
    "with bytes after its end": (lambda: photograph() + bytes(300_000), 200),
    "overwritten with zeros": (lambda: photograph()[:150_000] + bytes(100_000) + photograph()[250_000:], 200),
    "a WebP that is cut off": (lambda: webp_photograph()[:200_000], 422),
    "a WebP that is overwritten": (lambda: webp_photograph()[:100_000] + bytes(len(webp_photograph()) - 100_000), 200),
    "a WebP whose end is cut off, as its head says": (lambda: cut_webp(200_000), 422),
    "followed by another": (lambda: photograph()[:150_000] + photograph(), 200),
}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("tolerate", ["No", "Yes"])
def test_a_damaged_file_gets_the_answer_of_the_whole_file(store: ScriptedServer, kind: str, tolerate: str) -> None:
    body, status = DAMAGED[kind]
    store.script = serve(body())
    from_stream, from_file = both(store, TOLERATE_TRUNCATED=tolerate)
    assert from_stream == from_file
    if tolerate == "No":
        assert from_stream.status == status


@pytest.mark.parametrize("body", [photograph(), webp_photograph()], ids=["JPEG", "WebP"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.one_of(st.floats(0, 1, exclude_max=True), st.floats(0, 0.001)), written=st.binary(min_size=1, max_size=40)
)
def test_any_damage_gets_the_answer_of_the_whole_file(
    store: ScriptedServer, body: bytes, place: float, written: bytes
) -> None:
    start = int(place * len(body))
    store.script = serve(body[:start] + written + body[start + len(written) :])
    from_stream, from_file = both(store)
    assert from_stream == from_file


@pytest.mark.parametrize("address", [RESIZED, f"/cat.jpg?{CROPPED}"], ids=["all rows", "the first rows"])
def test_a_transfer_that_stays_broken_is_an_error(store: ScriptedServer, address: str) -> None:
    """Whether or not the decoder needs the rows that are missing: a file is whole, or it is not answered from."""
    store.script = lambda _: Reply(200, photograph(), ETAG, sent=200_000)
    from_stream, from_file = both(store, address)
    assert from_stream.status == from_file.status == 502
    assert from_stream.json() == from_file.json()


def test_a_store_that_sends_more_than_it_has_announced(store: ScriptedServer) -> None:
    announced = str(len(photograph()) - 100_000)
    store.script = lambda _: Reply(200, photograph(), {**ETAG, "Content-Length": announced}, sent=len(photograph()))
    from_stream, from_file = both(store)
    assert from_stream.status == 422
    assert from_stream == from_file


def test_a_file_above_the_limit_is_refused_unread(store: ScriptedServer, streamed: list[OriginalStream]) -> None:
    store.script = serve(photograph())
    from_stream, from_file = both(store, MAX_SOURCE_BYTES="250000")
    assert from_stream.status == 413
    assert from_stream == from_file
    assert streamed == []


@pytest.mark.parametrize("limit", ["MAX_SOURCE_PIXELS", "MAX_RESULT_PIXELS", "MEMORY_BUDGET"])
def test_limits_are_those_of_whole_files(store: ScriptedServer, limit: str) -> None:
    store.script = serve(photograph())
    from_stream, from_file = both(store, "/cat.jpg?width=1400&format=jpeg&enlarge=true", **{limit: "400000"})
    assert from_stream.status in (400, 413)
    assert from_stream == from_file


def test_the_log_line_is_that_of_a_whole_file(store: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    store.script = serve(photograph())
    both(store)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        for name in ("timestamp", "milliseconds"):
            del line[name]
    assert lines[0] == lines[1]
    assert lines[0]["source_bytes"] == len(photograph())


def test_an_unmodified_answer_reads_no_body(store: ScriptedServer, streamed: list[OriginalStream]) -> None:
    store.script = serve(photograph())
    service = client(store)
    etag = service.get(RESIZED).headers["ETag"]
    assert service.get(RESIZED, if_none_match=etag).status == 304
    assert len(streamed) == 1


@pytest.mark.parametrize("body", [photograph(), photograph()[:200_000]], ids=["whole", "damaged"])
def test_no_thread_outlives_its_request(store: ScriptedServer, body: bytes) -> None:
    store.script = serve(body)
    service = client(store)
    for _ in range(3):
        service.get(RESIZED)
        service.get(f"/cat.jpg?{CROPPED}")
    receivers = [thread for thread in threading.enumerate() if thread.name == "receive"]
    for thread in receivers:
        thread.join(10)
    assert not any(thread.is_alive() for thread in receivers)


def test_without_a_thread_the_file_is_read_whole(store: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: OriginalStream, __: Any) -> bool:
        return False

    store.script = serve(photograph())
    monkeypatch.setattr(OriginalStream, "start", refuse)
    answer = client(store).get(RESIZED)
    assert answer.body == expected(RESIZED, photograph())
    assert len(store.asked) == 1


def test_without_pillows_library_a_webp_is_read_whole(
    store: ScriptedServer, streamed: list[OriginalStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.script = serve(webp_photograph())
    monkeypatch.setattr(webp_stream, "_library", lambda: None)
    answer = client(store).get(RESIZED)
    assert answer.body == expected(RESIZED, webp_photograph())
    assert streamed == []
    assert len(store.asked) == 1


@pytest.mark.parametrize("body", [photograph(), webp_photograph()], ids=["JPEG", "WebP"])
def test_a_file_of_a_folder_is_not_streamed(tmp_path: Path, streamed: list[OriginalStream], body: bytes) -> None:
    (tmp_path / "cat.jpg").write_bytes(body)
    answer = Client({"SOURCE_BUCKETS": f"photos=file://{tmp_path}"}).get(RESIZED)
    assert answer.body == expected(RESIZED, body)
    assert streamed == []


def test_a_jpeg_of_a_store_that_is_as_fast_as_a_disk_is_read_whole(
    store: ScriptedServer, streamed: list[OriginalStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(original_stream, "_FAST", 1)
    store.script = serve(photograph())
    answer = client(store).get(RESIZED)
    assert answer.body == expected(RESIZED, photograph())
    assert streamed == []
    assert len(store.asked) == 1
