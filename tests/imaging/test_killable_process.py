"""Work in a process of its own ends in time, tells what went wrong and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures

from imaging import Context, Deadline, InvalidParameter, Output, Rendered, TimeExceeded, check, run
from imaging.deadlines.killable_process import ProcessDied, run_isolated, start_fork_server

pytestmark = pytest.mark.slow

ROOM = 120.0
"""Seconds, more than any of this takes, also where a new interpreter has to wait for a processor."""
LATE = 5.0
"""Seconds after its deadline by which work has ended, on a machine that is busy with other things."""


def double(number: int) -> int:
    return 2 * number


def lighten(image: Any, by: int) -> Any:
    return image + by


def refuse(value: str) -> None:
    raise InvalidParameter("blur.sigma", "0.3 to 1000", value, code="Refused")


def sleep() -> None:
    time.sleep(2 * ROOM)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stumble() -> None:
    raise ZeroDivisionError


def talk() -> str:
    os.write(1, b"noise on standard output")
    sys.stdout.write("more of it")
    return "said"


def count(body: bytes) -> int:
    return len(body)


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def isolated_processes() -> set[str]:
    """Children of the fork servers, which are this process's own children."""
    listings = (Path(f"/proc/{server}/task/{server}/children") for server in children())
    return {child for listing in listings for child in listing.read_text().split()}


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Any:
    start_fork_server()
    processes, files, isolated_before = children(), open_files(), isolated_processes()
    yield
    assert len(children()) == len(processes)
    assert open_files() <= files
    # But for the one that waits for the next work.
    assert _eventually(lambda: len(isolated_processes() - isolated_before) <= 1, 5)


def test_result_comes_back() -> None:
    assert run_isolated(Deadline.after(ROOM), double, 21) == 42
    assert run_isolated(Deadline(), double, 21) == 42


def test_pictures_travel_as_their_pixels() -> None:
    scene = pictures.scene()
    made = run_isolated(Deadline.after(ROOM), lighten, scene, by=1)
    assert isinstance(made, pyvips.Image)
    assert (made - scene).avg() == 1
    assert made.interpretation == scene.interpretation


def test_large_arguments_travel() -> None:
    assert run_isolated(Deadline.after(ROOM), count, bytes(30_000_000)) == 30_000_000


def test_typed_errors_come_back_whole() -> None:
    with pytest.raises(InvalidParameter) as caught:
        run_isolated(Deadline.after(ROOM), refuse, "0")
    error = caught.value
    assert (error.name, error.expected, error.got, error.code) == ("blur.sigma", "0.3 to 1000", "0", "Refused")
    assert error.message == str(error) == "`blur.sigma` must be 0.3 to 1000, got '0'"


def test_deadline_kills() -> None:
    started = time.monotonic()
    with pytest.raises(TimeExceeded):
        run_isolated(Deadline.after(1), sleep)
    assert 1 <= time.monotonic() - started < 1 + LATE
    assert run_isolated(Deadline.after(ROOM), double, 1) == 2


def test_a_deadline_that_has_passed_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    with pytest.raises(TimeExceeded):
        run_isolated(Deadline.after(-1), sleep)


def test_deadline_while_the_request_is_still_being_sent() -> None:
    with pytest.raises(TimeExceeded):
        run_isolated(Deadline.after(0.02), count, bytes(30_000_000))


@pytest.mark.parametrize("work", [die, stumble])
def test_an_end_without_answer_is_told(work: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ProcessDied, match=work.__name__):
        run_isolated(Deadline.after(ROOM), work)
    assert ("ZeroDivisionError" in capfd.readouterr().err) == (work is stumble)


def test_what_work_prints_does_not_disturb() -> None:
    assert run_isolated(Deadline.after(ROOM), talk) == "said"


def test_process_dies_with_its_parent() -> None:
    program = "from imaging import Deadline; from imaging.deadlines.killable_process import run_isolated; import time; "
    program += "print(flush=True); run_isolated(Deadline.after(60), time.sleep, 60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        listing = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        assert _eventually(lambda: bool(listing.read_text()))
        child = int(listing.read_text())
        assert _eventually(lambda: Path(f"/proc/{child}/comm").exists())
        parent.kill()
        parent.wait()
        assert _eventually(lambda: not _is_alive(child))


def _is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def _eventually(condition: Any, seconds: float = ROOM) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


LARGE = 2000
OUTPUTS = {
    "avif": Output(format="avif", effort=10, quality=90),
    "gif": Output(format="gif", effort=10),
    "palette": Output(format="png", palette=True, effort=10),
    "jpeg in few bytes": Output(format="jpeg", effort=10, max_bytes=100_000),
    "webp": Output(format="webp", effort=10, lossless=True),
    "png": Output(format="png", effort=10),
    "tiff": Output(format="tiff"),
    "avif in few bytes": Output(format="avif", effort=6, max_bytes=20_000),
}


@pytest.fixture(scope="module")
def large() -> bytes:
    noise: Any = pyvips.Image.gaussnoise(LARGE, LARGE, mean=128, sigma=40).cast("uchar")
    grain = noise.bandjoin([noise.rot90(), noise.rot180()]).copy(interpretation="srgb")
    return bytes(grain.pngsave_buffer(compression=1))


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_encoder_ends_in_time(large: bytes, name: str) -> None:
    # Well below what each takes on an idle machine: 0.2 s, 1.5 s, and more than 4 s.
    seconds = {"png": 0.1, "tiff": 0.1, "webp": 0.5, "jpeg in few bytes": 0.5}.get(name, 1.5)
    started = time.monotonic()
    with pytest.raises(TimeExceeded):
        run(large, (), OUTPUTS[name], Context(deadline=Deadline.after(seconds)))
    assert time.monotonic() - started < seconds + LATE
    answer = run(pictures.sample("jpeg").body, (), OUTPUTS[name], Context(deadline=Deadline.after(ROOM)))
    assert isinstance(answer, Rendered)


@pytest.mark.parametrize("metadata", ["strip", "keep", "copyright"])
@pytest.mark.parametrize(("name", "chosen"), [("png-alpha", "avif"), ("gif-animated", "webp"), ("jpeg-turned", "jpeg")])
def test_an_isolated_answer_is_the_same(name: str, chosen: str, metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body, output = pictures.sample(name).body, check(Output, {"format": chosen, "metadata": metadata, "quality": 70})
    here = run(body, (), output, Context())
    monkeypatch.setattr(Deadline, "leaves_room_for", lambda *_: False)
    there = run(body, (), output, Context(deadline=Deadline.after(ROOM)))
    assert isinstance(here, Rendered)
    assert isinstance(there, Rendered)
    assert there == here
