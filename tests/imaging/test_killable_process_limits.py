"""What an isolated process may take, hold and send."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pyvips

from imaging import Deadline, InvalidParameter, TimeExceeded
from imaging.deadlines import killable_process as isolation
from imaging.deadlines.fork_server import ResourceLimits
from imaging.deadlines.killable_process import Confinement, ProcessDied, run_confined, run_isolated
from imaging.deadlines.transfer import Channel, TransferError, error_of
from imaging.picture import ImageHeader

ROOM, MEGABYTE = 60.0, 1_000_000


def within(memory: int = 200 * MEGABYTE, seconds: float = ROOM) -> Confinement:
    return Confinement(Deadline.after(seconds), memory)


def environment() -> dict[str, str]:
    return dict(os.environ)


def descriptors() -> list[str]:
    folder = Path("/proc/self/fd")
    return [str(entry.readlink()) for entry in folder.iterdir() if entry.exists()]


def allocate(size: int) -> int:
    return len(bytearray(b"x") * size)


def draw(side: int) -> float:
    image: Any = pyvips.Image.black(side, side) + 1
    return float(image.copy_memory().avg())


def spin() -> None:
    while True:
        pass


def write(path: str) -> None:
    with open(path, "wb") as file:  # noqa: PTH123 - as any library would
        file.write(b"content")
        file.flush()


def open_many() -> int:
    return len([os.dup(0) for _ in range(1000)])


def call(name: str, parent: int) -> str:
    """The name of the error by which a system call fails."""
    calls: dict[str, Any] = {
        "socket": socket.socket,
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "kill": lambda: os.kill(parent, 0),
        "memory": lambda: ctypes.CDLL(None, use_errno=True).process_vm_readv(parent, None, 0, None, 0, 0),
        "thread": lambda: ctypes.CDLL(None, use_errno=True).tgkill(parent, parent, 0),
        "limit": lambda: resource.prlimit(parent, resource.RLIMIT_CPU),
        "unlink": lambda: Path("/nonexistent/file").unlink(),
        "rename": lambda: Path("/nonexistent/file").rename("/nonexistent/other"),
        "mkdir": lambda: Path("/nonexistent/file").mkdir(),
        "truncate": lambda: os.truncate("/nonexistent/file", 0),
        "write": lambda: os.open("/nonexistent/file", os.O_WRONLY),
        "append": lambda: os.open("/nonexistent/file", os.O_RDWR | os.O_APPEND),
        "create": lambda: os.open("/nonexistent/file", os.O_CREAT),
        "empty": lambda: os.open("/nonexistent/file", os.O_TRUNC),
        "temporary": lambda: os.open("/nonexistent", os.O_TMPFILE),
    }
    try:
        result = calls[name]()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return errno.errorcode[ctypes.get_errno()] if result == -1 else "done"


def answer(size: int) -> bytes:
    return bytes(size)


def limits() -> list[tuple[int, int]]:
    kinds = (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
    return [resource.getrlimit(kind) for kind in kinds]


class Planted:
    """What a process that was taken over might send."""

    def __reduce__(self) -> Any:
        return os.system, ("true",)


def planted() -> Any:
    return Planted()


def planted_error() -> None:
    error = InvalidParameter("a", "b", "c")
    vars(error)["got"] = Planted()
    raise error


def other_class() -> Any:
    return Path("/etc")


def source() -> ImageHeader:
    return ImageHeader("svg", 3, 4, 5)


def nested(deadline: Deadline) -> int:
    return run_isolated(deadline, os.getpid) - os.getpid()


def test_the_environment_is_empty_but_for_the_interpreters_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    known = {"LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "LC_CTYPE", "FONTCONFIG_FILE"}
    assert set(run_confined(within(), 10_000, environment)) <= known


def test_no_descriptor_of_this_process_is_held(tmp_path: Path) -> None:
    with open(tmp_path / "held", "wb"), socket.socket():  # noqa: PTH123 - held, not used
        held = run_confined(within(), 10_000, descriptors)
    assert len([name for name in held if name.startswith("socket:")]) == 1
    assert not any("held" in name for name in held)


def test_memory_is_limited() -> None:
    assert run_confined(within(), 1000, allocate, 50 * MEGABYTE) == 50 * MEGABYTE
    with pytest.raises(ProcessDied, match="allocate"):
        run_confined(within(), 1000, allocate, 300 * MEGABYTE)
    assert run_confined(within(), 1000, draw, 5000) == 1
    with pytest.raises(ProcessDied, match="draw"):
        run_confined(within(), 1000, draw, 20_000)


def test_processor_time_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    generous = Confinement(Deadline.after(ROOM), MEGABYTE * 200)
    monkeypatch.setattr(Confinement, "bounds", property(lambda self: ResourceLimits(self.memory, 1, 64, 0)))
    with pytest.raises(ProcessDied, match=r"SIGXCPU|SIGKILL"):
        run_confined(generous, 1000, spin)


def test_processor_time_follows_the_deadline() -> None:
    bounds = Confinement(Deadline.after(10), MEGABYTE, 2.0).bounds
    assert bounds.seconds in (20, 21)
    assert Confinement(Deadline(), MEGABYTE).bounds.seconds == -1


def test_files_are_not_written_and_few_are_opened(tmp_path: Path) -> None:
    with pytest.raises(ProcessDied):
        run_confined(within(), 1000, write, str(tmp_path / "written"))
    assert not (tmp_path / "written").exists() or (tmp_path / "written").read_bytes() == b""
    with pytest.raises(ProcessDied):
        run_confined(within(), 1000, open_many)
    assert run_confined(within(), 1000, limits) == [(0, 0), (0, 0), (64, 64)]


@pytest.mark.parametrize("name", ["socket", "exec", "program", "kill", "memory", "thread", "limit"])
def test_no_connection_is_opened_and_no_other_process_is_reached(name: str) -> None:
    assert run_confined(within(), 1000, call, name, os.getpid()) == "EPERM"


@pytest.mark.parametrize(
    "name", ["unlink", "rename", "mkdir", "truncate", "write", "append", "create", "empty", "temporary"]
)
def test_no_file_is_created_changed_or_removed(name: str) -> None:
    assert run_confined(within(), 1000, call, name, os.getpid()) == "EPERM"


def looked_into(process: int) -> list[str]:
    """The names of the errors by which a process's secrets cannot be read; a name of a file that can."""
    found = []
    for name in ("environ", "mem", "maps", "fd"):
        try:
            entry = Path(f"/proc/{process}/{name}")
            (entry / "0").readlink() if entry.is_dir() else entry.open("rb").close()
            found.append(name)
        except OSError as error:
            found.append(errno.errorcode[error.errno or 0])
    return found


