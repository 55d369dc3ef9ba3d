"""Cut-outs beside rembg: `python -m bench.remove_background [warm] [cold] [masks] [quantised] [ranges]`.

`warm` and `cold` compare with `rembg.remove` and the same model; `masks` tells how far masks are apart; `quantised`
tries smaller versions of the model and wants `pip install onnxconverter-common` besides; `ranges` measures again what
the model in eight bits is made with.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from tests import similarity
from tests.client import Client
from tests.stand_ins.runtime_api import lambda_process, runtime_api
from tests.weights import PHOTOS, SAMPLES, rembg, rembg_session, require_weights

from bench import extent, goals, pictures
from bench.cases import geometric_mean
from bench.drive_handler import http_event
from bench.pictures import Picture

ROUNDS, STARTS = 9, 5
GOAL_REMBG, GOAL_KEPT, GOAL_COLD, GOAL_NAIVE, GOAL_MASK = 0.42, 0.1, 1.0, 1 / 15, 3.0
SIZE = (1632, 1224)
SUBJECTS = [
    Picture(f"2mp-{subject}-fine", subject, SIZE, detail, ".jpg", 90)
    for subject, detail in (("astronaut", 0.3), ("raccoon", 0.3), ("coffee", 0.7), ("cat", 0.2))
]
"""Photographs with a subject, of 2 megapixels."""
QUERY = {"feature": "removeBackground", "format": "webp"}
NAIVE = """
import sys, time
from pathlib import Path
import rembg
picture = rembg.remove(Path(sys.argv[1]).read_bytes(), session=rembg.new_session("u2net"))
assert picture
"""

Lines = Iterator[str]


@dataclass(frozen=True)
class Times:
    """Seconds and processor seconds of several ways to the same, taken in turn."""

    of: dict[str, list[float]]
    cpu: dict[str, list[float]]

    def median(self, name: str) -> float:
        return statistics.median(self.of[name])

    def ratio(self, name: str, other: str) -> float:
        """Median of the paired ratios."""
        return _paired(self.of, name, other)

    def cpu_ratio(self, name: str, other: str) -> float:
        """Median of the paired ratios of processor time, of this process alone."""
        return _paired(self.cpu, name, other)


def _paired(of: dict[str, list[float]], name: str, other: str) -> float:
    return statistics.median([a / b for a, b in zip(of[name], of[other], strict=True)])


def in_turn(ways: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> Times:
    """Every way once to warm it up, then each in turn."""
    times = Times({name: [] for name in ways}, {name: [] for name in ways})
    for turn in range(extent.rounds(rounds) + 1):
        for name, way in ways.items() if turn % 2 else reversed(ways.items()):
            started, before = time.perf_counter(), time.process_time()
            way()
            if turn:
                times.of[name].append(time.perf_counter() - started)
                times.cpu[name].append(time.process_time() - before)
    return times


def warm() -> Lines:
    """Event in, answer out, base64 included; what is timed is the default treatment of edges."""
    yield "## Warm: 2 MP JPEG → cut-out WebP\n"
    yield "Beside `rembg.remove` of the same bytes by u2net to PNG. In the first column the model runs, because"
    yield "the original changes before each call; *again* draws with the kept mask. *bare* is one run of the model.\n"
    names = ("picture", "ours, s", "again, s", "rembg, s", "bare, s", "ours ÷ rembg", "by CPU", "again ÷ rembg")
    yield f"| {' | '.join(names)} | kB | rembg, kB |"
    yield "|---" * 10 + "|"
    measured = [_measure_warm(picture) for picture in SUBJECTS]
    for row, _ in measured:
        yield row
    for name, goal in (("ours", GOAL_REMBG), ("again", GOAL_KEPT)):
        mean = geometric_mean([times.ratio(name, "rembg") for _, times in measured])
        cpu = geometric_mean([times.cpu_ratio(name, "rembg") for _, times in measured])
        verdict = goals.note("cut-outs", f"{name} ÷ rembg", mean, goal)
        yield (
            f"\n{name.capitalize()} ÷ rembg, geometric mean: **{mean:.2f}**, {cpu:.2f} by processor time, "
            f"goal {goal}: {verdict}."
        )
    least = geometric_mean([times.ratio("bare", "rembg") for _, times in measured])
    yield f"\nThe model alone is {least:.2f} of `rembg.remove`: nothing that runs it can take less."


def _measure_warm(picture: Picture) -> tuple[str, Times]:
    path = pictures.make(picture)
    original = path.read_bytes()
    client = _client(pictures.CACHE)
    session, remove = rembg_session("u2net"), rembg().remove
    fed = {"input.1": np.random.default_rng(1).normal(size=(1, 3, 320, 320)).astype(np.float32)}
    model = _opened_model()
    answers: dict[str, int] = {}

    def again() -> None:
        event = http_event(picture.key, QUERY)
        answer = client.invoke(event, seconds=120)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"the handler must answer 200, got {answer}")
        answers["ours"] = len(base64.b64decode(answer["body"]))

    def ours() -> None:
        # Another time of change is another ETag, so that no mask is kept of this original.
        os.utime(path)
        again()

    def theirs() -> None:
        answers["rembg"] = len(remove(original, session=session))

    ways = {"ours": ours, "again": again, "rembg": theirs, "bare": lambda: model.run(None, fed)}
    # In turns that go backwards, the mask of the turn before is kept still.
    times = in_turn(ways)
    seconds = " | ".join(f"{times.median(name):.3f}" for name in times.of)
    ratios = f"{times.ratio('ours', 'rembg'):.2f} | {times.cpu_ratio('ours', 'rembg'):.2f}"
    sizes = f"{answers['ours'] / 1000:.0f} | {answers['rembg'] / 1000:.0f}"
    return f"| {picture.subject} | {seconds} | {ratios} | {times.ratio('again', 'rembg'):.2f} | {sizes} |", times


def _client(folder: Path) -> Client:
    from handler.observability.logs import logger

    weights = require_weights("optimised/u2net.onnx", "int8/u2net.onnx")
    logger().setLevel("ERROR")
    return Client(
        {
            "SOURCE_BUCKETS": f"p={folder.as_uri()}",
            "PUBLIC_FEATURES": "*",
            "WEIGHTS": str(weights),
            "LOG_LEVEL": "ERROR",
        }
    )


def _opened_model() -> Any:
    """The model that a request without a model gets on this processor."""
    from features.remove_background.choice import choose_model
    from imaging.context import Context
    from imaging.models.saliency import _opened

    weights = str(require_weights("optimised/u2net.onnx", "int8/u2net.onnx"))
    return _opened(weights, choose_model(None, Context(weights=weights)))


def cold() -> Lines:
    """Real awslambdaric; files are in the page cache."""
    picture = SUBJECTS[0]
    original = pictures.make(picture)
    session, remove = rembg_session("u2net"), rembg().remove
    times = in_turn(
        {"ours": lambda: _start(picture), "rembg": lambda: remove(original.read_bytes(), session=session)}, STARTS
    )
    naive = _naive_start(original)
    ours = times.median("ours")
    yield "\n## Cold: process start → first cut-out\n"
    yield "| way | s | ours ÷ it | goal |"
    yield "|---|---|---|---|"
    yield f"| ours, awslambdaric, {picture.subject} | {ours:.2f} | | |"
    ratio = times.ratio("ours", "rembg")
    verdict = goals.note("cut-outs", "cold ÷ warm rembg", ratio, GOAL_COLD)
    yield f"| `rembg.remove`, warm | {times.median('rembg'):.2f} | {ratio:.2f} | {GOAL_COLD}: {verdict} |"
    share = ours / naive
    yield (
        f"| first `import rembg; remove()`, nothing compiled | {naive:.1f} | 1/{1 / share:.0f} "
        f"| 1/15: {_verdict(share <= GOAL_NAIVE)} |"
    )


def _start(picture: Picture) -> None:
    weights = require_weights("optimised/u2net.onnx", "int8/u2net.onnx")
    environment = {
        "SOURCE_BUCKETS": f"p={pictures.CACHE.as_uri()}",
        "PUBLIC_FEATURES": "*",
        "WEIGHTS": str(weights),
        # The default of functions on arm64, which the template deploys unless it is told otherwise.
        "CUTOUT_MODEL": "u2net-int8",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
    }
    with runtime_api(120) as api:
        api.send(http_event(picture.key, QUERY))
        with lambda_process(api, environment, stdout=subprocess.DEVNULL) as process:
            answer = api.receive().json()
            process.kill()
    if answer["statusCode"] != 200:
        raise RuntimeError(f"the handler must answer 200, got {answer}")


def _naive_start(original: Path) -> float:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir()
        (home / "u2net.onnx").symlink_to(require_weights("u2net.onnx") / "u2net.onnx")
        environment = {
            "PATH": os.environ["PATH"],
            "U2NET_HOME": str(home),
            "NUMBA_CACHE_DIR": str(Path(folder, "code")),
        }
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", NAIVE, str(original)], env=environment, check=True)
        return time.perf_counter() - started


def masks() -> Lines:
    """Of 255, the mean over all pixels; animations by their first frame."""
    from features.remove_background.masks import subject_mask
    from imaging.context import Context

    session, remove = rembg_session("u2net"), rembg().remove
    context = Context(weights=str(require_weights("optimised/u2net.onnx")))
    yield "\n## Masks: mean difference to rembg's\n"
    yield "| picture | of 255 |"
    yield "|---|---|"
    worst = 0.0
    for path in [*sorted(PHOTOS.iterdir()), SAMPLES / "logo.png", *(pictures.make(each) for each in SUBJECTS)]:
        theirs = remove(path.read_bytes(), session=session, only_mask=True, force_return_bytes=True)
        ours = subject_mask(pyvips.Image.new_from_file(str(path)).autorot(), "u2net", context)
        difference = similarity.mean_difference(ours, pyvips.Image.new_from_buffer(theirs, ""))
        worst = max(worst, difference)
        yield f"| {path.stem} | {difference:.2f} |"
    yield f"\nWorst {worst:.2f}, goal under {GOAL_MASK:.0f}: {_verdict(worst < GOAL_MASK)}."


def quantised() -> Lines:
    """Smaller versions of the model, beside the one that is used."""
    from bench import quantised_model
    from imaging.models.saliency import _opened

    exact = _opened(str(require_weights("optimised/u2net.onnx")))
    yield from quantised_model.table(require_weights("u2net.onnx") / "u2net.onnx", exact)


def ranges() -> Lines:
    """The ranges of activations that the model in eight bits is made with."""
    from bench import quantised_model

    quantised_model.measure_ranges(require_weights("u2net.onnx") / "u2net.onnx")
    yield "\nThe ranges are measured again; the checksum in imaging/models/int8.py may have to follow."


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**missed**"


PARTS: dict[str, Callable[[], Lines]] = {
    "warm": warm,
    "cold": cold,
    "masks": masks,
    "quantised": quantised,
    "ranges": ranges,
}


def main() -> None:
    wanted = sys.argv[1:] or ["warm", "cold", "masks"]
    if not set(wanted) <= set(PARTS):
        raise SystemExit(f"parts are {', '.join(PARTS)}, got {json.dumps(wanted)}")
    for part in wanted:
        for line in PARTS[part]():
            print(line, flush=True)


if __name__ == "__main__":
    main()
