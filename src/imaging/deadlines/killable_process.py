"""Isolated processes: for work that nothing can stop, or that a hostile file may take over.

Such a process is limited by the kernel and is killed at the deadline. It is forked from a process that has everything
imported (`fork_server`, which `fork_server_client` starts). Import this module only where there is such work.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, ParamSpec, Self, TypeVar

from imaging.context import Deadline
from imaging.deadlines.fork_server import LIMITS_FORMAT, STATUS_FORMAT, ResourceLimits, is_isolated
from imaging.deadlines.fork_server_client import ForkServer
from imaging.deadlines.transfer import Channel, TransferError, error_of
from imaging.errors import TimeExceeded

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
_GRACE = 0.005
"""Seconds by which a process is killed after the deadline, so that the deadline has surely passed by then."""
_SECONDS_TO_END = 1.0
"""How long to wait for a killed process to be gone."""
_DESCRIPTORS = 64
"""Open files of a confined process, which opens fonts and shared libraries."""
_UNLIMITED = 2**62
_UNKNOWN_STATUS = "an unknown status"


class ProcessDied(RuntimeError):
    """The process ended without an answer."""

    def __init__(self, message: str, status: str = "") -> None:
        """`status` is the signal or the exit status by which it ended."""
        super().__init__(message)
        self.status = status
        self.spent_its_time = status == "SIGXCPU"


class Confinement(NamedTuple):
    """Bounds for work on untrusted bytes."""

    deadline: Deadline
    memory: int
    """Bytes that the work may use."""
    processors: float = 1.0
    """Processors that its threads may keep busy at the same time."""
    work: float = math.inf
    """Seconds of one processor that the work may take."""

    @property
    def bounds(self) -> ResourceLimits:
        """The limits for the kernel. No file may hold a byte, so nothing can be written."""
        left = min(self.deadline.left() * max(1.0, self.processors), self.work)
        seconds = -1 if math.isinf(left) else math.ceil(left) + 1
        return ResourceLimits(self.memory, seconds, _DESCRIPTORS, 0)


def run_isolated(deadline: Deadline, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
    """Call `work` in a process of its own that is killed at the deadline, and return what it returns.

    `work` must be a function of a module. Its arguments and its result are pickled, pyvips images as their pixels.
    Raises TimeExceeded at the deadline, ProcessDied where the process ends by itself, and what `work` raises.
    """
    with IsolatedProcess(deadline) as process:
        return process.call(_UNLIMITED, work, *args, **kwargs)


def run_confined(
    confinement: Confinement, max_answer: int, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs
) -> ResultT:
    """Call `work` as `run_isolated` does, within limits of the kernel, on bytes that may be hostile.

    The process may send back `max_answer` bytes.
    """
    with IsolatedProcess(confinement.deadline, confinement.bounds) as process:
        return process.call(max_answer, work, *args, **kwargs)


class IsolatedProcess:
    """A process for work on one file; it can be given several calls, one after the other."""

    def __init__(self, deadline: Deadline, limits: ResourceLimits | None = None) -> None:
        """Take a process from the fork server and limit it; TimeExceeded where the deadline has passed.

        An isolated process takes no other one: it does the work itself.
        """
        deadline.check()
        self.deadline = deadline
        self._limits = LIMITS_FORMAT.pack(*(limits or ResourceLimits()))
        self._has_answered = False
        self._ends: tuple[socket.socket, socket.socket] | None = None
        if not is_isolated():
            self._take()

    def _take(self) -> socket.socket:
        """Take a process, limit it, and return the socket for its work."""
        self._ends = work, _ = _server.take(self.deadline)
        with suppress(ConnectionError):  # it has ended already, which its first call finds out
            socket.send_fds(work, [self._limits], [2])
        return work

    def call(self, max_answer: int, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
        """Call `work` in the process and return what it returns, in at most `max_answer` bytes.

        Raises TimeExceeded at the deadline, ProcessDied where the process ends by itself, and what `work` raises.
        """
        if self._ends is None:
            return work(*args, **kwargs)
        self.deadline.check()
        until = self.deadline.at + _GRACE
        try:
            has_raised, value = self._exchange(Channel(self._ends[0], until, max_answer), (work, args, kwargs))
        except ProcessDied as error:
            # A killed fork server takes its processes with it. One that has done nothing yet is replaced once.
            if error.status != _UNKNOWN_STATUS or self._has_answered:
                raise
            channel = Channel(self._take(), until, max_answer)
            has_raised, value = self._exchange(channel, (work, args, kwargs))
        self._has_answered = True
        if has_raised:
            raise error_of(*value)
        return value  # type: ignore[no-any-return]  # the other process returned what `work` returns

    def _exchange(self, channel: Channel, request: tuple[Callable[..., Any], Any, Any]) -> tuple[bool, Any]:
        """Send a call, and return whether it raised and what it returned or raised."""
        try:
            channel.send(request)
            answer: tuple[bool, Any] = channel.receive()
        except TimeoutError:
            self.end()
            raise TimeExceeded("the picture took longer than one request may take") from None
        except TransferError as error:
            status = self.end()
            # At the deadline the kernel's limit of processor time may have ended the process first.
            self.deadline.check()
            raise ProcessDied(
                f"the process that ran {request[0].__name__} ended with {status}: {error}", status
            ) from None
        return answer

    def end(self) -> str:
        """Kill the process, and return how it ended: the name of a signal, or an exit status."""
        if self._ends is None:
            return "nothing"
        work, life = self._ends
        self._ends = None
        with work, life:
            try:
                # The fork server reads the end of this socket, kills the process and answers with its status.
                life.shutdown(socket.SHUT_WR)
                life.settimeout(_SECONDS_TO_END)
                (status,) = STATUS_FORMAT.unpack(life.recv(STATUS_FORMAT.size))
            except (OSError, struct.error):
                # The fork server has ended, or takes too long.
                return _UNKNOWN_STATUS
        return signal.Signals(-status).name if status < 0 else str(status)

    def close(self) -> None:
        """Have the process killed, without waiting until it is gone."""
        for end in self._ends or ():
            end.close()
        self._ends = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_server = ForkServer()


def start_fork_server() -> None:
    """Start the fork server now, so that the first work does not wait for it."""
    _server.start()


def open_no_more_files() -> None:
    """Refuse an isolated process to open files from now on, such as those of `/proc` about its parent.

    In any other process this does nothing.
    """
    if is_isolated():
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _after_fork() -> None:
    global _server  # noqa: PLW0603 - the fork server belongs to the process that forked
    _server = ForkServer()


os.register_at_fork(after_in_child=_after_fork)
