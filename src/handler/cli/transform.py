"""`image-handler transform`: transform files on this machine with the parameters of URLs."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import click

from handler.auth.canonical import Pairs, split_query
from handler.cli.transform_files import Outcome, Recipe, transform_all, transform_stream
from handler.cli.transform_plan import Job, plan_jobs
from handler.config import Settings

_STREAM = "-"
_PARAMETERS = ("width", "height", "fit", "format", "quality", "resize", "crop", "rotate", "blur")
_SECONDS_BETWEEN_LOOKS = 1.0
_UNITS = ((1_000_000, "MB"), (1000, "kB"))


class _Transform(click.Command):
    """The command, which explains how parameters are written where `--width 300` is passed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Raise UsageError with the way to write a parameter that is passed as an option."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name.lstrip("-")
            if name not in _PARAMETERS:
                raise
            message = f"write parameters as in a URL, without dashes: {name}=…, not {error.option_name}"
            raise click.UsageError(message, ctx) from None


@click.command(cls=_Transform)
@click.argument("arguments", nargs=-1, required=True, metavar="FILES… [NAME=VALUE…]")
@click.option(
    "--out", type=click.Path(path_type=Path, allow_dash=True), help="Folder for the results, or - for standard output."
)
@click.option("--query", default="", help='Parameters as in a URL: "width=300&format=webp".')
@click.option(
    "--images", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Folder of the images that a watermark names; by default SOURCE_BUCKETS, else the current folder.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(1, 256), help="Number of processes; by default one for each processor.")
@click.option("--skip-existing", is_flag=True, help="Leave out files whose result is newer than they are.")
@click.option("--watch", is_flag=True, help="Go on: transform files that are added or changed, until Ctrl-C.")
@click.option("--quiet", is_flag=True, help="Print failures and the summary only.")
def transform(
    arguments: tuple[str, ...], out: Path | None, query: str, images: Path | None, jobs: int | None,
    *, skip_existing: bool, watch: bool, quiet: bool,
) -> int:  # fmt: skip
    """Transform FILES with the parameters of URLs: width=300 blur.sigma=3 format=webp.

    FILES are images, folders with images, whose structure is kept, or - for standard input. The exit status is 1 if a
    file could not be transformed.

    \b
    Examples:
      image-handler transform *.jpg --out thumbs width=300 format=webp
      image-handler transform photos --out web --query "width=1200&format=avif" --watch
      image-handler transform - removeBackground=true < cat.jpg > cat.png
    """
    pairs = _merge_params(split_query(query), *(argument for argument in arguments if _is_pair(argument)))
    sources = [Path(argument) for argument in dict.fromkeys(arguments) if not _is_pair(argument)]
    if not sources:
        raise click.UsageError("at least one file must be given")
    recipe = Recipe(pairs, _read_settings(images))
    if _STREAM in map(str, [*sources, out]):
        return _pipe(sources, out, recipe, alone=not (watch or skip_existing))
    if out is None:
        raise click.UsageError("--out must name a folder for the results, such as --out web")
    if out.is_file():
        raise click.UsageError(f"--out must be a folder, got the file {out}")
    work = plan_jobs(sources, out)
    recipe.check()
    if not work and not watch:
        raise click.UsageError("FILES must be images, or folders with images in them, got folders without any")
    processes = jobs or os.cpu_count() or 1
    tally = _Tally(out, quiet=quiet)
    before = _versions(work)
    todo = [job for job in work if not (skip_existing and job.has_newer_result())]
    tally.skipped = len(work) - len(todo)
    tally.take(transform_all(todo, recipe, processes), len(todo))
    if watch:
        _watch(
            sources, out, before, lambda changed: tally.take(transform_all(changed, recipe, processes), len(changed))
        )
    click.echo(tally.summary())
    return 1 if tally.failed else 0


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


def _read_settings(images: Path | None) -> Settings:
    settings = Settings.from_environment()
    if images is None and settings.storage.source_buckets:
        return settings
    # What the settings say of other sources says nothing of this one.
    others = {"public_sources": (), "private_sources": (), "gallery_source": "", "source_paths": ()}
    return settings.replace(source_buckets=f"images={(images or Path.cwd()).as_uri()}", **others)


def _pipe(sources: Sequence[Path], out: Path | None, recipe: Recipe, *, alone: bool) -> int:
    """Write the result of one image to standard output."""
    if len(sources) != 1 or not alone or (out is not None and str(out) != _STREAM):
        raise click.UsageError("standard input and output take one image, without --watch and --skip-existing")
    [source] = sources
    if str(source) != _STREAM and not source.is_file():
        raise click.UsageError(f"{source} must be a file")
    if sys.stdout.isatty():
        raise click.UsageError("the image must go into a file or a pipe: add > result")
    recipe.check()
    if str(source) == _STREAM:
        body = transform_stream(sys.stdin.buffer, recipe)
    else:
        with source.open("rb") as file:
            body = transform_stream(file, recipe)
    sys.stdout.buffer.write(body)
    return 0


def _watch(
    sources: Sequence[Path], out: Path, finished: dict[Job, tuple[int, int]], run: Callable[[list[Job]], None]
) -> None:
    """Run for the files that are added or changed, as soon as they are written no more, until Ctrl-C."""
    click.echo("watching for changes until Ctrl-C", err=True)
    before = finished
    try:
        while True:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            now = _versions(plan_jobs([source for source in sources if source.exists()], out))
            # A file that looks as it did a moment ago is complete.
            changed = [job for job, version in now.items() if version == before.get(job) != finished.get(job)]
            if changed:
                run(changed)
            finished = {**finished, **{job: now[job] for job in changed}}
            before = now
    except KeyboardInterrupt:
        return


def _versions(jobs: Sequence[Job]) -> dict[Job, tuple[int, int]]:
    """Return time of change and size of the files that are still there."""
    found: dict[Job, tuple[int, int]] = {}
    for job in jobs:
        with suppress(FileNotFoundError):
            status = job.source.stat()
            found[job] = (status.st_mtime_ns, status.st_size)
    return found


class _Tally:
    """Counts the outcomes of the files, and prints a line for each."""

    def __init__(self, out: Path, *, quiet: bool) -> None:
        self._out = out
        self._quiet = quiet
        self._total = self._read = self._written = self.failed = self.skipped = 0

    def take(self, outcomes: Iterable[Outcome], count: int) -> None:
        """Count and print the outcomes of `count` files as they come."""
        self._total += count
        hidden = not (self._quiet and sys.stderr.isatty())
        with click.progressbar(length=count, file=sys.stderr, label="Images", hidden=hidden) as bar:
            for outcome in outcomes:
                self._add(outcome)
                bar.update(1)

    def _add(self, outcome: Outcome) -> None:
        if outcome.fault:
            self.failed += 1
            click.echo(f"{outcome.job.source}: {outcome.fault}", err=True)
            return
        self._read += outcome.read
        self._written += outcome.written
        if not self._quiet:
            click.echo(f"{outcome.job.source} → {outcome.result}: {_saving(outcome.read, outcome.written)}")

    def summary(self) -> str:
        """Return how many files were written, and how many bytes that saved."""
        done = self._total - self.failed
        parts = [f"{done} of {self._total} written to {self._out}"]
        parts += [_saving(self._read, self._written)] if done else []
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        return ", ".join(parts)


def _saving(read: int, written: int) -> str:
    change = round(100 * written / read) - 100 if read else 0
    return f"{_size(read)} → {_size(written)} ({change:+d} %)".replace("-", "−")


def _size(count: int) -> str:
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"
