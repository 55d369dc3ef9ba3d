"""What it gains to decode an original while it arrives: this handler with and without it, asked in turn."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack

from bench import extent, goals, pictures
from bench.cases import CASES, Case, geometric_mean
from bench.peers import Peer, this_handler
from bench.pictures import Picture
from bench.slow_store import Pace
from bench.stores import slow_store

ROUNDS = 11
S3 = Pace(rate=60e6, delay=0.015)
"""What one connection of S3 gives."""
SLOW_GOAL, LOOPBACK_GOAL = 0.8, 1.02
"""Time with streaming ÷ without, at most."""
_CASES = [case for case in CASES if case.name.startswith("12 MP") and case.format != "avif"]
_LARGE = [
    (_CASES[0], pictures.CAMERA_JPEGS[1]),
    (_CASES[-1], pictures.CAMERA_WEBPS[1]),
    (_CASES[0], pictures.HUNDRED_MEGAPIXELS),
]


def measure(case: Case, picture: Picture, streaming: Peer, whole: Peer) -> tuple[float, float]:
    """Return the medians of the paired ratios of time and of processor time."""
    walls, processors = [], []
    for turn in range(extent.rounds(ROUNDS) + 1):
        pair = (streaming, whole) if turn % 2 else (whole, streaming)
        took = {peer: peer.ask(case, picture) for peer in pair}
        walls.append(took[streaming].wall / took[whole].wall)
        processors.append((took[streaming].cpu or 0.0) / (took[whole].cpu or 1.0))
    # The first turn warms both up.
    return statistics.median(walls[1:]), statistics.median(processors[1:])


def tables() -> Iterator[str]:
    """Yield the lines of the part `streaming`."""
    yield ""
    yield "## Decoded while it arrives: time ÷ that of the same request with the original read first"
    yield ""
    yield "| case | store | by picture | together | CPU | goal | |"
    yield "|---|---|---|---|---|---|---|"
    yield from _times("60 MB/s, 15 ms to the first byte", S3, SLOW_GOAL)
    yield from _times("loopback", Pace(), LOOPBACK_GOAL)
    yield from _times("60 MB/s, broken off after 0.5 MB", S3._replace(cut=500_000), None)
    yield ""
    yield "| peak memory in MB, from 60 MB/s | file | read first | decoded while it arrives |"
    yield "|---|---|---|---|"
    with slow_store(S3) as s3:
        for case, picture in _LARGE:
            size = pictures.make(picture).stat().st_size / 1e6
            whole, streaming = (_peak(s3, case, picture, streams=streams) for streams in (False, True))
            yield f"| {picture.name}{picture.suffix} | {size:.1f} | {whole:.1f} | {streaming:.1f} |"


def _times(name: str, pace: Pace, goal: float | None) -> Iterator[str]:
    with ExitStack() as stack:
        s3 = stack.enter_context(slow_store(pace))
        streaming, whole = (stack.enter_context(this_handler(s3, streams=streams)) for streams in (True, False))
        for case in _CASES:
            ratios = [measure(case, picture, streaming, whole) for picture in case.pictures]
            mean, processor = (geometric_mean(list(each)) for each in zip(*ratios, strict=True))
            cells = ", ".join(f"{wall:.2f}" for wall, _ in ratios)
            verdict = goals.note("streaming", f"{case.name}, {name}: ÷ read whole", mean, goal) if goal else ""
            yield f"| {case.name} | {name} | {cells} | {mean:.2f} | {processor:.2f} | {goal or ''} | {verdict} |"


def _peak(s3: str, case: Case, picture: Picture, *, streams: bool) -> float:
    """Return the peak of a fresh process that answers for one picture."""
    with this_handler(s3, streams=streams) as peer:
        return peer.ask(case, picture).peak
