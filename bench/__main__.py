"""`python -m bench`: this handler, sharp and Thumbor side by side, in one run; tables go to bench/RESULTS.md too."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from tests import weights

from bench import (
    bill,
    cold,
    extent,
    goals,
    load,
    overhead,
    peers,
    pictures,
    profiles,
    remove_background,
    stores,
    streaming,
    warm,
)
from bench.cases import CASES, LOWER_CHROMA, LOWER_Y, MORE_BYTES
from bench.cold import Footprint, Start
from bench.drive_handler import http_event
from bench.warm import Measured

RESULTS = Path(__file__).parent / "RESULTS.md"
COLD_GOAL, MEMORY_GOAL, MINUTES = 0.45, 30.0, 20

Lines = Iterator[str]

_of_cases: list[tuple[str, list[Measured]]] = []
"""What the part `warm` measured, for the costs."""


def introduction() -> Lines:
    yield "# What the bench measured"
    yield ""
    yield f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()},"
    yield f"Python {platform.python_version()}; load when it began: {os.getloadavg()[0]:.1f}. Made by `make bench`."
    yield "Times are medians in milliseconds; a ratio is the median of ratios of calls in turn, so that a busy machine"
    yield "slows both; CPU time is that of all threads, which is what counts where Lambda gives less than two cores."
    yield "SSIM is that of the decoded answer against the lossless resize; differences are to sharp's."


def warm_tables(s3: str) -> Lines:
    yield ""
    yield "## Warm: event in, answer out, S3 GET and base64 included"
    with ExitStack() as stack:
        programs = [
            stack.enter_context(open_peer(s3)) for open_peer in (peers.this_handler, peers.sharp, peers.thumbor)
        ]
        for case in CASES:
            measured = warm.measure(case, programs)
            ratio = warm.mean_ratio(measured, "this handler")
            _of_cases.append((case.name, measured))
            verdict = goals.note("warm", f"{case.name}, ÷ sharp", ratio, case.goal)
            yield ""
            yield f"### {case.name}"
            yield ""
            yield f"{ratio:.2f} of sharp's time, goal {case.goal}: {verdict}."
            yield f"Thumbor: {warm.mean_ratio(measured, 'Thumbor'):.2f}."
            yield ""
            yield from _case_table(case.name, measured)


def _case_table(name: str, measured: list[Measured]) -> Lines:
    yield "| picture | program | ms | ÷ sharp's | CPU ÷ sharp's | bytes | ÷ sharp's | Y | Cb | Cr | misses |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    theirs = {each.picture: each for each in measured if each.peer == "sharp"}
    for each in measured:
        sharp = theirs[each.picture]
        y, cb, cr = (a - b for a, b in zip(each.similarity, sharp.similarity, strict=True))
        misses = [
            *(["bytes"] if each.size > sharp.size * MORE_BYTES else []),
            *(["Y"] if y < -LOWER_Y else []),
            *(["chroma"] if min(cb, cr) < -LOWER_CHROMA else []),
        ]
        if each.peer == "this handler":
            goals.note("warm", f"{name}, {each.picture}: bytes ÷ sharp's", each.size / sharp.size, MORE_BYTES)
            goals.note(
                "warm", f"{name}, {each.picture}: Y less sharp's, × 1000", y * 1000, -LOWER_Y * 1000, is_least=True
            )
        cpu = "" if each.cpu is None else f"{each.cpu:.2f}"
        said = ", ".join(misses) if each.peer == "this handler" else ""
        yield (
            f"| {each.picture} | {each.peer} | {each.milliseconds:.1f} | {each.ratio:.2f} | {cpu} | {each.size} "
            f"| {each.size / sharp.size:.3f} | {y:+.4f} | {cb:+.4f} | {cr:+.4f} | {said} |"
        )


def cold_tables(s3: str) -> Lines:
    yield ""
    yield "## Cold: process start to the first finished 400 px WebP of a 2 MP JPEG"
    yield ""
    yield "Real awslambdaric against a stand-in of the Runtime API; the peer is plain Node."
    yield ""
    yield "| way | this handler, ms | sharp, ms | ratio | goal | | modules | MB read | MB of libraries touched |"
    yield "|---|---|---|---|---|---|---|---|---|"
    picture = cold.SMALL.pictures[0]
    event = http_event(picture.key, cold.SMALL.parameters)
    yield _cold_row("unsigned", cold.plain_start(s3), cold.footprint(s3, {}, event))
    with stores.secrets_server(cold.SECRETS) as secrets:
        settings, (event, _) = cold.signed_settings(secrets), cold.signed_event(picture)
        start = cold.signed_start(s3, secrets)
        yield _cold_row("CDN secret and signature", start, cold.footprint(s3, settings, event))


def _cold_row(name: str, start: Start, print_: Footprint) -> str:
    verdict = goals.note("cold", f"{name}, ÷ sharp in plain Node", start.ratio, COLD_GOAL)
    return (
        f"| {name} | {start.ours:.0f} | {start.theirs:.0f} | {start.ratio:.2f} | {COLD_GOAL} "
        f"| {verdict} | {print_.modules} | {print_.read:.1f} | {print_.mapped:.1f} |"
    )


def memory_table(s3: str) -> Lines:
    peak = cold.peak_memory(s3)
    yield ""
    yield f"## Memory: a fresh process answers for `{pictures.HUNDRED_MEGAPIXELS.name}`, baseline JPEG"
    yield ""
    yield f"Idle {peak.idle:.1f} MB, the file {peak.file:.1f} MB, peak {peak.peak:.1f} MB:"
    verdict = goals.note("memory", "100 megapixels, MB above idle and file", peak.above, MEMORY_GOAL)
    yield f"{peak.above:.1f} MB above both, goal {MEMORY_GOAL:.0f}: {verdict}."


def cutout_tables(_: str) -> Lines:
    yield ""
    yield from remove_background.warm()
    yield from remove_background.cold()


def cost_table(_: str) -> Lines:
    return bill.table(_of_cases)


PARTS: dict[str, Callable[[str], Lines]] = {
    "warm": warm_tables,
    "overhead": overhead.table,
    "profiles": profiles.table,
    "streaming": lambda _: streaming.tables(),
    "cold": cold_tables,
    "memory": memory_table,
    "load": load.table,
    "cutouts": cutout_tables,
    "costs": cost_table,
}
"""The parts of a run. Each gets the address of the store with the pictures. The costs are those of the part `warm`."""


def _measure(wanted: Sequence[str]) -> Lines:
    """Yield the lines of these parts, and how long each of them took."""
    minutes = {}
    with stores.s3_server() as s3:
        for name in wanted:
            started = time.monotonic()
            yield from PARTS[name](s3)
            minutes[name] = (time.monotonic() - started) / 60
    yield ""
    took = ", ".join(f"{name} {each:.1f}" for name, each in minutes.items())
    yield f"Minutes: {took}; {sum(minutes.values()):.1f} together, goal {MINUTES}."


def _printed(lines: Lines) -> list[str]:
    """Print each line as soon as it is there, and return all of them."""
    kept = []
    for line in lines:
        print(line, flush=True)
        kept.append(line)
    return kept


def main() -> None:
    """Measure, print, and keep a full run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of {', '.join(PARTS)}; all are kept")
    parser.add_argument("--brief", action="store_true", help="measure as little as each row needs; it says nothing")
    arguments = parser.parse_args()
    wanted = arguments.parts or list(PARTS)
    if not set(wanted) <= set(PARTS):
        parser.error(f"PART must be one of {', '.join(PARTS)}, got {' '.join(wanted)}")
    # What is not installed ends a run at its start, not after a quarter of an hour.
    if "load" in wanted and not shutil.which("wrk"):
        parser.error("the part `load` needs wrk: apt-get install wrk")
    if "cutouts" in wanted:
        weights.rembg()
    if arguments.brief:
        extent.be_brief()
    peers.install_sharp()
    pictures.make_all()
    head, parts, table = _printed(introduction()), _printed(_measure(wanted)), _printed(goals.table())
    if set(wanted) == set(PARTS):
        # The goals are known last and read first.
        RESULTS.write_text("\n".join([*head, *table, *parts]) + "\n")


if __name__ == "__main__":
    main()
