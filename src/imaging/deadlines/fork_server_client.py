"""Starts the fork server of this process and takes processes from it.

It is started when the first process is needed, and again where it was killed. Its environment holds only what the
interpreter needs, and it inherits no descriptor of this process.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from imaging.context import Deadline
from imaging.deadlines.fork_server import FORK_AHEAD, FORK_NOW, serve
from imaging.deadlines.privileges import hide_memory
from imaging.fonts import use_shipped_fonts

_SERVE = f"import sys; sys.path[:0] = sys.argv[3:]; from {serve.__module__} import {serve.__name__}; {serve.__name__}()"
_WARM_UP = "imaging.codecs.decode.warm_up"
"""The module that warms up the processes: named, as for multiprocessing's set_forkserver_preload, and never imported
here, because decoding is built on this package."""
_SECONDS_TO_START = 20.0
"""How long to wait for the fork server to give a process."""
_SECONDS_TO_GIVE_UP = 5.0
"""How long a fork server that runs may take to give a process, however busy the machine is."""
_ENVIRONMENT = {
    # Where some interpreters, Lambda's among them, have their library.
    "LD_LIBRARY_PATH": str(Path(sys.base_prefix, "lib")),
    # More arenas would count against the limit of memory.
    "MALLOC_ARENA_MAX": "2",
}


class ForkServer:
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
        work, life = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        try:
            control.sendall(FORK_AHEAD)
        except OSError:
            work.close()
            life.close()
            raise
        return work, life

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
