"""Transforms files, each in one of several processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO, NamedTuple

from handler.auth.canonical import Pairs
from handler.cli.transform_plan import SUFFIXES, Job
from handler.composition import wiring
from handler.config import Settings
from handler.core.errors import HandlerError
from handler.render.render import render_here
from handler.render.results import RenderedResult
from handler.requests.parse import parse_inline_request
from imaging import NEGOTIATED, Deadline, FeatureError

_ACCEPTS = frozenset(NEGOTIATED)
"""Formats from which `format=auto` chooses the smallest."""


class Recipe(NamedTuple):
    """Parameters and settings that hold for every file."""

    pairs: Pairs
    settings: Settings

    def check(self) -> None:
        """Parse the parameters before the first file is read. Raises InvalidParameter and BadRequest."""
        parse_inline_request(b"", self.pairs, _application(self.settings).http.policy, accepts=_ACCEPTS)


class Outcome(NamedTuple):
    """The outcome for a file."""

    job: Job
    fault: str = ""
    """Why it has no result; empty on success."""
    result: Path = Path()
    read: int = 0
    """Bytes of the file."""
    written: int = 0
    """Bytes of the result."""


def transform_stream(source: BinaryIO, recipe: Recipe) -> bytes:
    """Return the outcome for the image in a stream. Raises FeatureError and HandlerError."""
    return _render(source, recipe)[1].body


def transform_all(jobs: Sequence[Job], recipe: Recipe, processes: int) -> Iterator[Outcome]:
    """Yield the outcome for each file as soon as it is known."""
    processes = min(processes, len(jobs))
    if processes <= 1:
        yield from (_transform(job, recipe) for job in jobs)
        return
    # SIGTERM is handled like Ctrl-C: waiting files are cancelled and no process stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        running = {pool.submit(_transform, job, recipe): job for job in jobs}
        for finished in as_completed(running):
            try:
                yield finished.result()
            except BrokenProcessPool:
                yield Outcome(running[finished], "a process died: try fewer --jobs")
    finally:
        pool.shutdown(cancel_futures=True)


@cache
def _application(settings: Settings) -> wiring.Application:
    return wiring.build(settings)


def _transform(job: Job, recipe: Recipe) -> Outcome:
    try:
        with job.source.open("rb") as file:
            size, result = _render(file, recipe)
        target = job.target.with_name(job.target.name + SUFFIXES[result.media_type])
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, result.body)
    except (FeatureError, HandlerError) as error:
        return Outcome(job, error.message)
    except OSError as error:
        return Outcome(job, str(error))
    return Outcome(job, "", target, size, len(result.body))


def _render(file: BinaryIO, recipe: Recipe) -> tuple[int, RenderedResult]:
    """Return the bytes that were read, and the result."""
    entrypoint = _application(recipe.settings).http
    # Read one byte more than is allowed, so that a larger file is refused.
    original = file.read(recipe.settings.limits.max_source_bytes + 1)
    request = parse_inline_request(original, recipe.pairs, entrypoint.policy, accepts=_ACCEPTS)
    return len(original), render_here(request, entrypoint.render_context, Deadline())


def _write(target: Path, body: bytes) -> None:
    """Write a file atomically: write it beside its target, then move it there."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(body)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
