"""`python -m tests.features.chains SEED COUNT`: random chains of features, and how much memory each takes at its peak.

Prints a line of JSON for each chain. A chain may be refused; what counts is that nothing takes more than the budget.
"""

from __future__ import annotations

import ctypes
import json
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bench.costs import CASES
from tests import pictures

from features import CATALOGUE
from features import by_name as feature_named
from features.steps import edits
from imaging import Context, Deadline, FeatureError, Limits, ObjectRef, Output, Step, check, run

BUDGETS = (60_000_000, 100_000_000, 150_000_000, 250_000_000)
"""Bytes; small ones, so that many chains come near them."""
SECONDS = 4.0
LOGO = ObjectRef("", "logo.png")
EXTREMES: dict[str, list[Any]] = {
    "affine": [{"matrix": [3, 0.1, 0.1, 3], "interpolator": "nohalo"}, {"matrix": [0.01, 1, 1, 0]}],
    "blur": [1000, {"sigma": 31.9, "minAmplitude": 0.001, "precision": "float"}, {"sigma": 900, "minAmplitude": 0.001}],
    "convolve": [{"kernel": [1] * 1001, "height": 1001}],
    "extend": [900, {"all": 700, "mode": "mirror"}],
    "fill": [{"mode": "blur", "width": 6000, "height": 5000}],
    "pixelate": [1000],
    "resize": [{"width": 6000}, {"width": 7000, "height": 200}, {"width": 5000, "height": 60, "position": "attention"}],
    "rotate": [45, 1],
    "toColourspace": ["rgb16", "grey16"],
    "waveletSharpen": [{"amount": 10, "radius": 10, "luminance": False}],
}
FORMATS = ("jpeg", "png", "webp", "avif", "gif", "tiff", "original")


def sources() -> list[bytes]:
    """A photograph, one with alpha, an animation, and files that decoders hold as a whole."""
    wide = pictures.scene(2400, 1600)
    clear = pictures.scene_with_alpha(1500, 1000)
    return [
        bytes(wide.jpegsave_buffer(Q=85)),
        bytes(wide.jpegsave_buffer(Q=85, interlace=True)),
        bytes(clear.pngsave_buffer(compression=1)),
        bytes(clear.webpsave_buffer(Q=70, effort=0)),
        bytes(pictures.film(400, 300, (50,) * 8).gifsave_buffer(effort=1)),
    ]


def chain(chance: random.Random) -> tuple[Step, ...]:
    """Up to twelve steps, in any order; half of the chains repeat one feature."""
    names = [feature.name for feature in CATALOGUE if not (feature.expensive or feature.billed)]
    names = [name for name in names if feature_named(name).group != "report"]
    length = chance.randint(1, 12)
    chosen = [chance.choice(names)] * length if chance.random() < 0.5 else chance.choices(names, k=length)
    steps: list[Step] = []
    for name in chosen:
        said = chance.choice(CASES[name] + 2 * EXTREMES.get(name, []))
        steps += [step for step in edits({name: said}) if step.feature.name == name]
    return tuple(steps)


def status(name: str) -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def measured(original: bytes, steps: tuple[Step, ...], output: Output, budget: int) -> dict[str, Any]:
    """What became of one run: its peak of memory beyond what the process had, and its seconds of processor."""
    limits = Limits(memory=budget, work=SECONDS)
    context = Context(limits=limits, deadline=Deadline.after(60), objects={LOGO: pictures.png()})
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, started = status("VmRSS"), time.process_time()
    outcome = "200"
    try:
        run(original, steps, output, context)
    except FeatureError as error:
        outcome = f"{type(error).__name__}: {error.message}"
    return {
        "steps": [[step.feature.name, repr(step.params)[:200]] for step in steps],
        "format": output.format,
        "outcome": outcome,
        "budget": budget,
        "bytes": status("VmHWM") - before,
        "seconds": time.process_time() - started,
    }


def main() -> None:
    seed, count = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))
    originals = sources()
    # What the process loads once is not of the first chain.
    for original in originals:
        for name in FORMATS:
            usual = edits({"resize": {"width": 100}, "sharpen": 1})
            measured(original, usual, check(Output, {"format": name}), max(BUDGETS))
    for number in range(seed, seed + count):
        chance = random.Random(number)
        steps, output = chain(chance), check(Output, {"format": chance.choice(FORMATS)})
        row = measured(chance.choice(originals), steps, output, chance.choice(BUDGETS))
        sys.stdout.write(json.dumps({"seed": number, **row}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
