"""The fork server: a process that imports everything once, forks isolated processes, and does no work itself.

A new interpreter takes a tenth of a second until pyvips is loaded; a fork of the server takes a few milliseconds, and
one process is always forked and warmed up ahead of the next work. `fork_server_client` starts the server and takes
processes from it, which `killable_process` gives work:

1. The parent sends one byte over the control socket for each process: FORK_NOW or FORK_AHEAD.
2. The server forks a process and sends back `F` with two descriptors: a socket for the work, and a socket for the life
   of the process. Closing the second one has the process killed; the server then sends its exit status over it.
3. The parent sends the ResourceLimits over the work socket, together with its own standard error.
4. Calls and their results follow in the form of `transfer.Channel`, one after the other, until the socket closes.

The server computes no pixels before it forks: libvips would start threads, and threads do not survive a fork. It ends
when its parent closes the control socket, and its children end with it.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyvips

from imaging.deadlines.privileges import drop_capabilities, hide_memory
from imaging.deadlines.transfer import Channel, ProcessEnded, error_parts
from imaging.errors import DamagedSource, FeatureError

FORK_NOW, FORK_AHEAD = b"N", b"A"
"""What the parent sends: for a process whose work is waiting, and for one that may warm up first."""
LIMITS_FORMAT = struct.Struct("=qqqq")
STATUS_FORMAT = struct.Struct("=i")
_THREAD_STACKS = 256_000_000
"""Bytes of address space for threads and allocators, beside the memory that a process may use."""
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
"""Options of Linux's prctl, by the names that they have there."""
_MODULES = ("imaging.deadlines.seccomp", "imaging.deadlines.killable_process")
"""Modules of this package that each process needs."""
_is_isolated = False


class ResourceLimits(NamedTuple):
    """Limits that the kernel enforces on an isolated process; -1 stands for no limit."""

    memory: int = -1
    """Bytes that the process may use beside what it has when its work begins."""
    seconds: int = -1
    """Seconds of processor time, of all threads together."""
    descriptors: int = -1
    """Open files."""
    file_bytes: int = -1
    """Bytes of the largest file that it may write."""


def is_isolated() -> bool:
    """Return whether this process was forked by a fork server for isolated work."""
    return _is_isolated


