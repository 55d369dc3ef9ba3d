"""`python -m bench.quantize > bench/QUANTIZE.md`: how quick quantize is, and how its criteria choose.

`--sheet FILE` draws the pictures that the criteria were judged by. All goes through the public face: reports tell what
each criterion said of each number.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyvips

from bench import pictures
from bench.drive_handler import Context as LambdaContext
from bench.drive_handler import http_event
from features import edits
from imaging import Context, Output, Rendered, Report, check, run

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""
Lines = Iterator[str]

GOAL, ROUNDS = 300, 9
LEAST, MOST = 8, 32
NUMBERS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
WIDTHS = (300, 400, 600, 800)
TIMED: tuple[tuple[str, dict[str, str], bool], ...] = (
    ("nothing but decode and encode", {"flip": "true"}, False),
    ("`quantize=8`", {"quantize": "8"}, True),
    ("`quantize=16`", {"quantize": "16"}, True),
    ("`quantize=32`", {"quantize": "32"}, True),
    ("`quantize=256`", {"quantize": "256"}, True),
    ("`quantize=auto`", {"quantize": "auto"}, True),
    ("`quantize=16&dither=true`", {"quantize": "16", "quantize.dither": "true"}, True),
    ("`quantize=auto&criterion=silhouette`", {"quantize": "auto", "quantize.criterion": "silhouette"}, False),
    ("`feature=quantize&palette=true`", {"quantize.palette": "true"}, True),
)
"""What is asked, in words and as parameters, and whether the goal is for it."""


class Drawn(NamedTuple):
    """A quantized picture: its PNG, and its mean CIEDE2000 to the original."""

    size: int
    difference: float


def table(*head: str) -> Lines:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


# --- time


def times() -> Lines:
    """Event in, answer out, warm; the originals lie in a folder."""
    for picture in pictures.SMALL_JPEGS:
        pictures.make(picture)
    os.environ |= {"SOURCE_BUCKETS": f"bench=file://{pictures.CACHE}", "LOG_LEVEL": "WARNING"}
    from handler.app import lambda_handler

    names = [picture.subject for picture in pictures.SMALL_JPEGS]
    yield f"Milliseconds of a 2 MP JPEG, event in, answer out, base64 included; medians of {ROUNDS}. Goal: {GOAL}."
    for extension in ("png", "jpeg"):
        yield from table(f"→ {extension.upper()}", *names, "goal")
        for words, parameters, has_goal in TIMED:
            medians = [
                _median(lambda_handler, http_event(picture.key, parameters | {"format": extension}))
                for picture in pictures.SMALL_JPEGS
            ]
            verdict = ("reached" if max(medians) <= GOAL else "missed") if has_goal else ""
            yield row(words, *(f"{each:.0f}" for each in medians), verdict)


def _median(handle: Callable[[Any, Any], Any], event: dict[str, Any]) -> float:
    took = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        answer = handle(event, LambdaContext())
        took.append((time.perf_counter() - started) * 1000)
        if answer["statusCode"] != 200:
            raise SystemExit(f"the status must be 200, got {answer['statusCode']}: {answer['body']}")
    return statistics.median(took[1:])


# --- criteria


def samples() -> dict[str, bytes]:
    """The originals, by name."""
    found = [*sorted(pictures.SAMPLES.iterdir()), pictures.SAMPLES.parent / "logo.png"]
    return {path.stem: path.read_bytes() for path in found}


def report(original: bytes, **said: object) -> dict[str, Any]:
    outcome = run(original, edits({"quantize": {"palette": True, **said}}), Output(), Context())
    if not isinstance(outcome, Report):
        raise TypeError(f"a report was expected, got {type(outcome).__name__}")
    return outcome.content


def shown(original: bytes, **said: object) -> tuple[Image, int]:
    """The first frame as PNG decodes, and the bytes of that PNG."""
    asked = edits({"quantize": said} if said else {"flip": False})
    outcome = run(original, asked, check(Output, {"format": "png", "animated": False}), Context())
    if not isinstance(outcome, Rendered):
        raise TypeError(f"a picture was expected, got {type(outcome).__name__}")
    return pyvips.Image.new_from_buffer(outcome.body, "").colourspace("srgb"), len(outcome.body)


def drawn(original: bytes, **said: object) -> Drawn:
    before: Image = pyvips.Image.new_from_buffer(original, "").colourspace("srgb")
    after, size = shown(original, **said)
    far = before[0:3].colourspace("lab").dE00(after[0:3].colourspace("lab"))
    if before.hasalpha():
        visible = before[3] / 255
        return Drawn(size, (far * visible).avg() / visible.avg())
    return Drawn(size, far.avg())


def knee(scores: dict[int, float]) -> int:
    """Where the curve bends most: farthest below the line from its first point to its last (Satopää et al., 2011)."""
    (first, high), *_, (last, low) = sorted(scores.items())
    return max(scores, key=lambda n: 1 - (n - first) / (last - first) - (scores[n] - low) / (high - low))


def criteria() -> Lines:
    yield f"What each criterion takes of {LEAST} to {MOST}; ΔE is the mean CIEDE2000 of all pixels, kB that of the PNG."
    yield from table(
        "picture", "silhouette", "ΔE", "kB", "knee", "ΔE", "difference 4", "ΔE", "kB", "dithered kB", "all colours kB"
    )
    for name, original in samples().items():
        by_silhouette = report(original, criterion="silhouette")["colors"]
        by_difference = report(original)["colors"]
        by_knee = knee({n: report(original, colors=n)["difference"] for n in range(LEAST, MOST + 1)})
        found = {n: drawn(original, colors=n) for n in {by_silhouette, by_difference, by_knee}}
        yield row(
            name,
            by_silhouette, f"{found[by_silhouette].difference:.1f}", _kilobytes(found[by_silhouette].size),
            by_knee, f"{found[by_knee].difference:.1f}",
            f"**{by_difference}**", f"{found[by_difference].difference:.1f}", _kilobytes(found[by_difference].size),
            _kilobytes(drawn(original, colors=by_difference, dither=True).size), _kilobytes(shown(original)[1]),
        )  # fmt: skip


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.0f}"


def made_up() -> dict[str, bytes]:
    """Pictures whose colours are known: a cloud without gaps, and twelve groups far apart."""
    import numpy as np

    chance = np.random.default_rng(1)
    groups = np.array(
        [[192, 32, 48], [16, 64, 160], [34, 170, 68], [245, 245, 245], [16, 16, 16], [232, 160, 26], [128, 32, 128],
         [0, 192, 192], [128, 96, 64], [255, 128, 192], [96, 96, 96], [192, 255, 64]]
    )  # fmt: skip
    noisy = groups[np.repeat(np.arange(12), 4000)] + chance.normal(0, 2, (48_000, 3))
    clouds = {
        "*every colour alike*": chance.integers(0, 256, (200, 240, 3)),
        "*twelve groups*": noisy.clip(0, 255).reshape(200, 240, 3),
    }
    return {name: _png(levels.astype(np.uint8)) for name, levels in clouds.items()}


def _png(levels: Any) -> bytes:
    image: Image = pyvips.Image.new_from_array(levels).copy(interpretation="srgb")
    return bytes(image.pngsave_buffer())


def silhouettes() -> Lines:
    yield "Mean silhouette by number of colours: it falls, or tells next to nothing, from 8 on."
    yield from table("picture", *map(str, NUMBERS), f"best of {LEAST} to {MOST}")
    for name, original in (samples() | made_up()).items():
        said = report(original, criterion="silhouette", minColors=2, maxColors=MOST)["tried"]
        scores = {tried["colors"]: tried["score"] for tried in said}
        best = max(range(LEAST, MOST + 1), key=scores.__getitem__)
        yield row(name, *(f"{scores[n]:.2f}" for n in NUMBERS), best)


def steadiness() -> Lines:
    yield "The same photograph at several widths: silhouette / difference."
    yield from table("picture", *(f"{width} px" for width in WIDTHS))
    for name in ("cat", "coffee", "raccoon", "retina", "rocket"):
        whole = (pictures.SAMPLES / f"{name}.jpg").read_bytes()
        cells = []
        for width in WIDTHS:
            resized: Image = pyvips.Image.thumbnail_buffer(whole, width)
            original = bytes(resized.pngsave_buffer(keep="none"))
            cells.append(f"{report(original, criterion='silhouette')['colors']} / {report(original)['colors']}")
        yield row(name, *cells)


def sheet(file: Path) -> None:
    """Original, silhouette, difference, and difference dithered, side by side."""
    ways: tuple[dict[str, object], ...] = ({}, {"criterion": "silhouette"}, {"colors": None}, {"dither": True})
    tiles: list[Image] = []
    for name in ("astronaut", "cat", "coffee", "rocket"):
        whole = (pictures.SAMPLES / f"{name}.jpg").read_bytes()
        small: Image = pyvips.Image.thumbnail_buffer(whole, 240, height=160, crop="attention")
        original = bytes(small.pngsave_buffer(keep="none"))
        tiles += [shown(original, **way)[0] for way in ways]
    sheet: Image = pyvips.Image.arrayjoin(tiles, across=len(ways), shim=6, background=[255])
    sheet.webpsave(str(file), Q=80, keep="none")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.quantize", description=__doc__)
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="draw the pictures into this WebP and nothing else")
    wanted = parser.parse_args()
    if wanted.sheet:
        sheet(wanted.sheet)
        return
    print("# What quantize takes and what it finds")
    print()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores; load when it began: {os.getloadavg()[0]:.1f}.")
    print("Made by `python -m bench.quantize > bench/QUANTIZE.md`; docs/quantize.md says what follows from it.")
    for heading, part in {
        "Time": times, "Criteria": criteria, "Silhouette": silhouettes, "Steadiness": steadiness,
    }.items():  # fmt: skip
        print(f"\n## {heading}\n")
        for line in part():
            print(line, flush=True)


if __name__ == "__main__":
    main()