def server_looked_into() -> list[str]:
    return looked_into(os.getppid())


def test_neither_this_process_nor_another_is_looked_into() -> None:
    assert set(run_confined(within(), 10_000, looked_into, os.getpid())) <= {"EACCES", "EPERM"}
    assert set(run_confined(within(), 10_000, server_looked_into)) <= {"EACCES", "EPERM"}
    assert looked_into(os.getpid()) == ["environ", "mem", "maps", "fd"]


def aborted() -> None:
    os.abort()


def test_work_that_aborts_ends_its_process() -> None:
    with pytest.raises(ProcessDied, match="SIGABRT"):
        run_confined(within(), 1000, aborted)


def test_a_file_that_may_be_read_is_read() -> None:
    assert run_confined(within(), 100_000, Path.read_bytes, Path(__file__)) == Path(__file__).read_bytes()


def closed() -> str:
    isolation.open_no_more_files()
    try:
        return Path(f"/proc/{os.getppid()}/environ").read_text()
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def test_a_process_that_has_loaded_its_decoder_opens_nothing_more() -> None:
    assert run_confined(within(), 10_000, closed) == "EMFILE"
    isolation.open_no_more_files()  # which concerns isolated processes alone
    assert Path("/proc/self/status").read_text()


def test_an_answer_is_limited() -> None:
    assert len(run_confined(within(), 2000, answer, 1000)) == 1000
    with pytest.raises(ProcessDied, match="bytes where"):
        run_confined(within(), 2000, answer, 3000)


