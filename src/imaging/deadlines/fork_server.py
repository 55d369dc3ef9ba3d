"""The process that forks isolated processes: it has everything imported, and does no work itself.

A fresh interpreter takes a tenth of a second until pyvips is loaded; a fork of this one takes a few milliseconds, and
the next one is forked and warmed up before it is needed. The server runs no thread of libvips, because a thread does
not live on in a fork. It ends with its parent, and its children end with it.
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

from imaging.codecs.decode.header import measure_drawing
from imaging.codecs.decode.loaders import damaged, opened
from imaging.context import Limits
from imaging.deadlines.privileges import drop_capabilities, hide_memory
from imaging.deadlines.transfer import Channel, ProcessEnded, error_parts
from imaging.errors import FeatureError
from imaging.formats.svg import SVG

NOW, AHEAD = b"N", b"A"
"""What the parent sends for a process that it has work for, and for one that may warm up first."""
BOUNDS = struct.Struct("=qqqq")
STATUS = struct.Struct("=i")
_THREAD_STACKS = 256_000_000
"""Address space for threads and allocators beside the memory that is allowed."""
_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38
"""Options of Linux's prctl."""
_DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0L1 1"/></svg>'


class ResourceLimits(NamedTuple):
    """What the kernel holds an isolated process to; -1: no limit."""

    memory: int = -1
    """Bytes beside what the process has when its work begins."""
    seconds: int = -1
    """Of processor time, of all threads together."""
    descriptors: int = -1
    file_bytes: int = -1
    """A file may not become longer."""


def serve() -> None:
    """Fork a process for each byte that comes in over the socket named on the command line, until that closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    prctl = _prctl()
    hide_memory()
    # Imported once here rather than in each process. The formats' records name the decoders' modules lazily.
    for module in ("imaging.deadlines.seccomp", "imaging.codecs.decode.bitmaps", "imaging.codecs.decode.tiff"):
        importlib.import_module(module)
    measure_drawing(_DRAWING, Limits())
    gc.freeze()
    children: dict[socket.socket, int] = {}
    fonts: list[object] = []
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                end: Any = key.fileobj
                if end is not control:
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
                life, pid = _fork(control, prctl, warm=order == AHEAD)
                children[life] = pid
                selector.register(life, selectors.EVENT_READ)
                if not fonts:
                    # fontconfig reads its files once, while the first work is under way, instead of in each process.
                    fonts.append(pyvips.Image.text("a"))


def _finish(life: socket.socket, pid: int) -> None:
    """The parent wants no more of a process: kill it, if it still runs, and say how it ended."""
    os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        life.send(STATUS.pack(status))
    except OSError:
        pass  # the parent does not always wait for it
    finally:
        life.close()


def _fork(control: socket.socket, prctl: Callable[..., object], *, warm: bool) -> tuple[socket.socket, int]:
    """A process that waits for work; the parent is sent the sockets for its work and for its end."""
    server = os.getpid()
    (work, theirs), (life, theirs_too) = socket.socketpair(), socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
            prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
            drop_capabilities()
            if os.getppid() == server:
                _run(work, warm=warm)
        finally:
            # Whatever happens, this process must not return into the server's loop.
            os._exit(1)
    with work, theirs, theirs_too:
        socket.send_fds(control, [b"F"], [theirs.fileno(), theirs_too.fileno()])
    return life, pid


def _run(work: socket.socket, *, warm: bool) -> None:
    """Do what comes in over the socket until it closes, and end the process."""
    status = 1
    try:
        os.dup2(work.fileno(), 3)
        os.closerange(4, 1 << 16)
        work.detach()
        end = socket.socket(fileno=3)
        if warm:
            # Threads, and the pages that a fork shares until they are written to.
            opened(_DRAWING, SVG.name, scale=1.0).write_to_memory()
        bounds, descriptors, _, _ = socket.recv_fds(end, BOUNDS.size, 1)
        if bounds:
            os.dup2(descriptors[0], 2)
            os.dup2(2, 1)  # what work prints must not come between its answers
            os.close(descriptors[0])
            _limit(ResourceLimits(*BOUNDS.unpack(bounds)))
            _work(Channel(end))
        status = 0
    except ProcessEnded:
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it is told on standard error, and this process ends
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(status)


def _work(channel: Channel) -> None:
    from imaging.deadlines import killable_process  # noqa: PLC0415 - which starts this module's process

    killable_process.enter()
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
            # The image was computed as it was sent.
            channel.send((True, error_parts(damaged(error))))


def _limit(bounds: ResourceLimits) -> None:
    _set(resource.RLIMIT_CORE, 0)
    if bounds.memory >= 0:
        from imaging.deadlines.seccomp import filter_calls  # noqa: PLC0415 - loaded before the fork

        filter_calls()
        space, data = _memory_now()
        _set(resource.RLIMIT_AS, space + bounds.memory + _THREAD_STACKS)
        _set(resource.RLIMIT_DATA, data + bounds.memory)
    if bounds.seconds >= 0:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _set(resource.RLIMIT_CPU, bounds.seconds + int(used.ru_utime + used.ru_stime))
    if bounds.descriptors >= 0:
        _set(resource.RLIMIT_NOFILE, bounds.descriptors)
    if bounds.file_bytes >= 0:
        _set(resource.RLIMIT_FSIZE, bounds.file_bytes)


def _set(kind: int, limit: int) -> None:
    highest = resource.getrlimit(kind)[1]
    limit = limit if highest == resource.RLIM_INFINITY else min(limit, highest)
    resource.setrlimit(kind, (limit, limit))


def _memory_now() -> tuple[int, int]:
    """Address space and data of this process, in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(pages[0]) * resource.getpagesize(), int(pages[5]) * resource.getpagesize()


def _prctl() -> Callable[..., object]:
    """Linux's prctl."""
    import ctypes  # noqa: PLC0415 - of this process alone

    function: Callable[..., object] = ctypes.CDLL(None).prctl
    return function
