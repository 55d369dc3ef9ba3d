"""The table that the encoder settings were chosen from: `python -m bench.efforts > bench/EFFORTS.md`.

`python -m bench.efforts png` measures that format alone. Each candidate and sharp's default encode the same original
in turn, pixels alone: no S3, no base64.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyvips

from bench import pictures
from bench.cases import CASES, LOWER_CHROMA, LOWER_Y, MORE_BYTES, Case, geometric_mean
from bench.peers import SHARP, Took
from bench.pictures import Image, Picture
from bench.similarity import Similarity, lossless_resize, similarity
from imaging import Deadline
from imaging.codecs.decode.inflate import open_decompressed
from imaging.codecs.png_chunks import compress_pixels

FOUND_CASES = [
    Case("15 photographs → 256 px WebP q80", pictures.FOUND, 256, "webp", 80, 0.7),
    Case("15 photographs → 256 px AVIF q50", pictures.FOUND, 256, "avif", 50, 0.18),
]
"""More pictures, for what one setting does to bytes and similarity; their times are those of small pictures."""
_NAMED = 6
"""Pictures up to which each miss is listed with its picture."""
ROUNDS = {"avif": 3}
"""Repetitions of a format; 7 of the others."""

Encode = Callable[[bytes, int], bytes]


def load_with_margin(margin: int) -> Callable[[bytes, int], Image]:
    """JPEG shrunk on load by the largest of 8, 4, 2 that leaves a factor `margin` for lanczos3.

    sharp leaves 1, and halves a shrink that is nearly the whole reduction.
    """

    def load(original: bytes, width: int) -> Image:
        source = pyvips.Source.new_from_memory(original)
        header = pyvips.Image.new_from_source(source, "", access="sequential")
        if not str(header.get("vips-loader")).startswith("jpeg"):
            return pyvips.Image.thumbnail_source(source, width, height=10**6)
        factor = header.width / width
        shrink = next((each for each in (8, 4, 2) if factor >= each * margin), 1)
        shrink = shrink // 2 if shrink > 1 and int(factor) == shrink else shrink
        image = pyvips.Image.jpegload_source(source, shrink=shrink, access="sequential")
        height = round(header.height / factor)
        return image.resize(width / image.width, vscale=height / image.height)

    return load


@dataclass
class Candidate:
    """One way to encode, and what came of it with each picture."""

    label: str
    encode: Encode
    ratios: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    more_bytes: list[float] = field(default_factory=list)
    lower: list[Similarity] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)

    def judge(self, picture: Picture, times: Took, more_bytes: float, lower: Similarity) -> None:
        """Note what one picture took: times and bytes in shares of sharp's, and what SSIM it lost."""
        self.ratios.append(times.wall)
        self.cpu.append(times.cpu or 0)
        self.more_bytes.append(more_bytes)
        self.lower.append(lower)
        if more_bytes > MORE_BYTES:
            self.misses.append(f"{picture.subject} bytes × {more_bytes:.3f}")
        if lower.y > LOWER_Y:
            self.misses.append(f"{picture.subject} Y −{lower.y:.4f}")
        if max(lower.cb, lower.cr) > LOWER_CHROMA:
            self.misses.append(f"{picture.subject} chroma −{max(lower.cb, lower.cr):.4f}")

    def row(self) -> str:
        worst = Similarity(*(max(planes) for planes in zip(*self.lower, strict=True)))
        return (
            f"| {self.label} | {geometric_mean(self.ratios):.2f} | {geometric_mean(self.cpu):.2f} "
            f"| {geometric_mean(self.more_bytes):.3f} "
            f"| {-worst.y:+.4f} | {-max(worst.cb, worst.cr):+.4f} | {self._missed()} |"
        )

    def _missed(self) -> str:
        """Each miss; of many pictures only how many there are of each kind."""
        if len(self.ratios) <= _NAMED:
            return ", ".join(self.misses) or "none"
        counts = {kind: sum(f" {kind} " in miss for miss in self.misses) for kind in ("bytes", "Y", "chroma")}
        return ", ".join(f"{kind} of {count}" for kind, count in counts.items() if count) or "none"


def _saves(method: str, margin: int, **options: Any) -> Encode:
    load = load_with_margin(margin)

    def encode(original: bytes, width: int) -> bytes:
        return bytes(getattr(load(original, width), f"{method}_buffer")(keep="none", **options))

    return encode


def _packs(rows: str, *, beside: bool) -> Encode:
    """PNG packed by ISA-L, and unpacked `beside` libvips or within it."""
    load = load_with_margin(1)

    def encode(original: bytes, width: int) -> bytes:
        source = open_decompressed(original, Deadline()) if beside else None
        image: Image = pyvips.Image.thumbnail_source(source, width, height=10**6) if source else load(original, width)
        return compress_pixels(image.pngsave_buffer(keep="none", compression=0, filter=rows))

    return encode


def _label(margin: int, options: dict[str, Any]) -> str:
    return f"margin {margin}, " + ", ".join(f"{name} {value}" for name, value in options.items())


def _candidates(case: Case) -> Iterator[Candidate]:
    method, margins, grid = {
        "jpeg": ("jpegsave", (1, 2), JPEG),
        "webp": ("webpsave", (1, 2), WEBP),
        "avif": ("heifsave", (1, 2), AVIF),
        "png": ("pngsave", (1,), PNG),
    }[case.format]
    from_jpeg = case.pictures[0].suffix == ".jpg"
    for margin in margins if from_jpeg else (1,):
        for options in grid:
            fixed = {"compression": "av1"} if case.format == "avif" else {}
            yield Candidate(_label(margin, options), _saves(method, margin, **fixed, **options))
    if case.format == "png":
        for rows in FILTERS:
            yield Candidate(f"ISA-L, filter {rows}", _packs(rows, beside=False))
        for rows in FILTERS:
            yield Candidate(f"ISA-L, filter {rows}, unpacked beside", _packs(rows, beside=True))


