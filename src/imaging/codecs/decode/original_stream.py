"""An original that is decoded while its store still sends it."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from io import BytesIO
from typing import Any

import pyvips

from imaging.context import Deadline

_AHEAD = 1 << 19
"""Bytes that may wait for the decoder. The store waits while there are more."""
_REFILLED = _AHEAD // 2
"""Bytes from which on the store goes on, so that the threads wait for each other less often."""
_LONGEST_HEAD = 1 << 20
"""Bytes in which a header must end. Files with larger profiles, thumbnails or EXIF are read whole."""
_FAST = 200e6
"""Bytes per second from which on a store sends a file sooner than a decoder gains by starting early."""
_NOTHING = memoryview(b"")


class OriginalStream:
    """The bytes of an original: first its head, then all of them, as a thread of its own receives them.

    Either `read_whole` follows on `read_head`, or `start` and then `finish` or `abandon`.
    """

    def __init__(
        self,
        size: int,
        blocks: Generator[bytes],
        read_rest: Callable[[Sequence[bytes]], bytes],
        read_again: Callable[[], bytes],
    ) -> None:
        """`size` is the number of bytes that the store has announced; `blocks` raises whatever fails in the store, and
        closes the connection when it is closed.

        `read_rest` returns all bytes, given the blocks that were read. `read_again` requests the same file again.
        """
        self.size = size
        self.is_slow = True
        """Whether the head came so slowly that decoding gains time during the wait for the rest."""
        self.read_again = read_again
        self._blocks = blocks
        self._read_rest = read_rest
        self._head: list[bytes] = []
        self._deadline = Deadline()
        self._block = BytesIO()
        # The fields below are read and written by both threads, with this condition held.
        self._change = threading.Condition()
        self._waiting: deque[memoryview] = deque()
        self._ahead = 0
        self._is_discarding = False
        self._is_abandoned = False
        self._has_ended = False
        self._failure: BaseException | None = None

    def read_head(self, is_enough: Callable[[bytes], bool]) -> bytes:
        """Return the first bytes, as many as are enough, or all; none if that would be too many."""
        head, started = b"", time.monotonic()
        for block in self._blocks:
            self._head.append(block)
            head += bytes(block)
            self.is_slow = time.monotonic() - started > len(head) / _FAST
            if is_enough(head):
                return head
            if len(head) > _LONGEST_HEAD:
                return b""
        return head

    def read_whole(self) -> bytes:
        """Return all bytes."""
        return self._read_rest(self._head)

    def start(self, deadline: Deadline) -> bool:
        """Start to receive the rest; return False where the machine has no thread left. Nothing waits longer than
        until the deadline.
        """
        self._deadline = deadline
        self._waiting.extend(map(memoryview, self._head))
        self._ahead = sum(map(len, self._waiting))
        try:
            threading.Thread(target=self._receive, name="receive", daemon=True).start()
        except RuntimeError:
            return False
        self._head = []
        return True

    def open_source(self) -> pyvips.Source:
        """Return the source from which libvips reads the file from its beginning."""
        source = pyvips.SourceCustom()
        # `on_read` would make a copy of each piece, and a JPEG is read in pieces of 4 kB.
        source.signal_connect("read", self.readinto)
        return source

    def readinto(self, buffer: Any) -> int:
        """Copy the next bytes to a buffer, and return how many: 0 where `next_block` returns none."""
        count = self._block.readinto(buffer)
        if not count:
            self._block = BytesIO(self.next_block())
            count = self._block.readinto(buffer)
        return count

    def next_block(self) -> memoryview:
        """Return the next bytes, as soon as there are any.

        Return none at the end, if the store has failed, and after the deadline: a decoder knows only ends. `finish`
        raises the error.
        """
        with self._change:
            while not self._waiting and not self._has_ended:
                if not self._wait():
                    break
            if not self._waiting:
                return _NOTHING
            block = self._waiting.popleft()
            was_full, self._ahead = self._ahead > _REFILLED, self._ahead - len(block)
            if was_full and self._ahead <= _REFILLED:
                self._change.notify_all()
            return block

    def finish(self) -> None:
        """Wait until the store has sent the rest. Raise what has failed there, or TimeExceeded.

        So a transfer that fails is an error, whether or not the decoder needed the missing bytes.
        """
        with self._change:
            self._is_discarding = True
            self._change.notify_all()
            while not self._has_ended:
                if not self._wait():
                    self._abandon()
                    self._deadline.check()
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise what has failed in the store, if anything has."""
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Receive no more: the connection to the store is closed."""
        with self._change:
            self._abandon()

    def _abandon(self) -> None:
        self._is_discarding = self._is_abandoned = True
        self._change.notify_all()

    def _wait(self) -> bool:
        """Wait for a change; return False once the deadline has passed."""
        left = self._deadline.left()
        if left <= 0:
            return False
        self._change.wait(None if math.isinf(left) else min(left, threading.TIMEOUT_MAX))
        return True

    def _receive(self) -> None:
        try:
            for block in self._blocks:
                if not self._put(block):
                    break
        except BaseException as error:  # noqa: BLE001 - raised again on the thread that decodes
            self._failure = error
        finally:
            self._blocks.close()
            with self._change:
                self._has_ended = True
                self._change.notify_all()

    def _put(self, block: bytes) -> bool:
        """Add a block for the decoder, and wait while too many wait for it; return whether to go on."""
        with self._change:
            if not self._is_discarding:
                self._waiting.append(memoryview(block))
                self._ahead += len(block)
                self._change.notify_all()
            if self._ahead > _AHEAD:
                self._change.wait_for(lambda: self._ahead <= _REFILLED or self._is_discarding)
            return not self._is_abandoned
