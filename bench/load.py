"""Servers under load: `image-handler serve` beside sharp on node:http and Thumbor, at 1, 4, 16 and 64 connections.

All read the same folder, and wrk on the same machine sends the requests, to one server at a time, in turn.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench import goals, pictures
from bench.peers import HERE, SHARP, SOURCE, THUMBOR_VENV, install_sharp, install_thumbor
from bench.pictures import CACHE, Picture
from bench.stores import free_port, wait_for

LEVELS = (1, 4, 16, 64)
"""Connections, each of which sends its next request when it has its answer."""
ROUNDS = 2
SMALL = Picture("0.24mp-rocket", "rocket", (600, 400), 0.0, ".jpg", 85)
"""The size of most pictures of the web."""
MEDIUM = pictures.CAMERA_JPEGS[0]
P99_GOAL, MEMORY_GOAL = 1.3, 0.4
THROUGHPUT_BEFORE = {"unedited": {1: 356, 16: 392}, "304": {1: 704, 16: 1428}}
"""Requests/s of this server before bodies went without base64 and httptools parsed requests (2026-11-29)."""
FASTER = 3
"""The goal for those: this many times as many."""
_MEGA = 1_000_000
_TICK = os.sysconf("SC_CLK_TCK")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}

Lines = Iterator[str]


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
        if server == "Thumbor":
            return f"/unsafe/{self.width}x0/filters:format({self.format}):quality(80)/{self.picture.key}"
        return f"/{self.picture.key}?width={self.width}&format={self.format}&quality=80"


KINDS = (
    Kind("small", SMALL, 300, "webp"),
    Kind("medium", MEDIUM, 800, "jpeg", 2.5),
    Kind("unedited", SMALL, seconds=1),
    Kind("304", SMALL, seconds=1, is_conditional=True),
    Kind("stored", MEDIUM, 800, "webp", 1, is_stored=True),
)
SERVERS = {
    "small": ("this server", "sharp", "Thumbor"),
    "medium": ("this server", "sharp", "Thumbor"),
    "unedited": ("this server", "sharp"),
    "304": ("this server", "sharp"),
    "stored": ("this server", "Thumbor"),
}


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
        seconds = kind.seconds * (1 if connections <= 16 or kind.seconds <= 1 else 2)
        before = self._cpu()
        output = _wrk(f"http://127.0.0.1:{self.port}{path}", headers, connections, seconds)
        cpu = self._cpu() - before
        self.peak = max(self.peak, self._resident())
        return _read(output, cpu)

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
def _this_server(*, stores: bool = False) -> Iterator[Server]:
    # sharp draws on four threads of libuv in one process; this server has a process for each processor.
    processors = str(os.cpu_count())
    options = ["--processes", processors, "--workers", processors, "--queue", "256", "--connections-per-address", "0"]
    port = free_port()
    command = [sys.executable, "-c", "from handler.cli import main; main()", "serve", "--images", str(CACHE)]
    command += ["--port", str(port), *options]
    # As the image has it.
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "MALLOC_ARENA_MAX": "2"}
    with tempfile.TemporaryDirectory() as results:
        more = {"STORE_RESULTS": "Yes", "RESULTS_BUCKET": f"results={Path(results).as_uri()}"} if stores else {}
        with _serving("this server", command, port, HERE, env | more) as server:
            yield server


@contextmanager
def _sharp() -> Iterator[Server]:
    install_sharp()
    port, env = free_port(), {"PATH": os.environ["PATH"], "NODE_ENV": "production"}
    with _serving("sharp", ["node", "server.mjs", str(CACHE), str(port)], port, SHARP, env) as server:
        yield server


@contextmanager
def _thumbor(*, stores: bool = False) -> Iterator[Server]:
    port = free_port()
    with tempfile.TemporaryDirectory() as results:
        env = {"PATH": f"{THUMBOR_VENV / 'bin'}:{os.environ['PATH']}", "BENCH_IMAGES": str(CACHE)}
        env |= {"BENCH_RESULTS": results} if stores else {}
        options = ["--port", str(port), "--ip", "127.0.0.1", "--conf", "load.conf"]
        with _serving("Thumbor", [str(install_thumbor()), *options], port, HERE / "thumbor", env) as server:
            yield server


def table(_: str) -> Lines:
    """Yield the lines of the part `load`."""
    for picture in (SMALL, MEDIUM):
        pictures.make(picture)
    yield ""
    yield "## Load: requests to the servers, with wrk on the same cores"
    yield ""
    if not shutil.which("wrk"):
        raise SystemExit("the part `load` needs wrk: apt-get install wrk")
    yield f"Medians of {ROUNDS} runs in turn. The ideal is connections ÷ requests/s, the time in an orderly queue."
    peaks: dict[str, float] = {}
    for kind in KINDS:
        with ExitStack() as stack:
            servers = [stack.enter_context(_open(name, stores=kind.is_stored)) for name in SERVERS[kind.name]]
            yield from _kind_table(kind, servers)
            for server in servers:
                peaks[server.name] = max(peaks.get(server.name, 0.0), server.peak)
    ratio = peaks["this server"] / peaks["sharp"]
    yield ""
    yield "Peak memory, all processes of a server: " + ", ".join(
        f"{name} {peak:.0f} MB" for name, peak in peaks.items()
    )
    verdict = goals.note("load", "peak memory ÷ sharp's", ratio, MEMORY_GOAL)
    yield f"({ratio:.2f} of sharp's, goal {MEMORY_GOAL}: {verdict})."


def _open(name: str, *, stores: bool) -> AbstractContextManager[Server]:
    if name == "sharp":
        return _sharp()
    return _this_server(stores=stores) if name == "this server" else _thumbor(stores=stores)


def _kind_table(kind: Kind, servers: list[Server]) -> Lines:
    yield ""
    what = f"{kind.picture.key} → {kind.width} px {kind.format}" if kind.format else kind.picture.key
    yield f"### {kind.name}: {what}"
    yield ""
    yield "| connections | server | requests/s | p50, ms | p99, ms | p99 ÷ ideal | CPU ms | failed | goal | |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for level in LEVELS:
        runs: dict[str, list[Run]] = {server.name: [] for server in servers}
        for turn in range(ROUNDS):
            for server in servers if turn % 2 else reversed(servers):
                runs[server.name].append(server.run(kind, level))
        for name, of_server in runs.items():
            yield _row(kind, level, name, of_server, runs)


def _row(kind: Kind, level: int, name: str, runs: list[Run], all_runs: Mapping[str, list[Run]]) -> str:
    rate, p50, p99, cpu = (
        statistics.median(getattr(run, field) for run in runs) for field in ("rate", "p50", "p99", "cpu")
    )
    queue = p99 * rate / level / 1000
    judged = list(_goals(kind, level, rate, queue, runs, all_runs)) if name == "this server" else []
    failed = sum(run.failed for run in runs)
    return (
        f"| {level} | {name} | {rate:.0f} | {p50:.1f} | {p99:.1f} | {queue:.2f} | {cpu:.2f} | {failed} "
        f"| {'; '.join(goal for goal, _ in judged)} | {'; '.join(verdict for _, verdict in judged)} |"
    )


def _goals(
    kind: Kind, level: int, rate: float, queue: float, runs: list[Run], all_runs: Mapping[str, list[Run]]
) -> Iterator[tuple[str, str]]:
    """Yield the goals of this server in a row, each with the verdict."""
    where = f"{kind.name}, {level} connections"
    if kind.name in ("small", "medium"):
        ratio = statistics.median(a.rate / b.rate for a, b in zip(runs, all_runs["sharp"], strict=True))
        verdict = goals.note("load", f"{where}: requests/s ÷ sharp's", ratio, 1, is_least=True)
        yield f"{ratio:.2f} of sharp's rate, goal 1", verdict
    if before := THROUGHPUT_BEFORE.get(kind.name, {}).get(level):
        verdict = goals.note("load", f"{where}: requests/s ÷ before", rate / before, FASTER, is_least=True)
        yield f"{rate / before:.1f} × {before}, goal {FASTER}", verdict
    if level == LEVELS[-1]:
        yield f"p99 {queue:.2f} of ideal, goal {P99_GOAL}", goals.note("load", f"{where}: p99 ÷ ideal", queue, P99_GOAL)
