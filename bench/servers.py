"""The servers that are put under load, each in processes of its own, and wrk, which sends them requests."""

from __future__ import annotations

import http.client
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench import extent
from bench.peers import HERE, SHARP, SOURCE, THUMBOR_VENV, install_sharp, install_thumbor
from bench.pictures import CACHE, Picture
from bench.stores import free_port, wait_for

OURS, FIRST, SHARPS, THUMBOR = "this server", "first version", "sharp", "Thumbor"
_FIRST_COMMIT = "d23e814fdbe40e10c159ecfd53e519de117b12fa"
"""The last one in which the server sent bodies through base64 and parsed requests with h11, in one process."""
_MEGA = 1_000_000
_REST_SECONDS, _RESTING = 10.0, 20.0
"""The longest wait for the requests that are left, and the milliseconds of a processor in 0.1 s that are none."""
_TICK = os.sysconf("SC_CLK_TCK")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class Kind(NamedTuple):
    """What is requested."""

    name: str
    picture: Picture
    width: int = 0
    format: str = ""
    seconds: float = 1.5
    """Length of a run, for up to 16 connections."""
    is_conditional: bool = False
    is_stored: bool = False

    def path(self, server: str) -> str:
        """Return the path that has a server answer with this."""
        if not self.format:
            return f"/{self.picture.key}"
        if server == THUMBOR:
            return f"/unsafe/{self.width}x0/filters:format({self.format}):quality(80)/{self.picture.key}"
        return f"/{self.picture.key}?width={self.width}&format={self.format}&quality=80"


@dataclass(frozen=True)
class Run:
    """What wrk and /proc say of one run."""

    rate: float
    """Answers in a second."""
    p50: float
    p99: float
    """Milliseconds."""
    cpu: float
    """Milliseconds of processor time of the server for each request."""
    failed: int


class Server:
    """A server of the folder in processes of its own."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], port: int) -> None:
        self.name = name
        self.port = port
        self._process = process
        self.peak = 0.0
        """Largest resident memory after a run, in MB, all processes together."""

    def run(self, kind: Kind, connections: int) -> Run:
        """Send requests of a kind for its time."""
        path, headers = kind.path(self.name), ["Accept: image/webp,*/*"]
        tag = self._etag(path, headers[0])
        headers += [f"If-None-Match: {tag}"] if kind.is_conditional else []
        # A run is long enough for several requests of each connection.
        seconds = extent.seconds(kind.seconds * (1 if connections <= 16 or kind.seconds <= 1 else 2))
        before = self._cpu()
        output = _wrk(f"http://127.0.0.1:{self.port}{path}", headers, connections, seconds)
        cpu = self._cpu() - before
        self.peak = max(self.peak, self._resident())
        self._await_rest()
        return _read(output, cpu)

    def _await_rest(self) -> None:
        """Wait until the server has done with the requests that wrk left, which would slow the next run down."""
        until, before = time.monotonic() + _REST_SECONDS, self._cpu()
        while time.monotonic() < until:
            time.sleep(0.1)
            before, last = self._cpu(), before
            if before - last <= _RESTING:
                return

    def _etag(self, path: str, accept: str) -> str:
        """Return the ETag of an answer, which is the first to this path and so warms the server up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers=dict([accept.split(": ")]))
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{self.name} must answer 200 to {path}, got {answer.status}")
        return answer.headers.get("ETag", "")

    def _processes(self) -> list[Path]:
        """Return the process and its children; none of these servers has grandchildren that stay."""
        found = [Path(f"/proc/{self._process.pid}")]
        children = (found[0] / f"task/{self._process.pid}/children").read_text().split()
        return found + [Path(f"/proc/{child}") for child in children]

    def _cpu(self) -> float:
        fields = (process.joinpath("stat").read_text().rpartition(") ")[2].split() for process in self._processes())
        return sum(int(each[11]) + int(each[12]) for each in fields) / _TICK * 1000

    def _resident(self) -> float:
        """Return the peak of each process, less the pages that it shares with others, in MB."""
        return sum(map(_peak_of, self._processes()))


def _peak_of(process: Path) -> float:
    sizes = process.joinpath("status").read_text() + process.joinpath("smaps_rollup").read_text()
    found = dict(re.findall(r"^(VmHWM|Rss|Pss):\s+(\d+)", sizes, re.MULTILINE))
    peak, resident, share = (int(found[name]) for name in ("VmHWM", "Rss", "Pss"))
    return (peak - resident + share) * 1024 / _MEGA


