"""Servers under load: `image-handler serve` beside sharp on node:http and Thumbor, at 1, 4, 16 and 64 connections.

All read the same folder, and wrk on the same machine sends the requests, to one server at a time, in turn.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from bench import extent, goals, pictures
from bench.pictures import Picture
from bench.servers import FIRST, OURS, SHARPS, THUMBOR, Kind, Run, Server, first_version, open_server

LEVELS = (1, 4, 16, 64)
"""Connections, each of which sends its next request when it has its answer."""
ROUNDS = 2
SMALL = Picture("0.24mp-rocket", "rocket", (600, 400), 0.0, ".jpg", 85)
"""The size of most pictures of the web."""
MEDIUM = pictures.CAMERA_JPEGS[0]
P99_GOAL, MEMORY_GOAL = 1.3, 0.4
FASTER, FASTER_AT = 3, (1, 16)
"""The goal for what needs no pixels: this many times the requests/s of the first version, at these connections."""

Lines = Iterator[str]

KINDS = (
    Kind("small", SMALL, 300, "webp"),
    Kind("medium", MEDIUM, 800, "jpeg", 6),
    Kind("unedited", SMALL, seconds=1),
    Kind("304", SMALL, seconds=1, is_conditional=True),
    Kind("stored", MEDIUM, 800, "webp", 1, is_stored=True),
)
SERVERS = {
    "small": (OURS, SHARPS, THUMBOR),
    "medium": (OURS, SHARPS, THUMBOR),
    "unedited": (OURS, FIRST, SHARPS),
    "304": (OURS, FIRST, SHARPS),
    "stored": (OURS, THUMBOR),
}
"""The servers of each kind. Thumbor's own goals are none, so it has one round."""


def table(_: str) -> Lines:
    """Yield the lines of the part `load`."""
    for picture in (SMALL, MEDIUM):
        pictures.make(picture)
    yield ""
    yield "## Load: requests to the servers, with wrk on the same cores"
    yield ""
    if not shutil.which("wrk"):
        raise SystemExit("the part `load` needs wrk: apt-get install wrk")
    yield f"Medians of {ROUNDS} runs in turn, one of Thumbor."
    yield "The ideal is connections ÷ requests/s, the time in an orderly queue."
    peaks: dict[str, float] = {}
    for kind in KINDS:
        with ExitStack() as stack:
            names = [name for name in SERVERS[kind.name] if name != FIRST or first_version() is not None]
            servers = [stack.enter_context(open_server(name, stores=kind.is_stored)) for name in names]
            yield from _kind_table(kind, servers)
            for server in servers:
                peaks[server.name] = max(peaks.get(server.name, 0.0), server.peak)
    ratio = peaks[OURS] / peaks[SHARPS]
    yield ""
    yield "Peak memory, all processes of a server: " + ", ".join(
        f"{name} {peak:.0f} MB" for name, peak in peaks.items()
    )
    verdict = goals.note("load", "peak memory ÷ sharp's", ratio, MEMORY_GOAL)
    yield f"({ratio:.2f} of sharp's, goal {MEMORY_GOAL}: {verdict})."


def _kind_table(kind: Kind, servers: list[Server]) -> Lines:
    yield ""
    what = f"{kind.picture.key} → {kind.width} px {kind.format}" if kind.format else kind.picture.key
    yield f"### {kind.name}: {what}"
    yield ""
    yield "| connections | server | requests/s | p50, ms | p99, ms | p99 ÷ ideal | CPU ms | failed | goal | |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for level in LEVELS:
        runs: dict[str, list[Run]] = {server.name: [] for server in servers}
        for turn in range(extent.rounds(ROUNDS)):
            for server in servers if turn % 2 else reversed(servers):
                if server.name != THUMBOR or not turn:
                    runs[server.name].append(server.run(kind, level))
        for name, of_server in runs.items():
            yield _row(kind, level, name, of_server, runs)


def _row(kind: Kind, level: int, name: str, runs: list[Run], all_runs: Mapping[str, list[Run]]) -> str:
    rate, p50, p99, cpu = (
        statistics.median(getattr(run, field) for run in runs) for field in ("rate", "p50", "p99", "cpu")
    )
    # Without an answer there is nothing to judge.
    queue = p99 * rate / level / 1000 if rate else float("inf")
    judged = list(_goals(kind, level, queue, all_runs)) if name == OURS else []
    failed = sum(run.failed for run in runs)
    return (
        f"| {level} | {name} | {rate:.0f} | {p50:.1f} | {p99:.1f} | {queue:.2f} | {cpu:.2f} | {failed} "
        f"| {'; '.join(goal for goal, _ in judged)} | {'; '.join(verdict for _, verdict in judged)} |"
    )


def _goals(kind: Kind, level: int, queue: float, runs: Mapping[str, list[Run]]) -> Iterator[tuple[str, str]]:
    """Yield the goals of this server in a row, each with the verdict."""
    where = f"{kind.name}, {level} connections"
    if kind.name in ("small", "medium"):
        ratio = _ratio(runs, SHARPS)
        verdict = goals.note("load", f"{where}: requests/s ÷ sharp's", ratio, 1, is_least=True)
        yield f"{ratio:.2f} of sharp's rate, goal 1", verdict
    if FIRST in runs and level in FASTER_AT:
        ratio = _ratio(runs, FIRST)
        verdict = goals.note("load", f"{where}: requests/s ÷ first version's", ratio, FASTER, is_least=True)
        yield f"{ratio:.1f} × the first version's rate, goal {FASTER}", verdict
    if level == LEVELS[-1]:
        yield f"p99 {queue:.2f} of ideal, goal {P99_GOAL}", goals.note("load", f"{where}: p99 ÷ ideal", queue, P99_GOAL)


def _ratio(runs: Mapping[str, list[Run]], other: str) -> float:
    """Return the median of the paired ratios of rates; 0 where the other server answered nothing."""
    pairs = zip(runs[OURS], runs[other], strict=True)
    return statistics.median(ours.rate / theirs.rate if theirs.rate else 0.0 for ours, theirs in pairs)