JPEG: list[dict[str, Any]] = [
    {"Q": 80, "optimize_coding": True},
    {"Q": 80, "optimize_coding": False},
    {"Q": 80, "optimize_coding": True, "trellis_quant": True},
    {"Q": 80, "optimize_coding": True, "interlace": True},
]
WEBP: list[dict[str, Any]] = [
    {"Q": 80, "effort": 4},
    {"Q": 80, "effort": 3},
    {"Q": 81, "effort": 2},
    {"Q": 80, "effort": 2},
    {"Q": 79, "effort": 2},
    {"Q": 78, "effort": 2},
    {"Q": 77, "effort": 2},
    {"Q": 78, "effort": 2, "smart_subsample": True},
    {"Q": 78, "effort": 2, "preset": "photo"},
    {"Q": 79, "effort": 2, "preset": "drawing"},
    {"Q": 80, "effort": 1},
    {"Q": 78, "effort": 0},
]
AVIF: list[dict[str, Any]] = [
    {"Q": 50, "effort": 4, "subsample_mode": "off"},
    {"Q": 50, "effort": 3, "subsample_mode": "off"},
    {"Q": 52, "effort": 3, "subsample_mode": "off"},
    {"Q": 50, "effort": 3, "subsample_mode": "on"},
    {"Q": 50, "effort": 3, "subsample_mode": "off", "bitdepth": 10},
    {"Q": 50, "effort": 2, "subsample_mode": "off"},
    {"Q": 50, "effort": 1, "subsample_mode": "off"},
    *({"Q": quality, "effort": 3, "subsample_mode": "off"} for quality in (48, 49, 51)),
    {"Q": 50, "effort": 3, "subsample_mode": "off", "tune": "ssim"},
    {"Q": 50, "effort": 3, "subsample_mode": "off", "tune": "psnr"},
]
FILTERS = ("none", "sub", "up", "avg", "paeth", "all")
PNG: list[dict[str, Any]] = [{"compression": level, "filter": rows} for rows in FILTERS for level in (1, 2, 4, 6)]


@contextmanager
def sharp_pixels() -> Iterator[Callable[..., Took]]:
    """sharp in a process of its own."""
    command = ["node", "pixels.mjs"]
    with subprocess.Popen(
        command, cwd=SHARP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        stdin, stdout = node.stdin, node.stdout

        def encode(case: Case, original: Path, out: Path | None = None) -> Took:
            asked = {"file": str(original), "width": case.width, "format": case.format, "options": case.options}
            stdin.write(json.dumps(asked | ({"out": str(out)} if out else {})) + "\n")
            return Took.read(stdout.readline())

        yield encode
        stdin.close()


def _took(encode: Encode, original: bytes, width: int) -> Took:
    started, before = time.perf_counter(), time.process_time()
    encode(original, width)
    return Took((time.perf_counter() - started) * 1000, (time.process_time() - before) * 1000)


def measure(case: Case, candidates: list[Candidate], sharp: Callable[..., Took]) -> float:
    """Measure every candidate with every picture, in turn with sharp; sharp's median milliseconds."""
    all_sharp: list[float] = []
    for picture in case.pictures:
        path = pictures.make(picture)
        original, default = path.read_bytes(), pictures.CACHE / "sharp.out"
        reference = lossless_resize(original, case.width)
        sharp(case, path, default)
        best = similarity(default.read_bytes(), reference)
        shares: dict[str, list[Took]] = {candidate.label: [] for candidate in candidates}
        for _ in range(ROUNDS.get(case.format, 7)):
            theirs = sharp(case, path)
            all_sharp.append(theirs.wall)
            for candidate in candidates:
                shares[candidate.label].append(_share(_took(candidate.encode, original, case.width), theirs))
        for candidate in candidates:
            answer = candidate.encode(original, case.width)
            got = similarity(answer, reference)
            lower = Similarity(*(theirs - ours for theirs, ours in zip(best, got, strict=True)))
            middle = Took(*(statistics.median(times) for times in zip(*shares[candidate.label], strict=True)))
            candidate.judge(picture, middle, len(answer) / default.stat().st_size, lower)
    return statistics.median(all_sharp)


def _share(ours: Took, theirs: Took) -> Took:
    return Took(ours.wall / theirs.wall, (ours.cpu or 0) / (theirs.cpu or 1))


def main() -> None:
    pyvips.cache_set_max(0)
    print("# Encoder settings\n")
    print(__doc__.splitlines()[0] if __doc__ else "")
    with sharp_pixels() as sharp:
        for case in (case for case in (*CASES, *FOUND_CASES) if case.format in (sys.argv[1:] or case.format)):
            candidates = list(_candidates(case))
            median = measure(case, candidates, sharp)
            print(f"\n## {case.name}\n\nsharp's default: {median:.0f} ms (median).\n")
            print("| setting | time ÷ sharp's | CPU ÷ sharp's | bytes ÷ sharp's | worst Y | worst Cb, Cr | misses |")
            print("|---|---|---|---|---|---|---|")
            for candidate in candidates:
                print(candidate.row(), flush=True)


if __name__ == "__main__":
    main()
