"""`image-handler transform`: transform files on this machine with the parameters of URLs."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import click

from handler.auth.canonical import Pairs, split_query
from handler.composition import wiring
from handler.config import Settings
from handler.errors import HandlerError
from handler.render.render import render_here
from handler.requests.parse import parse_inline_request
from imaging import FORMATS, MEDIA_TYPES, NEGOTIATED, Deadline, FeatureError

_ACCEPTS = frozenset(NEGOTIATED)
"""Formats from which `format=auto` chooses the smallest."""
_SUFFIXES = {MEDIA_TYPES[each.name]: f".{each.extensions[0]}" for each in FORMATS} | {"application/json": ".json"}


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="FILES… [NAME=VALUE…]")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the results.")
@click.option("--query", default="", help='Parameters as in a URL: "width=300&format=webp".')
@click.option(
    "--images", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Folder of the images that a watermark names; by default SOURCE_BUCKETS, else the current folder.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(1, 256), help="Number of processes; by default one for each processor.")
def transform(arguments: tuple[str, ...], out: Path, query: str, images: Path | None, jobs: int | None) -> int:
    """Transform FILES with the parameters of URLs: width=300 blur.sigma=3 format=webp."""
    pairs = _merge_params(split_query(query), *(argument for argument in arguments if _is_pair(argument)))
    work = _plan_targets([Path(argument) for argument in arguments if not _is_pair(argument)], out)
    settings = _read_settings(images)
    # Invalid parameters are refused before the first file is read.
    parse_inline_request(b"", pairs, _application(settings).http.policy, accepts=_ACCEPTS)
    out.mkdir(parents=True, exist_ok=True)
    failures = []
    with click.progressbar(length=len(work), file=sys.stderr, label="Images", hidden=not sys.stderr.isatty()) as bar:
        for source, fault in _transform_all(work, pairs, settings, min(jobs or os.cpu_count() or 1, len(work))):
            failures += [f"{source}: {fault}"] if fault else []
            bar.update(1)
    for failure in failures:
        click.echo(failure, err=True)
    click.echo(f"{len(work) - len(failures)} of {len(work)} written to {out}")
    return 1 if failures else 0


def _is_pair(argument: str) -> bool:
    return "=" in argument and not Path(argument).exists()


def _merge_params(pairs: Pairs, *arguments: str) -> Pairs:
    """Return the pairs of the query and of `name=value` arguments. Raise UsageError for a repeated name."""
    named = (argument.partition("=") for argument in arguments)
    together = pairs + tuple((name, value) for name, _, value in named)
    repeated = [name for name, count in Counter(name for name, _ in together).items() if count > 1]
    if repeated:
        raise click.UsageError(f"`{repeated[0]}` must be given once")
    return together


def _plan_targets(files: list[Path], out: Path) -> dict[Path, Path]:
    """Return the target of each file, without the suffix, which depends on the result's format."""
    files = list(dict.fromkeys(files))
    if not files:
        raise click.UsageError("at least one file must be given")
    for file in files:
        if not file.is_file():
            raise click.UsageError(f"{file} must be a file")
        if file.resolve().parent == out.resolve():
            raise click.UsageError(f"--out must be another folder than that of {file}")
    stems = Counter(file.stem.lower() for file in files)
    targets = {file: out / (file.stem if stems[file.stem.lower()] == 1 else file.name) for file in files}
    clashing = [str(target) for target, count in Counter(targets.values()).items() if count > 1]
    if clashing:
        raise click.UsageError(f"two files would be written as {clashing[0]}")
    return targets


def _read_settings(images: Path | None) -> Settings:
    settings = Settings.from_environment()
    if images is None and settings.storage.source_buckets:
        return settings
    # What the settings say of other sources says nothing of this one.
    others = {"public_sources": (), "private_sources": (), "gallery_source": "", "source_paths": ()}
    return settings.replace(source_buckets=f"images={(images or Path.cwd()).as_uri()}", **others)


@cache
def _application(settings: Settings) -> wiring.Application:
    return wiring.build(settings)


def _transform_all(
    work: Mapping[Path, Path], pairs: Pairs, settings: Settings, jobs: int
) -> Iterator[tuple[Path, str]]:
    """Yield each file when it is finished, with its error message (empty on success)."""
    if jobs == 1:
        yield from ((source, _transform_file(source, target, pairs, settings)) for source, target in work.items())
        return
    # SIGTERM is handled like Ctrl-C: waiting files are cancelled and no process stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        running = {
            pool.submit(_transform_file, source, target, pairs, settings): source for source, target in work.items()
        }
        for finished in as_completed(running):
            try:
                yield running[finished], finished.result()
            except BrokenProcessPool:
                yield running[finished], "a process died: try fewer --jobs"
    finally:
        pool.shutdown(cancel_futures=True)


def _transform_file(source: Path, target: Path, pairs: Pairs, settings: Settings) -> str:
    """Transform one file. Return an error message, or an empty text on success."""
    entrypoint = _application(settings).http
    try:
        with source.open("rb") as file:
            # Read one byte more than is allowed, so that a larger file is refused.
            original = file.read(settings.limits.max_source_bytes + 1)
        request = parse_inline_request(original, pairs, entrypoint.policy, accepts=_ACCEPTS)
        result = render_here(request, entrypoint.render_context, Deadline())
        _write(target.with_name(target.name + _SUFFIXES[result.media_type]), result.body)
    except (FeatureError, HandlerError) as error:
        return error.message
    except OSError as error:
        return str(error)
    return ""


def _write(target: Path, body: bytes) -> None:
    """Write a file atomically: write it beside its target, then move it there."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(body)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
