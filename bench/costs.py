"""`python -m bench.costs`: what each feature takes, beside what it declares (`cost=` in its file).

Each case runs on a photograph of four megapixels, read once from top to bottom, in a process of its own: seconds of
one processor and bytes of memory, for each pixel of the larger of the picture before and after. `reckoned` is what the
budgets (`WORK_BUDGET`, `MEMORY_BUDGET`) count for it. A ratio below 1 is an estimate that is too low.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from bench import pictures

SIZE = (2400, 1600)
FOLDER = pictures.CACHE.parent / "costs"
SECONDS = 40
_MEASURE = """
import ctypes, json, sys, time
import pyvips
from features import Context, Limits, ObjectRef, edits
from features._picture import Picture, Source
photo, logo, said, weights = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
step = edits(said)[0]
context = Context(
    objects={ObjectRef("", "logo.png"): open(logo, "rb").read()},
    limits=Limits(memory=10**12, result_pixels=10**9),
    weights=weights,
)

def status(name):
    return int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1]) * 1024

def opened():
    image = pyvips.Image.new_from_file(photo, access="sequential")
    return Picture(image, Source("png", image.width, image.height, 1000))

def measured(steps):
    ctypes.CDLL(None).malloc_trim(0)
    open("/proc/self/clear_refs", "w").write("5")
    before, started = status("VmRSS"), time.process_time()
    made = opened()
    for step in steps:
        made = step.feature.apply(made, step.params, context)
    size = (made.width, made.height) if isinstance(made, Picture) else SIZE
    if isinstance(made, Picture):
        made.image.avg()
    return time.process_time() - started, status("VmHWM") - before, size

measured([])
SIZE = (opened().width, opened().height)
if step.feature.heavy:
    measured([step])  # the model is opened once in a process
plain, least, _ = measured([])
seconds, memory, size = measured([step])
megapixels = max(size[0] * size[1], SIZE[0] * SIZE[1]) / 1e6
print(json.dumps([max(0.0, seconds - plain) / megapixels, max(0, memory - least) / 1e6 / megapixels]))
"""

Params = Any


def make() -> None:
    """The photograph and the overlay, where they are not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if (FOLDER / "photo.png").exists():
        return
    image = pictures.mosaic(SIZE)
    image.pngsave(str(FOLDER / "photo.png"), compression=1)
    image.resize(0.1).pngsave(str(FOLDER / "logo.png"))


def measure(name: str, said: Params) -> tuple[float, float]:
    """Seconds for a megapixel, and bytes for a pixel."""
    told = [str(FOLDER / "photo.png"), str(FOLDER / "logo.png"), json.dumps({name: said}), "weights"]
    command = [sys.executable, "-c", _MEASURE, *told]
    out = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS).stdout
    seconds, memory = json.loads(out.splitlines()[-1])
    return seconds, memory
