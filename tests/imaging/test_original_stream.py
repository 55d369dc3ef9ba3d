"""The stream of an original: every byte once and in order, a bounded number of them ahead, errors where they belong."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Generator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging import Deadline, OriginalStream, TimeExceeded
from imaging.codecs.decode import original_stream

MEGA = 1 << 20


def never() -> bytes:
    raise AssertionError("the file must not be read again")


def stream_of(blocks: Generator[bytes]) -> OriginalStream:
    return OriginalStream(0, blocks, lambda head: b"".join([*head, *blocks]), never)


def read_all(stream: OriginalStream) -> bytes:
    return b"".join(iter(stream.next_block, b""))


@settings(deadline=None)
@given(
    blocks=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=30),
    head=st.integers(0, 2000),
    reads=st.lists(st.integers(1, 500), min_size=1),
)
def test_reads_of_any_size_give_all_bytes_in_order(blocks: list[bytes], head: int, reads: list[int]) -> None:
    stream = stream_of(each for each in blocks)
    found = stream.read_head(lambda read: len(read) >= head)
    body = b"".join(blocks)
    assert body.startswith(found)
    assert len(found) >= min(head, len(body))
    assert stream.start(Deadline.after(60))
    received = bytearray()
    for count in itertools.cycle(reads):
        buffer = bytearray(count)
        read = stream.readinto(buffer)
        received += buffer[:read]
        if not read:
            break
    stream.finish()
    assert received == body


@settings(deadline=None)
@given(blocks=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=30), head=st.integers(0, 2000))
def test_a_file_that_is_not_streamed_is_read_to_its_end(blocks: list[bytes], head: int) -> None:
    stream = stream_of(each for each in blocks)
    stream.read_head(lambda read: len(read) >= head)
    assert stream.read_whole() == b"".join(blocks)


def test_the_store_waits_while_too_many_bytes_wait_for_the_decoder() -> None:
    sent = threading.Semaphore(0)
    count = 0

    def blocks() -> Generator[bytes]:
        nonlocal count
        for _ in range(64):
            count += 1
            sent.release()
            yield bytes(MEGA // 4)

    stream = stream_of(blocks())
    stream.start(Deadline.after(60))
    most = original_stream._AHEAD // (MEGA // 4) + 1
    for _ in range(most):
        assert sent.acquire(timeout=30)
    received = 0
    while block := stream.next_block():
        received += len(block)
        assert count * (MEGA // 4) - received <= original_stream._AHEAD + MEGA // 4
    stream.finish()
    assert received == 16 * MEGA


def test_an_error_of_the_store_is_an_end_for_the_decoder_and_raised_afterwards() -> None:
    def blocks() -> Generator[bytes]:
        yield b"head"
        raise OSError("the connection is gone")

    stream = stream_of(blocks())
    stream.start(Deadline.after(60))
    assert read_all(stream) == b"head"
    with pytest.raises(OSError, match="the connection is gone"):
        stream.raise_failure()
    with pytest.raises(OSError, match="the connection is gone"):
        stream.finish()


def test_an_error_after_what_the_decoder_has_read_is_raised_as_well() -> None:
    def blocks() -> Generator[bytes]:
        yield b"head"
        yield from (bytes(MEGA) for _ in range(8))
        raise OSError("the connection is gone")

    stream = stream_of(blocks())
    stream.start(Deadline.after(60))
    assert bytes(stream.next_block()) == b"head"
    with pytest.raises(OSError, match="the connection is gone"):
        stream.finish()


def test_a_store_that_stalls_is_waited_for_until_the_deadline() -> None:
    goes_on = threading.Event()

    def blocks() -> Generator[bytes]:
        yield b"head"
        goes_on.wait(60)

    stream = stream_of(blocks())
    stream.start(Deadline.after(0.2))
    try:
        assert read_all(stream) == b"head"
        with pytest.raises(TimeExceeded):
            stream.finish()
    finally:
        goes_on.set()


def test_a_stream_that_is_abandoned_closes_the_connection() -> None:
    closed = threading.Event()

    def blocks() -> Generator[bytes]:
        try:
            while True:
                yield bytes(MEGA)
        finally:
            closed.set()

    stream = stream_of(blocks())
    stream.start(Deadline.after(60))
    stream.next_block()
    stream.abandon()
    assert closed.wait(30)


def test_a_head_that_is_too_long_is_none() -> None:
    stream = stream_of(bytes(MEGA // 2) for _ in range(9))
    assert stream.read_head(lambda _: False) == b""
    assert len(stream.read_whole()) == 9 * MEGA // 2
