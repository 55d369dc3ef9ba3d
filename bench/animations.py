"""What animated results and gain maps take: `python -m bench.animations > bench/ANIMATIONS.md`."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image as Pillow
from tests.ultra_hdr import gain_levels, ultra_hdr

from features.steps import edits
from imaging import Context, Output, Rendered, check, run

Image = Any
"""A pyvips image; pyvips has no types of its own."""
_PHOTO = Path(__file__).resolve().parent.parent / "samples" / "photos" / "cat.jpg"
_WIDTH, _HEIGHT, _FRAMES, _ROUNDS = 320, 240, 20, 5


def seconds() -> float:
    """Return the processor time of this process and its ended children."""
    return sum(os.times()[:4])


def film(*, moves: bool) -> list[Image]:
    """A photograph that moves as a whole, or a disc that moves over it."""
    photo: Image = pyvips.Image.new_from_file(str(_PHOTO))
    if moves:
        large = photo.thumbnail_image(2 * _WIDTH, height=2 * _HEIGHT, size="force").copy_memory()
        return [large.crop(3 * number, 2 * number, _WIDTH, _HEIGHT) for number in range(_FRAMES)]
    still = photo.thumbnail_image(_WIDTH, height=_HEIGHT, size="force").copy_memory()
    return [still.draw_circle([250, 40, 30], 40 + 8 * number, 120, 30, fill=True) for number in range(_FRAMES)]


def stored(frames: list[Image]) -> bytes:
    """The frames as a GIF."""
    tall = pyvips.Image.arrayjoin(frames, across=1).copy()
    tall.set_type(pyvips.GValue.gint_type, "page-height", _HEIGHT)
    tall.set_type(pyvips.GValue.array_int_type, "delay", [80] * len(frames))
    return bytes(tall.gifsave_buffer())


def pixels(body: bytes) -> Any:
    """The frames of a file as Pillow decodes them."""
    file = Pillow.open(io.BytesIO(body))
    frames = []
    for number in range(getattr(file, "n_frames", 1)):
        file.seek(number)
        frames.append(np.asarray(file.convert("RGB"), float))
    return np.stack(frames)


def measured(body: bytes, changes: dict[str, object], **output: object) -> tuple[float, bytes]:
    """The least processor time of several runs, and the file."""
    took, result = math.inf, b""
    for _ in range(_ROUNDS):
        started = seconds()
        outcome = run(body, edits(changes), check(Output, output), Context())
        took = min(took, seconds() - started)
        assert isinstance(outcome, Rendered)
        result = outcome.body
    return took, result


def animations() -> None:
    """Print a row for each film and format."""
    print(f"## A GIF of {_FRAMES} frames of {_WIDTH} × {_HEIGHT}, mirrored\n")
    print("Seconds are those of one processor for the whole run; PSNR compares with the GIF's own frames.\n")
    print("| film | format | seconds | bytes | PSNR |\n|---|---|---|---|---|")
    for name, moves in (("a photograph that moves", True), ("a disc over a photograph", False)):
        body = stored(film(moves=moves))
        expected = pixels(body)[:, :, ::-1]
        for kind in ("gif", "webp", "avif", "apng"):
            took, result = measured(body, {"flop": True}, format=kind)
            error = float(((pixels(result) - expected) ** 2).mean())
            ratio = f"{10 * math.log10(255**2 / error):.1f}" if error else "–"
            print(f"| {name} | {kind} | {took:.2f} | {len(result)} | {ratio} |")


def gain_maps() -> None:
    """Print what `hdr=keep` adds to the time and the bytes of a photograph."""
    photo: Image = (
        pyvips.Image.new_from_file(str(_PHOTO)).thumbnail_image(2400, height=1800, size="force").copy_memory()
    )
    body = ultra_hdr(photo, gain_levels(600, 450))
    print("\n## An Ultra HDR photograph of 2400 × 1800 with a map of 600 × 450\n")
    print("| edits | hdr | milliseconds | bytes |\n|---|---|---|---|")
    edited: list[dict[str, object]] = [
        {"resize": {"width": 1200}},
        {"rotate": 90},
        {"crop": {"left": 101, "width": 1001, "height": 900}},
    ]
    for changes in edited:
        for hdr in ("sdr", "keep"):
            took, result = measured(body, changes, hdr=hdr)
            print(f"| `{changes}` | {hdr} | {1000 * took:.0f} | {len(result)} |")


if __name__ == "__main__":
    print("# Animated results and gain maps\n")
    print("What animated results and gain maps take: `python -m bench.animations > bench/ANIMATIONS.md`.\n")
    animations()
    gain_maps()