def _wrk(url: str, headers: list[str], connections: int, seconds: float) -> str:
    options = [option for header in headers for option in ("-H", header)]
    # wrk takes whole seconds, so it is told to end by a signal, at which it reports as well.
    command = ["wrk", "-t1", f"-c{connections}", "-d60s", "--timeout", "60s", "--latency", *options, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        time.sleep(seconds)
        process.send_signal(2)
        output, _ = process.communicate(timeout=70)
    return output


def _read(output: str, cpu: float) -> Run:
    """Read wrk's report; `cpu` is the processor time of the server meanwhile, in milliseconds."""
    requests, seconds, unit = re.findall(r"(\d+) requests in ([\d.]+)(\w+)", output)[0]
    p50, p99 = (
        float(value) * _UNITS[unit_]
        for value, unit_ in (re.findall(rf"{part}%\s+([\d.]+)(\w+)", output)[0] for part in (50, 99))
    )
    failed = [int(count) for count in re.findall(r"(?:Non-2xx or 3xx responses: |timeout |read )(\d+)", output)]
    count = int(requests)
    if not count:
        return Run(0.0, p50, p99, 0.0, sum(failed))
    return Run(count / (float(seconds) * _UNITS[unit] / 1000), p50, p99, cpu / count, sum(failed))


@contextmanager
def _serving(name: str, command: list[str], port: int, cwd: Path, env: Mapping[str, str]) -> Iterator[Server]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=quiet, stderr=quiet) as process:
        try:
            wait_for(port)
            yield Server(name, process, port)
        finally:
            process.terminate()


@contextmanager
def _image_handler(name: str, source: Path, *options: str, stores: bool = False) -> Iterator[Server]:
    port, workers = free_port(), str(os.cpu_count())
    command = [sys.executable, "-c", "from handler.cli import main; main()", "serve", "--images", str(CACHE)]
    command += ["--port", str(port), "--workers", workers, "--queue", "256", "--connections-per-address", "0", *options]
    # As the image has it.
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(source), "MALLOC_ARENA_MAX": "2"}
    with tempfile.TemporaryDirectory() as results:
        more = {"STORE_RESULTS": "Yes", "RESULTS_BUCKET": f"results={Path(results).as_uri()}"} if stores else {}
        with _serving(name, command, port, HERE, env | more) as server:
            yield server


@cache
def first_version() -> Path | None:
    """Return the source of the first version of the server, from the history; None where that does not go so far."""
    folder = CACHE.parent / _FIRST_COMMIT[:12]
    if not folder.exists():
        command = ["git", "archive", "--format=tar", _FIRST_COMMIT, "src"]
        done = subprocess.run(command, cwd=HERE.parent, capture_output=True, check=False)
        if done.returncode:
            return None
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
    return folder / "src"


@contextmanager
def _sharp() -> Iterator[Server]:
    install_sharp()
    port, env = free_port(), {"PATH": os.environ["PATH"], "NODE_ENV": "production"}
    with _serving(SHARPS, ["node", "server.mjs", str(CACHE), str(port)], port, SHARP, env) as server:
        yield server


@contextmanager
def _thumbor(*, stores: bool = False) -> Iterator[Server]:
    port = free_port()
    with tempfile.TemporaryDirectory() as results:
        env = {"PATH": f"{THUMBOR_VENV / 'bin'}:{os.environ['PATH']}", "BENCH_IMAGES": str(CACHE)}
        env |= {"BENCH_RESULTS": results} if stores else {}
        options = ["--port", str(port), "--ip", "127.0.0.1", "--conf", "load.conf"]
        with _serving(THUMBOR, [str(install_thumbor()), *options], port, HERE / "thumbor", env) as server:
            yield server


def open_server(name: str, *, stores: bool) -> AbstractContextManager[Server]:
    """Start a server by its name; with `stores` it stores results."""
    if name == SHARPS:
        return _sharp()
    if name == THUMBOR:
        return _thumbor(stores=stores)
    if name == FIRST:
        source = first_version()
        assert source is not None
        return _image_handler(name, source, stores=stores)
    # sharp draws on four threads of libuv in one process; this server has a process for each processor.
    return _image_handler(name, SOURCE, "--processes", str(os.cpu_count()), stores=stores)
