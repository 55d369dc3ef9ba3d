"""Several processes that serve one listening socket. Their parent starts them, replaces them and passes signals on.

The processes are forked before any of them opens stores, libraries or threads; what they share are the socket, the
secret of forms and the board of metrics.
"""

from __future__ import annotations

import json
import logging
import mmap
import os
import select
import signal
import sys
import threading
import time
from collections import deque
from typing import Any

from prometheus_client.metrics_core import Metric

_log = logging.getLogger(__name__)
_SLOT_BYTES = 262_144
_LENGTH_BYTES = 4
_MAX_REPLACED, _REPLACED_SECONDS = 10, 60
"""A server whose processes are replaced more often than this ends, so that its own supervisor sees it."""
_PAUSE_SECONDS = 0.5
"""Pause before a process that has ended is replaced."""
_REAP_SECONDS = 0.2
"""How often the parent looks for processes that have ended while it waits for another one to be ready."""
_READ_ATTEMPTS = 5
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class MetricsBoard:
    """Shared memory in which each process publishes its metrics, so that any of them can report the metrics of all."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._memory = mmap.mmap(-1, count * _SLOT_BYTES)

    def publish(self, number: int, families: list[Metric]) -> None:
        """Replace the metrics of a process."""
        content = json.dumps(
            [
                [each.name, each.documentation, each.type, [[one.name, one.labels, one.value] for one in each.samples]]
                for each in families
            ]
        ).encode()
        if len(content) > _SLOT_BYTES - _LENGTH_BYTES:
            raise ValueError(f"the metrics of a process must have at most {_SLOT_BYTES} bytes, got {len(content)}")
        start = number * _SLOT_BYTES
        # A length of 0 while the content changes; a reader that meets it tries again.
        self._memory[start : start + _LENGTH_BYTES] = bytes(_LENGTH_BYTES)
        self._memory[start + _LENGTH_BYTES : start + _LENGTH_BYTES + len(content)] = content
        self._memory[start : start + _LENGTH_BYTES] = len(content).to_bytes(_LENGTH_BYTES, "big")

    def clear(self, number: int) -> None:
        """Remove the metrics of a process that has ended."""
        start = number * _SLOT_BYTES
        self._memory[start : start + _LENGTH_BYTES] = bytes(_LENGTH_BYTES)

    def collect(self) -> list[Metric]:
        """Return the metrics of all processes, each sample with the label `process`."""
        merged: dict[str, Metric] = {}
        for number in range(self._count):
            for name, documentation, kind, samples in self._read(number):
                family = merged.setdefault(name, Metric(name, documentation, kind))
                for sample, labels, value in samples:
                    family.add_sample(sample, {**labels, "process": str(number)}, value)
        return list(merged.values())

    def _read(self, number: int) -> list[Any]:
        """Return what a process has published last; empty if it has not, or does so all the time."""
        start = number * _SLOT_BYTES
        for _ in range(_READ_ATTEMPTS):
            head = self._memory[start : start + _LENGTH_BYTES]
            length = int.from_bytes(head, "big")
            content = self._memory[start + _LENGTH_BYTES : start + _LENGTH_BYTES + length]
            if length and head == self._memory[start : start + _LENGTH_BYTES]:
                try:
                    return list(json.loads(content))
                except ValueError:  # it has been replaced meanwhile by one of the same length
                    continue
            time.sleep(0.001)
        return []


class ConnectionBoard:
    """Memory in which each process says how many connections it has, so that they share new ones evenly."""

    _NONE = 0xFFFFFFFF
    """Stands for a process that does not serve."""

    def __init__(self, count: int) -> None:
        self._counts = memoryview(mmap.mmap(-1, count * 4)).cast("I")
        for number in range(count):
            self.clear(number)

    def publish(self, number: int, connections: int) -> None:
        """Say how many connections a process has."""
        self._counts[number] = connections

    def clear(self, number: int) -> None:
        """Remove a process that has ended."""
        self._counts[number] = self._NONE

    def smallest(self) -> int:
        """Return the connections of the process that has the fewest."""
        return min(self._counts)


class Member:
    """One of the processes."""

    def __init__(
        self, number: int, board: MetricsBoard, connections: ConnectionBoard, ready: int, *, is_replacement: bool
    ) -> None:
        self.number = number
        self.board = board
        self.connections = connections
        self.is_replacement = is_replacement
        self._ready = ready
        self._parent = os.getppid()

    def report_ready(self) -> None:
        """Tell the parent that this process serves from now on."""
        os.write(self._ready, b"1")
        os.close(self._ready)

    @property
    def is_orphan(self) -> bool:
        """Whether the parent has ended, which would have stopped this process."""
        return os.getppid() != self._parent


def fork_members(count: int) -> Member:
    """Start so many processes. Return in each of them; the parent ends the program when they have ended."""
    return _Supervisor(count).run()


class _Supervisor:
    def __init__(self, count: int) -> None:
        self._count = count
        self._board = MetricsBoard(count)
        self._connections = ConnectionBoard(count)
        self._members: dict[int, int] = {}
        """The number of each process by its ID."""
        self._ended: deque[tuple[int, int]] = deque()
        """The number and the exit status of each process that has ended and is not replaced yet."""
        self._stopping = threading.Event()
        self._status = 0
        self._replaced: deque[float] = deque(maxlen=_MAX_REPLACED)

    def run(self) -> Member:
        for each in _SIGNALS:
            signal.signal(each, lambda *_: self._stop())
        # The next process starts when the one before is ready, so that a fault of the settings is reported once.
        for number in range(self._count):
            if not self._stopping.is_set() and (member := self._start(number)) is not None:
                return member
        while self._ended or self._members:
            if not self._ended:
                self._note_end(*os.waitpid(-1, 0))
            if (member := self._replace(*self._ended.popleft())) is not None:
                return member
        sys.exit(self._status)

    def _note_end(self, pid: int, wait_status: int) -> None:
        """Remove from the boards what a process that has ended has published."""
        number = self._members.pop(pid)
        self._board.clear(number)
        self._connections.clear(number)
        self._ended.append((number, os.waitstatus_to_exitcode(wait_status)))

    def _replace(self, number: int, status: int) -> Member | None:
        """Start another process in the place of one that has ended, unless the server stops."""
        if self._stopping.is_set():
            # The signal itself ends a process that does not serve yet.
            has_stopped = status == 0 or -status in _SIGNALS
            self._status = self._status or (0 if has_stopped else max(status, 1))
            return None
        now = time.monotonic()
        if len(self._replaced) == _MAX_REPLACED and now - self._replaced[0] < _REPLACED_SECONDS:
            _log.error("%d processes have ended within %d s: the server ends", _MAX_REPLACED, _REPLACED_SECONDS)
            self._fail(1)
            return None
        _log.warning("process %d has ended with status %d and is replaced", number, status)
        self._replaced.append(now)
        time.sleep(_PAUSE_SECONDS)
        return None if self._stopping.is_set() else self._start(number, is_replacement=True)

    def _start(self, number: int, *, is_replacement: bool = False) -> Member | None:
        """Fork. Return the member in the new process, None in the parent after that one is ready or has ended."""
        reader, writer = os.pipe()
        # A signal that arrives before the process is known would not be passed on to it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return Member(number, self._board, self._connections, writer, is_replacement=is_replacement)
        self._members[pid] = number
        os.close(writer)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        while not select.select([reader], [], [], _REAP_SECONDS)[0]:
            self._reap_others(pid)
        is_ready = bool(os.read(reader, 1))
        os.close(reader)
        if not is_ready and not self._stopping.is_set():
            _, wait_status = os.waitpid(pid, 0)
            del self._members[pid]
            self._fail(os.waitstatus_to_exitcode(wait_status))
        return None

    def _reap_others(self, starting: int) -> None:
        """Note the processes that have ended, except for the one that starts."""
        for pid in self._members.keys() - {starting}:
            ended, wait_status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._note_end(pid, wait_status)

    def _fail(self, status: int) -> None:
        """End the program with an error after the other processes have ended."""
        self._status = status if status > 0 else 1
        self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        for pid in list(self._members):
            os.kill(pid, signal.SIGTERM)