def serve() -> None:
    """Run the fork server until its parent closes the control socket.

    The command line holds the number of the socket's descriptor and the name of a module with two functions without
    parameters: `before_forks` runs here once, `after_fork` runs in each process that is forked ahead.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    hide_memory()
    warm_up: Any = importlib.import_module(sys.argv[2])
    for module in _MODULES:
        importlib.import_module(module)
    prctl = _load_prctl()
    warm_up.before_forks()
    # Garbage collection in a child would write to, and so copy, each page that it shares with the server.
    gc.freeze()
    children: dict[socket.socket, int] = {}
    fonts: pyvips.Image | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                end: Any = key.fileobj
                if end is not control:
                    # The parent has closed its end of the life of a process, or that process has ended.
                    selector.unregister(end)
                    _finish(end, children.pop(end))
                    continue
                try:
                    order = control.recv(1)
                except ConnectionResetError:
                    order = b""
                if not order:
                    for pid in children.values():
                        os.kill(pid, signal.SIGKILL)
                    return
                life, pid = _fork(control, prctl, warm_up.after_fork if order == FORK_AHEAD else None)
                children[life] = pid
                selector.register(life, selectors.EVENT_READ)
                if fonts is None:
                    # fontconfig reads its files once, here, while the first process works, instead of in each process.
                    fonts = pyvips.Image.text("a")


def _finish(life: socket.socket, pid: int) -> None:
    """Kill a process that the parent needs no more, if it still runs, and send how it ended."""
    os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        life.send(STATUS_FORMAT.pack(status))
    except OSError:
        pass  # the parent does not always wait for the status
    finally:
        life.close()


def _fork(
    control: socket.socket, prctl: Callable[..., object], after_fork: Callable[[], object] | None
) -> tuple[socket.socket, int]:
    """Fork a process, send the parent the sockets for its work and its life, and return our end of the life."""
    server = os.getpid()
    (work, parents_work), (life, parents_life) = socket.socketpair(), socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            # The kernel kills the process when the server ends. The server may have ended before that call: then the
            # process has another parent already.
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            drop_capabilities()
            if os.getppid() == server:
                _run(work, after_fork)
        finally:
            # Whatever happens, this process must not return into the server's loop.
            os._exit(1)
    with work, parents_work, parents_life:
        socket.send_fds(control, [b"F"], [parents_work.fileno(), parents_life.fileno()])
    return life, pid


def _run(work: socket.socket, after_fork: Callable[[], object] | None) -> None:
    """Warm up, do the work that arrives over the socket until it closes, and end the process."""
    status = 1
    try:
        # Descriptor 3 becomes the work socket, and every other one that was inherited from the server is closed.
        os.dup2(work.fileno(), 3)
        os.closerange(4, 1 << 16)
        work.detach()
        end = socket.socket(fileno=3)
        if after_fork:
            after_fork()
        limits, descriptors, _, _ = socket.recv_fds(end, LIMITS_FORMAT.size, 1)
        # Nothing arrives where the parent ended, or dropped the process, before it had work.
        if limits:
            os.dup2(descriptors[0], 2)
            os.dup2(2, 1)  # what the work prints must not get between its answers
            os.close(descriptors[0])
            _enforce(ResourceLimits(*LIMITS_FORMAT.unpack(limits)))
            _work(Channel(end))
        status = 0
    except ProcessEnded:
        status = 0
    except BaseException:  # noqa: BLE001 - every error is written to standard error, and then this process ends
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(status)


def _work(channel: Channel) -> None:
    """Call what the parent sends, and send what it returns or raises; ProcessEnded once the parent has closed."""
    global _is_isolated  # noqa: PLW0603 - a fact of the whole process
    _is_isolated = True
    while True:
        work, args, kwargs = channel.receive(trusted=True)
        try:
            value = work(*args, **kwargs)
        except FeatureError as error:
            channel.send((True, error_parts(error)))
            continue
        try:
            channel.send((False, value))
        except pyvips.Error as error:
            # The pixels of an image are computed while they are sent.
            channel.send((True, error_parts(DamagedSource.from_decoder(error))))


def _enforce(limits: ResourceLimits) -> None:
    """Have the kernel enforce the limits on this process from now on."""
    _set_limit(resource.RLIMIT_CORE, 0)
    if limits.memory >= 0:
        from imaging.deadlines.seccomp import filter_calls  # noqa: PLC0415 - loaded before the fork

        filter_calls()
        space, data = _memory_in_use()
        _set_limit(resource.RLIMIT_AS, space + limits.memory + _THREAD_STACKS)
        _set_limit(resource.RLIMIT_DATA, data + limits.memory)
    if limits.seconds >= 0:
        used = resource.getrusage(resource.RUSAGE_SELF)
        # At the first limit the kernel sends SIGXCPU, which tells why the process ended; at the second, SIGKILL.
        _set_limit(resource.RLIMIT_CPU, limits.seconds + int(used.ru_utime + used.ru_stime), more=1)
    if limits.descriptors >= 0:
        _set_limit(resource.RLIMIT_NOFILE, limits.descriptors)
    if limits.file_bytes >= 0:
        _set_limit(resource.RLIMIT_FSIZE, limits.file_bytes)


def _set_limit(kind: int, limit: int, more: int = 0) -> None:
    highest = resource.getrlimit(kind)[1]
    hard = limit + more if highest == resource.RLIM_INFINITY else min(limit + more, highest)
    resource.setrlimit(kind, (min(limit, hard), hard))


def _memory_in_use() -> tuple[int, int]:
    """Return the address space and the data of this process, in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(pages[0]) * resource.getpagesize(), int(pages[5]) * resource.getpagesize()


def _load_prctl() -> Callable[..., object]:
    """Return the C library's function of that name."""
    import ctypes  # noqa: PLC0415 - of this process alone

    function: Callable[..., object] = ctypes.CDLL(None).prctl
    return function
