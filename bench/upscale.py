"""`python -m bench.upscale > bench/UPSCALE.md`: `upscale` beside Lanczos, and what it takes.

Each photograph in samples/ is halved and enlarged again, by `upscale` and by Pillow's Lanczos filter. Half a megapixel
is a request in a process of its own, with the decoder, the encoder and the opening of the network.
"""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyvips
from PIL import Image
from tests.client import Client
from tests.weights import PHOTOS, require_weights

from bench.similarity import similarity

HALF_A_MEGAPIXEL = "retina.jpg"
"""A photograph of 706 × 706 pixels."""
STARTS = 3
_REQUEST = """
import sys, time
from bench.upscale import client
from bench.drive_handler import peak_memory
from tests.weights import PHOTOS
served = client(PHOTOS)
assert served.get(f"/{sys.argv[1]}?width=800").status == 200
before, started = peak_memory(), time.process_time()
assert served.get(f"/{sys.argv[1]}?upscale=true").status == 200
print(time.process_time() - started, peak_memory() - before)
"""


def client(folder: Path) -> Client:
    """Return a client of the images in a folder."""
    weights = require_weights("upscale/waifu2x-photo.onnx")
    source = {"SOURCE_BUCKETS": f"p={folder.as_uri()}", "WEIGHTS": str(weights)}
    return Client({**source, "PUBLIC_FEATURES": "*", "MAX_SECONDS": "300"})


def compare(path: Path, folder: Path) -> tuple[float, float]:
    """Return the similarity to a photograph that Lanczos and `upscale` reach from its half, on Y."""
    whole = pyvips.Image.new_from_file(str(path)).colourspace("srgb")[:3]
    whole = whole.crop(0, 0, whole.width // 2 * 2, whole.height // 2 * 2).copy_memory()
    half: Any = whole.resize(0.5).copy_memory()
    half.pngsave(str(folder / "half.png"), keep="none")
    plain = io.BytesIO()
    Image.fromarray(half.numpy()).resize((whole.width, whole.height), Image.Resampling.LANCZOS).save(plain, "png")
    answer = client(folder).get("/half.png?upscale=true")
    if answer.status != 200:
        raise RuntimeError(f"{path.name}: {answer.body.decode()}")
    return similarity(plain.getvalue(), whole).y, similarity(answer.body, whole).y


def measure() -> list[float]:
    """Return processor seconds and megabytes of a request, each the median of some."""
    command = [sys.executable, "-c", _REQUEST, HALF_A_MEGAPIXEL]
    runs = [_last_line(subprocess.run(command, check=True, capture_output=True, text=True)) for _ in range(STARTS)]
    return [statistics.median(column) for column in zip(*(map(float, run.split()) for run in runs), strict=True)]


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    """Return what a process has printed last; the lines before are the log's."""
    return process.stdout.splitlines()[-1]


def main() -> None:
    # The log takes its stream from `sys.stdout`, where the tables go.
    tables, sys.stdout = sys.stdout, sys.stderr
    lines = list(_lines())
    tables.write("\n".join(lines) + "\n")


def _lines() -> Iterator[str]:
    yield "# upscale beside Lanczos\n"
    yield "Made by `python -m bench.upscale > bench/UPSCALE.md`; the file explains itself.\n"
    yield "SSIM on Y of a photograph that was halved and enlarged again:\n"
    yield "| photograph | Lanczos | upscale |\n|---|---|---|"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(PHOTOS.iterdir()):
            rows.append(compare(path, Path(folder)))
            yield f"| {path.name} | {rows[-1][0]:.4f} | {rows[-1][1]:.4f} |"
    plain, made = (statistics.mean(column) for column in zip(*rows, strict=True))
    yield f"| **mean** | **{plain:.4f}** | **{made:.4f}** |\n"
    seconds, memory = measure()
    yield f"Half a megapixel (706 × 706, JPEG to JPEG) takes {seconds:.1f} s of processor time (goal: 6 by the clock),"
    yield f"and {memory:.0f} MB beside those of a process that has resized it."


if __name__ == "__main__":
    main()
