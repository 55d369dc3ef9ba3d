"""What edits and options take beside a plain resize: `python -m bench.additions > bench/ADDITIONS.md`.

The image with the addition and the one without it are made in turns, in one process, and the figures are medians: of
the processor time of both, and of the differences of each pair. PDF pages are drawn in other processes, whose time
counts as well.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.pdfs import page
from tests.ultra_hdr import gain_levels, ultra_hdr

from bench import extent, pictures
from features.steps import edits
from imaging import Context, Deadline, Found, Limits, Region, Rendered, check, run
from imaging.codecs.canvas import Canvas
from imaging.params.output import Output

ROUNDS = 25
GOALS = {"text": 8.0, "redact": 60.0}
"""Milliseconds."""
TITLE = {"text": "Ten photographs and how they were made", "size": "6p", "weight": 700, "position": "bottom"}
FACES = (Region(0.2, 0.2, 0.12, 0.16), Region(0.5, 0.25, 0.1, 0.13), Region(0.7, 0.6, 0.08, 0.1))
ALL = frozenset({"jpeg", "png", "webp", "avif"})
SEARCHES = (("jpeg", 80), ("webp", 80), ("avif", 50))
PHOTO = pictures.CAMERA_JPEGS[0].path
Work = Callable[[], None]


class Detected:
    """Faces that are known already, so that detecting them takes no time."""

    finds_objects = False

    def find(self, _kind: str, _frames: range, _overlay: object) -> tuple[Found, ...]:
        """Return three faces."""
        return tuple(Found(region) for region in FACES)


CONTEXT = Context(limits=Limits(switched_on=frozenset({"PDF_SOURCES"})), vision=Detected())  # type: ignore[arg-type]  # redact alone asks it


def render(original: bytes, params: dict[str, Any], **output: object) -> Work:
    """Return what renders the original with these edits and options."""
    steps, options = edits(params), check(Output, output)

    def work() -> None:
        # Each run has a deadline of its own, within which `quality=auto` and `format=best` look for files.
        context = Context(limits=CONTEXT.limits, vision=CONTEXT.vision, deadline=Deadline.after(120), accepts=ALL)
        outcome = run(original, steps, options, context)
        if not isinstance(outcome, Rendered):
            raise TypeError("an image was expected")

    return work


def spent(work: Work) -> float:
    """Return the processor time of a run in milliseconds."""
    started = time.process_time()
    work()
    return 1000 * (time.process_time() - started)


def of_children() -> float:
    """Return the processor time of the running children and of their ended ones in milliseconds."""
    ticks = 0
    for child in Path("/proc/self/task", str(os.getpid()), "children").read_text("ascii").split():
        ticks += sum(map(int, Path("/proc", child, "stat").read_text("ascii").rpartition(")")[2].split()[11:15]))
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


def paired(plain: Work, more: Work) -> tuple[float, float, float]:
    """Return the medians of the time without the addition, of that with it, and of the difference."""
    plain()
    more()
    pairs = [(spent(plain), spent(more)) for _ in range(extent.rounds(ROUNDS))]
    without, with_it = ([pair[number] for pair in pairs] for number in (0, 1))
    return (
        statistics.median(without),
        statistics.median(with_it),
        statistics.median(more - less for less, more in pairs),
    )


def row(name: str, plain: Work, more: Work, goal: float | None = None) -> str:
    """Return a line of the table of additions."""
    without, with_it, difference = paired(plain, more)
    verdict = "" if goal is None else f"{goal:.0f}, {'reached' if difference <= goal else '**missed**'}"
    return f"| {name} | {without:.0f} | {with_it:.0f} | {difference:.1f} | {verdict} |"


def additions() -> Iterator[str]:
    """Yield the lines of the table of additions."""
    photo = PHOTO.read_bytes()
    small = {"resize": {"width": 800}}
    plain = render(photo, small, format="jpeg")

    def with_more(**more: object) -> Work:
        return render(photo, {**small, **more}, format="jpeg")

    yield "## Beside a resize of 12 megapixels to 800 pixels, as JPEG"
    yield ""
    yield "| addition | without it, ms | with it, ms | difference, ms | goal, ms |"
    yield "|---|---|---|---|---|"
    yield row("`text`: a title", plain, with_more(text=TITLE), GOALS["text"])
    outlined = {**TITLE, "stroke": "black", "strokeWidth": 4, "shadow": "black"}
    yield row("`text` with outline and shadow", plain, with_more(text=outlined))
    yield row("`gradient`", plain, with_more(gradient="black"))
    yield row("`shape`: a panel with round corners", plain, with_more(shape={"radius": 20, "height": "30p"}))
    yield row("`redact` of three faces, which are known", plain, with_more(redact="faces"), GOALS["redact"])
    ellipses = {"detect": "faces", "shape": "ellipse", "mode": "pixelate"}
    yield row("the same as ellipses, in squares", plain, with_more(redact=ellipses), GOALS["redact"])
    image = pictures.mosaic(pictures.CAMERA)
    hdr = ultra_hdr(image, gain_levels(1000, 750))
    yield row(
        "`hdr=keep`, with a map of 1000 × 750",
        render(hdr, small, format="jpeg"),
        render(hdr, small, format="jpeg", hdr="keep"),
    )


def searches() -> Iterator[str]:
    """Yield the lines of the table of searches for fewer bytes."""
    photo = PHOTO.read_bytes()
    small = {"resize": {"width": 800}}
    yield ""
    yield "## Fewer bytes: 12 megapixels to 800 pixels"
    yield ""
    yield "| request | fixed quality, ms | search, ms | difference, ms | |"
    yield "|---|---|---|---|---|"
    for kind, quality in SEARCHES:
        fixed = render(photo, small, format=kind, quality=quality)
        yield row(f"`format={kind}&quality=auto`", fixed, render(photo, small, format=kind, quality="auto"))
    fixed = render(photo, small, format="avif", quality=50)
    yield row("`format=best`, beside AVIF", fixed, render(photo, small, format="best"))


def sources() -> Iterator[str]:
    """Yield the lines of the table of sources that are drawn."""
    lines = b"".join(
        b"BT /F1 14 Tf 50 %d Td (%s) Tj ET " % (790 - 18 * line, b"A line of text. " * 4) for line in range(40)
    )
    font = b"/Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    document = page(lines, box=b"0 0 595 842", resources=font)
    canvas = Canvas().as_png()
    works = {
        "a page of a PDF, A4 with 40 lines, `width=800`": render(document, {"resize": {"width": 800}}),
        "the same page with `dpi=300`": render(document, {}, dpi=300),
        "`/_canvas`, 1200 × 630, as PNG": render(canvas, {"flip": True}, format="png"),
        "a card: canvas, gradient and title, as JPEG": render(
            canvas, {"gradient": {"color": "red", "angle": 20}, "text": TITLE}, format="jpeg"
        ),
    }
    yield ""
    yield "## Sources that are drawn"
    yield ""
    yield "| request | ms |"
    yield "|---|---|"
    for name, work in works.items():
        work()
        before, count = of_children(), extent.rounds(ROUNDS)
        own = statistics.median(spent(work) for _ in range(count))
        yield f"| {name} | {own + (of_children() - before) / count:.0f} |"


def main() -> None:
    """Print the tables."""
    print("# What edits and options add\n")
    print("Made by `python -m bench.additions > bench/ADDITIONS.md`.\n")
    print("Processor time, medians of runs in turns; the difference is the median of the differences of each pair.\n")
    pictures.make(pictures.CAMERA_JPEGS[0])
    for table in (additions, searches, sources):
        for line in table():
            print(line, flush=True)


if __name__ == "__main__":
    main()
