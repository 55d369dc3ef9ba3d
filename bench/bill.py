"""What a million delivered images cost, by the prices and the rule of docs/cost.md, with the seconds of this run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from bench import goals
from bench.warm import Measured

DELIVERED, MISSED, GIGABYTES = 1_000_000, 100_000, 50
PROCESSOR = 1769 / 1024
"""GB of a function that come with one processor."""
ARM, INTEL = 0.0000133334, 0.0000166667
"""Dollars for a GB-second."""
_SAME = (
    DELIVERED * 0.01 / 10_000  # requests to the CDN
    + GIGABYTES * 0.085  # transfer
    + MISSED * 0.2 / 1_000_000  # requests to Lambda
    + MISSED * 0.0004 / 1_000  # S3
    + MISSED * (1e-6 + 0.15e-6) * 0.5  # logs
)


def table(of_cases: Sequence[tuple[str, Sequence[Measured]]]) -> Iterator[str]:
    """Yield the lines of the part `costs`, for cases that were measured in the same run."""
    yield ""
    yield "## Cost: a million images, one in ten of them rendered"
    yield ""
    yield "Each column has the lines that grow with requests, for what its template deploys: this handler on arm64"
    yield "behind an HTTP API with an edge function, AWS's own on x86-64 behind a REST API. Seconds are medians."
    yield ""
    yield "| case | this handler, s | sharp, s | Lambda's time | sharp's | and on arm64 | total | AWS's own | ratio |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, measured in of_cases:
        ours, theirs = (
            statistics.median(each.milliseconds for each in measured if each.peer == peer) / 1000
            for peer in ("this handler", "sharp")
        )
        time, their_time = (MISSED * PROCESSOR * seconds for seconds in (ours * ARM, theirs * INTEL))
        total = _SAME + time + MISSED * 1.0 / 1_000_000 + DELIVERED * 0.1 / 1_000_000
        their_total = _SAME + their_time + MISSED * 3.5 / 1_000_000
        goals.note("costs", f"{name}, ÷ AWS's own", total / their_total, 1.0)
        yield (
            f"| {name} | {ours:.3f} | {theirs:.3f} | {time:.2f} | {their_time:.2f} | {their_time * ARM / INTEL:.2f} "
            f"| {total:.2f} | {their_total:.2f} | {total / their_total:.2f} |"
        )
