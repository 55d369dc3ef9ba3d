"""Isolated processes: for work that nothing can stop, or that a hostile file may take over.

Such a process is limited by the kernel and is killed at the deadline. It is forked from a process that has everything
imported (`fork_server`), which is started when the first one is needed. Its environment holds only what the interpreter
needs, and it inherits no descriptor of this process. Import this module only where there is such work.
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
from imaging.deadlines.fork_server import (
    FORK_AHEAD,
    FORK_NOW,
    LIMITS_FORMAT,
    STATUS_FORMAT,
    ResourceLimits,
    is_isolated,
    serve,
)
from imaging.deadlines.privileges import hide_memory
from imaging.deadlines.transfer import Channel, TransferError, error_of
from imaging.errors import TimeExceeded
from imaging.fonts import use_shipped_fonts

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
_SERVE = f"import sys; sys.path[:0] = sys.argv[3:]; from {serve.__module__} import {serve.__name__}; {serve.__name__}()"
_WARM_UP = "imaging.codecs.decode.warm_up"
"""The module that warms up the processes: named, as for multiprocessing's set_forkserver_preload, and never imported
here, because decoding is built on this package."""
_GRACE = 0.005
"""Seconds by which a process is killed after the deadline, so that the deadline has surely passed by then."""
_SECONDS_TO_START, _SECONDS_TO_END = 20.0, 1.0
"""How long to wait for the fork server to give a process, and for a killed process to be gone."""
_SECONDS_TO_GIVE_UP = 5.0
"""How long a fork server that runs may take to give a process, however busy the machine is."""
_ENVIRONMENT = {
    # Where some interpreters, Lambda's among them, have their library.
    "LD_LIBRARY_PATH": str(Path(sys.base_prefix, "lib")),
    # More arenas would count against the limit of memory.
    "MALLOC_ARENA_MAX": "2",
}
_DESCRIPTORS = 64
"""Open files of a confined process, which opens fonts and shared libraries."""
_UNLIMITED = 2**62


class ProcessDied(RuntimeError):
    """The process ended without an answer."""

    def __init__(self, message: str, status: str = "") -> None:
        """`status` is the signal or the exit status by which it ended."""
        super().__init__(message)
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
        self._ends: tuple[socket.socket, socket.socket] | None = None
        if not is_isolated():
            self._ends = _server.take(deadline)
            socket.send_fds(self._ends[0], [LIMITS_FORMAT.pack(*(limits or ResourceLimits()))], [2])

    def call(self, max_answer: int, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
        """Call `work` in the process and return what it returns, in at most `max_answer` bytes.

        Raises TimeExceeded at the deadline, ProcessDied where the process ends by itself, and what `work` raises.
        """
        if self._ends is None:
            return work(*args, **kwargs)
        self.deadline.check()
        channel = Channel(self._ends[0], self.deadline.at + _GRACE, max_answer)
        has_raised, value = self._exchange(channel, (work, args, kwargs))
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
            except (OSError, ValueError):
                return "an unknown status"
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


class _ForkServer:
    """The connection to this process's fork server, which always has one process forked ahead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the fork server, unless it runs."""
        with self._lock:
            if self._control is None:
                self._start(FORK_AHEAD)

    def take(self, deadline: Deadline) -> tuple[socket.socket, socket.socket]:
        """Return the sockets of a process that waits for work: for its work, and for its life.

        Raises TimeExceeded where the deadline passes before there is one.
        """
        # Another thread may wait for a fork server that does not answer.
        while not self._lock.acquire(timeout=max(0.0, min(deadline.left(), threading.TIMEOUT_MAX))):
            deadline.check()
        try:
            if self._control is not None:
                # Half of the time is left for another fork server. One that is only slow is not given up: the
                # processes of other requests would end with it.
                seconds = max(deadline.left() / 2, min(deadline.left(), _SECONDS_TO_GIVE_UP))
                try:
                    return self._receive(self._control, seconds)
                except OSError as error:
                    if isinstance(error, TimeoutError) and seconds < _SECONDS_TO_GIVE_UP:
                        deadline.check()
                        raise
                    # It was killed, most likely because memory ran out, or it does not run.
                    self._stop()
            return self._receive(self._start(FORK_NOW), deadline.left())
        except TimeoutError:
            deadline.check()
            raise
        finally:
            self._lock.release()

    @staticmethod
    def _receive(control: socket.socket, seconds: float) -> tuple[socket.socket, socket.socket]:
        """Receive the process that was ordered last, and order the next one; TimeoutError after these seconds."""
        control.settimeout(max(0.001, min(seconds, _SECONDS_TO_START)))  # 0 would not wait at all
        answer, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not answer:
            raise ConnectionResetError("the fork server has ended")
        control.sendall(FORK_AHEAD)
        return socket.socket(fileno=descriptors[0]), socket.socket(fileno=descriptors[1])

    def _start(self, order: bytes) -> socket.socket:
        """Start the fork server with its first order, and return the control socket."""
        hide_memory()
        control, servers_control = socket.socketpair()
        with servers_control, ExitStack() as on_failure:
            on_failure.enter_context(control)
            folders = [str(Path(folder).resolve()) for folder in sys.path if folder]
            # -P, -E and -s: only these folders decide what is imported.
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, constants and this program's folders
                [sys.executable, "-PEs", "-c", _SERVE, str(servers_control.fileno()), _WARM_UP, *folders],
                stdin=subprocess.DEVNULL,
                pass_fds=[servers_control.fileno()],
                env={**_ENVIRONMENT, **use_shipped_fonts()},
                cwd="/",
                # Ctrl-C ends this process first, and the fork server follows.
                start_new_session=True,
            )
            on_failure.pop_all()
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


_server = _ForkServer()


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
    _server = _ForkServer()


os.register_at_fork(after_in_child=_after_fork)
