"""`image-handler backfill`: process originals that were there before, or for which an event was lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click

from handler.aws import AwsAccess
from handler.aws.sdk import SdkError
from handler.cli.backfill_job import create_job
from handler.composition import wiring
from handler.composition.factories import build_aws_access
from handler.composition.wiring import Application
from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
from handler.uploads.jobs.backfill import Backfill, Candidate, Progress
from handler.uploads.jobs.estimate import Workload, estimate
from handler.uploads.jobs.inventory import open_inventory
from imaging import ObjectRef

_PROGRESS_SECONDS = 5.0
_INTERRUPTED = 130
_CONCURRENCIES = (100, 1000)


@click.command()
@click.option("--source", metavar="NAME", default="", help="Source of the originals. By default the first one.")
@click.option("--prefix", metavar="PREFIX", default="", help="Beginning of the keys.")
@click.option("--manifest", metavar="URL", help="s3://…/manifest.json of an S3 Inventory in CSV, instead of listing.")
@click.option("--presets", metavar="NAMES", help="Presets that each original must have. By default UPLOAD_PRESETS.")
@click.option("--again", is_flag=True, help="Render these presets again although their variants are stored.")
@click.option("--jobs", default=4, show_default=True, type=click.IntRange(1, 256), help="Originals at the same time.")
@click.option("--rate", type=click.FloatRange(0.001, 10_000), help="Largest number of originals a second.")
@click.option("--dry-run", is_flag=True, help="Tell what there is to do, how long it takes and what it costs on AWS.")
@click.option(
    "--seconds", default=1.0, show_default=True, type=click.FloatRange(0.001, 900),
    help="Time of one original on Lambda, for the estimate.",
)  # fmt: skip
@click.option(
    "--memory", default=3008, show_default=True, type=click.IntRange(128, 10_240),
    help="Memory of the upload function in MB, for the estimate.",
)  # fmt: skip
@click.option("--batch", is_flag=True, help="Let S3 Batch Operations invoke the upload function of --stack.")
@click.option("--stack", metavar="NAME", help="Stack with the upload function of --batch.")
@click.option("--role", metavar="ARN", help="Role of --batch. By default that of the stack.")
@click.option("--start", is_flag=True, help="Start the job of --batch. By default it waits until you confirm it.")
def backfill(source: str, prefix: str, manifest: str | None, presets: str | None, **options: Any) -> int:
    """Process originals that are not up to date.

    Settings are read from the environment, as in Lambda. An original is up to date if its record is `ready`, and has
    the ETag that the original has now and a variant of each preset. What has been done is in the records, so you can
    stop the command with Ctrl-C and run it again.

    \b
    Examples:
      image-handler backfill --dry-run
      image-handler backfill --source photos --prefix 2025/ --jobs 8 --rate 20
      image-handler backfill --stack pictures --batch
    """
    application = wiring.application()
    if application.uploads is None:
        raise click.UsageError(
            "nothing to process: set OUTPUT_BUCKET and UPLOAD_PRESETS, or RECORDS, in the environment"
        )
    names = _read_presets(presets, application.settings.storage.upload_presets)
    aws = build_aws_access(application.settings)
    try:
        if options["batch"] and not options["dry_run"]:
            job = create_job(application.settings, aws, source, prefix, manifest, names, options)
            click.echo(f"Job {job} is created" + ("" if options["start"] else "; confirm it in the console of S3"))
            return 0
        uploads = application.uploads()
        engine = _build_engine(application, uploads, names, again=options["again"])
        candidates = _list_inventory(uploads, manifest, prefix, aws) if manifest else _list(engine, source, prefix)
        with _stopped_by_signals(engine.stopping), _progress(engine.progress):
            if options["dry_run"]:
                engine.plan(candidates, jobs=options["jobs"])
            else:
                engine.run(candidates, jobs=options["jobs"], rate=options["rate"])
    except SdkError as error:
        raise click.ClickException(str(error)) from error
    return _report(engine, options, has_records=application.records is not None)


def _read_presets(names: str | None, known: tuple[str, ...]) -> frozenset[str]:
    """Return the presets that are named, by default all of UPLOAD_PRESETS."""
    if names is None:
        return frozenset(known)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in chosen if name not in known]:
        raise click.UsageError(f"--presets must name presets of UPLOAD_PRESETS, got {', '.join(unknown)}")
    if not chosen:
        raise click.UsageError("--presets must name presets of UPLOAD_PRESETS, got nothing")
    return frozenset(chosen)


def _build_engine(
    application: Application, uploads: UploadEntrypoint, names: frozenset[str], *, again: bool
) -> Backfill:
    settings = application.settings
    return Backfill(
        pipeline=uploads.pipeline,
        finish=uploads.finish,
        presets=names,
        again=again,
        seconds=settings.limits.max_seconds,
        stale_after=timedelta(seconds=settings.processing.upload_stale_seconds),
    )


def _list(engine: Backfill, source: str, prefix: str) -> Iterator[Candidate]:
    """Yield the objects of a source. Raise HandlerError."""
    objects = engine.pipeline.renderer.render_context.objects
    for info in objects.list(source, prefix):
        if not info.ref.key.endswith("/"):
            yield Candidate(info.ref, info.size, info.etag)


def _list_inventory(uploads: UploadEntrypoint, manifest: str, prefix: str, aws: AwsAccess) -> Iterator[Candidate]:
    """Yield the objects of an inventory that a source has. Raise SdkError or BadRequest."""
    for found in open_inventory(manifest, aws).objects():
        ref: ObjectRef | None = uploads.source_of(found.bucket, found.key)
        if ref is not None and ref.key.startswith(prefix):
            yield Candidate(ref, found.size, found.etag)


@contextmanager
def _stopped_by_signals(stopping: threading.Event) -> Iterator[None]:
    """Set the event at SIGINT and SIGTERM, so that what has begun is finished; a second signal ends the process."""

    def stop(number: int, _: object) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(progress: Progress) -> Iterator[None]:
    """Print a line about the progress every few seconds."""
    ended = threading.Event()

    def print_lines() -> None:
        while not ended.wait(_PROGRESS_SECONDS):
            click.echo(_line(progress), err=True)

    thread = threading.Thread(target=print_lines, daemon=True, name="progress")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _line(progress: Progress) -> str:
    outcomes = [f"{count:,} {name}" for name, count in sorted(progress.outcomes.copy().items())]
    return ", ".join([f"{progress.listed:,} listed", *outcomes])


def _report(engine: Backfill, options: dict[str, Any], *, has_records: bool) -> int:
    """Print what was done, or what there is to do; return the exit status."""
    progress = engine.progress
    click.echo(_line(progress))
    if options["dry_run"]:
        work = Workload(
            originals=progress.to_process,
            variants=len(engine.presets),
            seconds=options["seconds"],
            memory=options["memory"],
            listed=progress.listed,
            is_batch=options["batch"],
            has_records=has_records,
        )
        click.echo(f"{progress.to_process:,} originals to process, {progress.bytes:,} bytes")
        _print_estimate(work)
    if engine.stopping.is_set():
        click.echo("Stopped. Run the same command again to go on.")
        return _INTERRUPTED
    return 1 if progress.outcomes["failed"] else 0


def _print_estimate(work: Workload) -> None:
    result = estimate(work)
    click.echo(f"On AWS, with {work.seconds:g} s for each original and {work.memory:,} MB:")
    for name, count in result.requests.items():
        click.echo(f"  {name + ':':28}{count:>16,}")
    for name, dollars in result.dollars.items():
        click.echo(f"  {name + ', dollars:':28}{dollars:>16,.2f}")
    click.echo(f"  {'all, dollars:':28}{result.total:>16,.2f}")
    for concurrency in _CONCURRENCIES:
        click.echo(f"  {f'hours at concurrency {concurrency:,}:':28}{result.hours_at(concurrency):>16,.2f}")
