"""What an ICC profile costs: a picture with one beside the same picture in sRGB, asked of this handler in turn."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench import extent, goals, pictures
from bench.cases import CASES, Case, geometric_mean
from bench.icc import PROFILES
from bench.peers import Peer, this_handler
from bench.pictures import Picture

GOAL = 1.08
"""Processor time with a profile ÷ without, at most."""
ROUNDS = 15
_SIZES = {"12 MP JPEG → 800 px JPEG q80", "12 MP JPEG → 800 px WebP q80", "2 MP JPEG → 400 px WebP q80"}


def measure(case: Case, plain: Picture, profiled: Picture, handler: Peer) -> float:
    """Return the median of paired ratios of processor time."""
    ratios = []
    for turn in range(extent.rounds(ROUNDS) + 1):
        pair = (plain, profiled) if turn % 2 else (profiled, plain)
        took = {picture: handler.ask(case, picture).cpu or 0.0 for picture in pair}
        ratios.append(took[profiled] / took[plain])
    # The first turn warms the handler up.
    return statistics.median(ratios[1:])


def table(s3: str) -> Iterator[str]:
    """Yield the lines of the part `profiles`."""
    yield ""
    yield "## Colour profiles: processor time ÷ that of the same picture in sRGB"
    yield ""
    yield f"| case | profile | {' | '.join(pictures.PROFILED_SUBJECTS)} | together | goal | |"
    yield "|---" * (len(pictures.PROFILED_SUBJECTS) + 5) + "|"
    with this_handler(s3) as handler:
        for case in (case for case in CASES if case.name in _SIZES):
            plain = [picture for picture in case.pictures if picture.subject in pictures.PROFILED_SUBJECTS]
            for profile in PROFILES:
                ratios = [measure(case, each, each.in_profile(profile), handler) for each in plain]
                mean = geometric_mean(ratios)
                cells = " | ".join(f"{ratio:.2f}" for ratio in ratios)
                verdict = goals.note("profiles", f"{case.name}, {profile}", mean, GOAL)
                yield f"| {case.name} | {profile} | {cells} | {mean:.2f} | {GOAL} | {verdict} |"
