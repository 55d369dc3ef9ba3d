"""Work that cannot be told to stop, or that a file may take over, in a process that is limited and can be killed.

The processes are forked from one that has everything imported (`_fork_server`), which is started when it is first
needed. Their environment is empty but for what the interpreter needs, and they hold no descriptor of this process.
Imported only where there is such work.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, Self, TypeVar

from imaging.context import Deadline
from imaging.deadlines.fork_server import AHEAD, BOUNDS, NOW, STATUS, ResourceLimits, serve
from imaging.deadlines.privileges import hide_memory
from imaging.deadlines.transfer import Channel, TransferError, error_of
from imaging.errors import TimeExceeded

__all__ = [
    "Confinement",
    "IsolatedProcess",
    "ProcessDied",
    "enter",
    "open_no_more_files",
    "run_confined",
    "run_isolated",
    "serve",
    "start_fork_server",
]

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
_SERVE = "import sys; sys.path[:0] = sys.argv[2:]; from imaging.deadlines.killable_process import serve; serve()"
_GRACE = 0.005
"""Seconds by which a kill comes after the deadline, so that the deadline is surely what has passed."""
_SECONDS_TO_START, _SECONDS_TO_END = 20.0, 1.0
"""How long the fork server may take to give a process, and a killed one to be gone."""
_ENVIRONMENT = {
    # Where Lambda's interpreter, among others, has its library.
    "LD_LIBRARY_PATH": str(Path(sys.base_prefix, "lib")),
    # Arenas would count against the limit of memory.
    "MALLOC_ARENA_MAX": "2",
}
_DESCRIPTORS = 64
"""A confined process opens fonts and shared libraries."""


class ProcessDied(RuntimeError):
    """The process ended without an answer."""


class Confinement(NamedTuple):
    """What work on untrusted bytes is held to."""

    deadline: Deadline
    memory: int
    """Bytes."""
    processors: float = 1.0

    @property
    def bounds(self) -> ResourceLimits:
        """For the kernel. No file can grow, so nothing is written."""
        left = self.deadline.left()
        seconds = -1 if math.isinf(left) else math.ceil(left * max(1.0, self.processors)) + 1
        return ResourceLimits(self.memory, seconds, _DESCRIPTORS, 0)


def run_isolated(deadline: Deadline, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
    """What `work` returns or raises in a process of its own that is killed at the deadline; then TimeExceeded.

    `work` is a function of a module. It and what it takes and gives is pickled, pyvips images as their pixels.
    """
    with IsolatedProcess(deadline) as process:
        return process.call(_UNLIMITED, work, *args, **kwargs)


def run_confined(
    confinement: Confinement, answer: int, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs
) -> ResultT:
    """The same within limits of the kernel, for bytes that nobody vouches for; `answer` bytes may come back."""
    with IsolatedProcess(confinement.deadline, confinement.bounds) as process:
        return process.call(answer, work, *args, **kwargs)


_UNLIMITED = 2**62


class IsolatedProcess:
    """A process for work on one file; it may be given several pieces one after the other."""

    def __init__(self, deadline: Deadline, bounds: ResourceLimits | None = None) -> None:
        """Take a process and limit it. TimeExceeded."""
        deadline.check()
        self.deadline = deadline
        self._ends: tuple[socket.socket, socket.socket] | None = None
        if not _inside:
            self._ends = _server.take()
            socket.send_fds(self._ends[0], [BOUNDS.pack(*(bounds or ResourceLimits()))], [2])

    def call(self, answer: int, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
        """What `work` returns or raises there, in at most `answer` bytes. ProcessDied, TimeExceeded."""
        if self._ends is None:
            return work(*args, **kwargs)
        self.deadline.check()
        raised, value = self._exchange(Channel(self._ends[0], self.deadline.at + _GRACE, answer), (work, args, kwargs))
        if raised:
            raise error_of(*value)
        return value  # type: ignore[no-any-return]  # what `work` gave

    def _exchange(self, channel: Channel, request: tuple[Callable[..., Any], Any, Any]) -> tuple[bool, Any]:
        try:
            channel.send(request)
            answer: tuple[bool, Any] = channel.receive()
        except TimeoutError:
            self.end()
            raise TimeExceeded("the picture took longer than one request may take") from None
        except TransferError as error:
            status = self.end()
            self.deadline.check()
            raise ProcessDied(f"the process that ran {request[0].__name__} ended with {status}: {error}") from None
        return answer

    def end(self) -> str:
        """Kill the process, and say how it ended."""
        if self._ends is None:
            return "nothing"
        work, life = self._ends
        self._ends = None
        with work, life:
            try:
                life.shutdown(socket.SHUT_WR)
                life.settimeout(_SECONDS_TO_END)
                (status,) = STATUS.unpack(life.recv(STATUS.size))
            except (OSError, ValueError):
                return "an unknown status"
        return signal.Signals(-status).name if status < 0 else str(status)

    def close(self) -> None:
        """Let the process be killed, without waiting for that."""
        for end in self._ends or ():
            end.close()
        self._ends = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server:
    """The fork server of this process, and the process that it has forked ahead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        with self._lock:
            if self._control is None:
                self._start(AHEAD)

    def take(self) -> tuple[socket.socket, socket.socket]:
        """A process that waits for work: the socket for that, and the one that ends the process when it closes."""
        with self._lock:
            if self._control is not None:
                try:
                    return self._taken(self._control)
                except OSError:
                    # It was killed, most likely for want of memory.
                    self._stop()
            return self._taken(self._start(NOW))

    @staticmethod
    def _taken(control: socket.socket) -> tuple[socket.socket, socket.socket]:
        answer, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not answer:
            raise ConnectionResetError("the fork server has ended")
        control.sendall(AHEAD)
        return socket.socket(fileno=descriptors[0]), socket.socket(fileno=descriptors[1])

    def _start(self, order: bytes) -> socket.socket:
        hide_memory()
        control, theirs = socket.socketpair()
        with theirs, ExitStack() as unless_started:
            unless_started.enter_context(control)
            folders = [str(Path(folder).resolve()) for folder in sys.path if folder]
            # -E and -s: nothing but these folders decides what is imported.
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, a constant and this program's folders
                [sys.executable, "-PEs", "-c", _SERVE, str(theirs.fileno()), *folders],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_ENVIRONMENT,
                cwd="/",
                # Ctrl-C ends this process first, and that one with it.
                start_new_session=True,
            )
            unless_started.pop_all()
        self._control = control
        control.settimeout(_SECONDS_TO_START)
        control.sendall(order)
        return control

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


_server = _Server()
_inside = False


def start_fork_server() -> None:
    """Start the fork server now, so that the first piece of work does not wait for it."""
    _server.start()


def enter() -> None:
    """Note that this process is an isolated one: what it would isolate, it does itself."""
    global _inside  # noqa: PLW0603 - of the process, as the note is
    _inside = True


def open_no_more_files() -> None:
    """Have an isolated process open nothing from now on, such as what `/proc` tells of its parent."""
    if _inside:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _after_fork() -> None:
    global _server  # noqa: PLW0603 - another's children are not ours
    _server = _Server()


os.register_at_fork(after_in_child=_after_fork)
