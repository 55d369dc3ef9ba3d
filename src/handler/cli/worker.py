"""`image-handler worker`: process the upload events of a queue, where no Lambda function does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

import click

from handler.app import lambda_handler
from handler.aws.sdk import SdkError, SdkRefusal
from handler.aws.sqs import Queue
from handler.cli.probes import probe_server
from handler.composition import wiring
from handler.composition.factories import build_aws_access
from handler.composition.wiring import Application
from handler.response import Answer, report
from handler.uploads.jobs.worker import Worker, WorkerOptions

_FAILING = report({"status": "failing"}, HTTPStatus.SERVICE_UNAVAILABLE)
_SILENT_SECONDS = 60.0
"""After this time, and that of one original, without an answer of the queue the worker counts as failing."""


def parse_address(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """Return host and port of `HOST:PORT`."""
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"must be HOST:PORT, such as 0.0.0.0:8081, got {value!r}")
    return host.strip("[]"), int(port)


def parse_queue(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return the URL of a queue."""
    if value is not None and not value.startswith(("https://", "http://")):
        raise click.BadParameter(f"must be the URL of a queue, got {value!r}", param=parameter)
    return value


@click.command()
@click.option(
    "--queue", required=True, callback=parse_queue, metavar="URL", help="Queue of SQS or a compatible service."
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=lambda: os.cpu_count() or 1, show_default="processors",
    help="Originals processed at the same time.",
)  # fmt: skip
@click.option(
    "--visibility", default=60, show_default=True, type=click.IntRange(3, 3600),
    help="Seconds for which the queue hides a message; prolonged while it is processed.",
)  # fmt: skip
@click.option(
    "--wait", default=10, show_default=True, type=click.IntRange(0, 20),
    help="Seconds for which one request waits for messages (long polling).",
)  # fmt: skip
@click.option(
    "--grace", default=25, show_default=True, type=click.IntRange(0, 3600),
    help="Seconds in which originals may be finished after a signal to stop.",
)  # fmt: skip
@click.option(
    "--health", callback=parse_address, metavar="HOST:PORT",
    help="Answer /_health, /_ready and /_metrics at this address, such as 0.0.0.0:8081.",
)  # fmt: skip
def worker(queue: str, jobs: int, visibility: int, wait: int, grace: int, *, health: tuple[str, int] | None) -> None:
    """Process the upload events of a queue with the code that Lambda runs.

    Settings are read from the environment, as in Lambda; MAX_SECONDS is the time for one original. SIGTERM ends the
    worker once its originals are finished.

    \b
    Examples:
      image-handler worker --queue https://sqs.eu-central-1.amazonaws.com/123456789012/uploads
      image-handler worker --queue http://127.0.0.1:4566/queue/uploads --jobs 2 --health 0.0.0.0:8081
    """
    application = wiring.application()
    if application.uploads is None:
        raise click.UsageError(
            "nothing to process: set OUTPUT_BUCKET and UPLOAD_PRESETS, or RECORDS, in the environment"
        )
    options = WorkerOptions(jobs=jobs, visibility=visibility, grace=grace)
    source = Queue(queue, build_aws_access(application.settings), wait)
    running = Worker(source, _handle, options)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: running.stop())
    application.health.replace = running.stop
    with ExitStack() as stack:
        if health:
            stack.enter_context(probe_server(health, _pages(application, running)))
        _check_attempts(source, application.settings.processing.upload_max_attempts)
        click.echo(f"Processing the messages of {queue} (Ctrl-C to stop)")
        try:
            is_finished = running.run()
        except SdkRefusal as error:
            raise click.ClickException(str(error)) from error
    counts = running.counts
    click.echo(f"{counts.processed} messages processed, {counts.failed} failed")
    if not is_finished or not application.health.works:
        sys.stdout.flush()
        os._exit(1)  # a thread that does not end would keep the process alive


def _check_attempts(queue: Queue, attempts: int) -> None:
    """Print a warning if a message would move to the dead-letter queue before its original is recorded as failed."""
    try:
        count = queue.max_receive_count()
    except SdkError as error:  # it may not be allowed to read the attributes
        click.echo(f"The queue does not tell its maxReceiveCount: {error}", err=True)
        return
    if count is None:
        click.echo("The queue has no dead-letter queue: what fails is tried again until it is too old", err=True)
    elif count != attempts:
        click.echo(
            f"UPLOAD_MAX_ATTEMPTS is {attempts}, and the queue's maxReceiveCount {count}: make them equal", err=True
        )


def _handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return lambda_handler(event, None)


def _pages(application: Application, running: Worker) -> dict[str, Callable[[], Answer]]:
    """Return the pages for Kubernetes' probes and for Prometheus."""
    seconds = _SILENT_SECONDS + application.settings.limits.max_seconds

    def unless_failing(page: Callable[[], Answer]) -> Answer:
        return page() if application.health.works and running.is_active(seconds) else _FAILING

    return {
        "/_health": lambda: unless_failing(lambda: report({"status": "ok"})),
        "/_ready": lambda: unless_failing(application.http.ready),
        "/_metrics": lambda: _metrics(application, running),
    }


def _metrics(application: Application, running: Worker) -> Answer:
    """Return the metrics of a worker in Prometheus's text format."""
    counts = running.counts
    notices = application.uploads().notice_totals() if application.uploads else {}
    measures = {
        "processed_total": counts.processed,
        "failed_total": counts.failed,
        "queue_errors_total": counts.errors,
        "in_flight": running.in_flight,
        **{f"notices_{name}_total": count for name, count in notices.items()},
    }
    lines = "".join(f"image_handler_worker_{name} {value}\n" for name, value in measures.items())
    return Answer(HTTPStatus.OK, {"Content-Type": "text/plain; version=0.0.4"}, lines.encode())
