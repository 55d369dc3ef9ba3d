"""`python -m tests.fuzz --seconds 120 --seed 1`: all parts side by side; status 1 where something was found."""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz import addresses, containers, signatures
from tests.fuzz.asking import Asking
from tests.fuzz.case import REGRESSIONS, Case, Outcome, keep

PARTS: dict[str, Callable[[random.Random], Case]] = {
    "addresses": addresses.case,
    "containers": containers.case,
    "signatures": signatures.case,
}
MOST_FINDINGS = 20
"""Of one part; whatever is behind so many is one fault, or the tool's own."""


@dataclass
class Run:
    """What one part tried and found; one case of each kind of fault."""

    tried: int = 0
    good: int = 0
    slowest: float = 0.0
    grown: int = 0
    found: dict[str, tuple[Case, Outcome]] = field(default_factory=dict)

    def add(self, case: Case, outcome: Outcome) -> None:
        self.tried += 1
        self.good += outcome.status in (200, 302, 304)
        self.slowest = max(self.slowest, outcome.seconds)
        self.grown = max(self.grown, outcome.grown)
        if outcome.fault:
            self.found.setdefault(re.sub(r"0x[0-9a-f]+|[0-9]+", "0", outcome.fault)[:160], (case, outcome))


def fuzz(part: str, seed: str, seconds: float, cases: int = sys.maxsize, first: int = 0) -> Run:
    """Try the cases of a part from the `first` on, as many as fit into the time."""
    run, until, number = Run(), time.monotonic() + seconds, first
    with Asking() as asking:
        while time.monotonic() < until and run.tried < cases and len(run.found) < MOST_FINDINGS:
            case = PARTS[part](random.Random(f"{seed}:{part}:{number}"))
            run.add(case, asking.ask(case))
            number += 1
    return run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", default=f"{time.time():.0f}", help="any text; the same one tries the same cases")
    parser.add_argument("--part", choices=PARTS, action="append", help="one of the parts; may be given several times")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--keep", type=Path, default=REGRESSIONS, help="folder for what is found")
    said = parser.parse_args()
    parts = said.part or list(PARTS)
    print(f"seed {said.seed}, {said.seconds:.0f} seconds", flush=True)
    with ThreadPoolExecutor(len(parts)) as pool:
        runs = dict(
            zip(parts, pool.map(lambda part: fuzz(part, said.seed, said.seconds, first=said.first), parts), strict=True)
        )
    for part, run in runs.items():
        print(
            f"{part}: {run.tried} cases, {run.good} answered, slowest {run.slowest:.2f} s of a processor, "
            f"most memory {run.grown} MB, {len(run.found)} kinds of fault"
        )
        for case, outcome in run.found.values():
            print(f"  {outcome.fault[:300]}\n    {case.configuration} {case.kind} {case.address[:300]}")
            print(f"    kept as {keep(case, said.keep)}")
            print("".join(f"      {line}\n" for line in outcome.detail.splitlines()), end="")
    return 1 if any(run.found for run in runs.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