@pytest.mark.parametrize("work", [planted, planted_error, other_class])
def test_an_answer_that_would_run_code_here_is_refused(work: Any) -> None:
    with pytest.raises(ProcessDied, match="an answer that names"):
        run_confined(within(), 10_000, work)


def test_what_is_known_of_a_source_comes_back() -> None:
    assert run_confined(within(), 1000, source) == source()


def test_an_error_of_another_type_is_refused() -> None:
    for name in ("annotations", "ValueError", "__doc__"):
        with pytest.raises(TransferError):
            error_of(name, (), {})


@pytest.mark.parametrize(
    "frames",
    [
        b"?" + bytes(8),
        b"S" + (5).to_bytes(8, "little") + b"pixel",
        b"I" + (3).to_bytes(8, "little") + b"S" + (5).to_bytes(8, "little") + b"pixel",
        b"I" + (2**40).to_bytes(8, "little"),
        b"P" + (2**40).to_bytes(8, "little"),
        b"P" + (4).to_bytes(8, "little") + b"junk",
        b"",
    ],
)
def test_frames_that_make_no_sense_are_refused(frames: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(frames)
        with pytest.raises(TransferError):
            Channel(ours, time.monotonic() + ROOM, 10_000).receive()


def test_isolated_work_isolates_no_further() -> None:
    assert run_isolated(Deadline.after(ROOM), nested, Deadline.after(ROOM)) == 0


def test_a_fork_server_that_was_killed_is_started_again() -> None:
    run_isolated(Deadline.after(ROOM), os.getpid)
    server = isolation._server._process
    assert server is not None
    server.kill()
    server.wait()
    # The one that was forked ahead has ended with it.
    assert run_isolated(Deadline.after(ROOM), os.getpid) != os.getpid()
    assert isolation._server._process is not server


@pytest.mark.parametrize("is_taken", [True, False], ids=["process taken", "process forked ahead"])
def test_work_is_done_by_another_process_where_the_fork_server_was_killed_before_it(*, is_taken: bool) -> None:
    with isolation.IsolatedProcess(Deadline.after(ROOM)) as process:
        server = isolation._server._process
        assert server is not None
        server.kill()
        server.wait()
        if is_taken:
            assert process.call(10_000, os.getpid) != os.getpid()
    with isolation.IsolatedProcess(Deadline.after(ROOM)) as process:
        assert process.call(10_000, os.getpid) != os.getpid()


def test_work_is_not_repeated_in_a_process_that_has_answered_before() -> None:
    with isolation.IsolatedProcess(Deadline.after(ROOM)) as process:
        process.call(10_000, os.getpid)
        server = isolation._server._process
        assert server is not None
        server.kill()
        server.wait()
        with pytest.raises(isolation.ProcessDied, match="unknown status"):
            process.call(10_000, os.getpid)


def test_a_stopped_fork_server_holds_no_request_beyond_its_deadline() -> None:
    run_isolated(Deadline.after(ROOM), os.getpid)
    server = isolation._server._process
    assert server is not None
    server.send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        for _ in range(2):
            # The first call may still take the process that was forked ahead.
            with suppress(TimeExceeded):
                run_isolated(Deadline.after(1), os.getpid)
        assert time.monotonic() - started < 10
    finally:
        server.send_signal(signal.SIGCONT)
    assert run_isolated(Deadline.after(ROOM), os.getpid) != os.getpid()
    assert isolation._server._process is server


def test_many_threads_get_processes_of_their_own() -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(run_isolated(Deadline.after(ROOM), os.getpid))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8
