"""`image-handler redrive`: process the uploads of the dead-letter queue once more."""

from __future__ import annotations

import click

from handler.aws import AwsAccess
from handler.aws.sdk import SdkError
from handler.aws.sqs import Queue
from handler.aws.stacks import stack_outputs
from handler.cli.worker import parse_queue
from handler.composition.factories import build_aws_access
from handler.config import Settings
from handler.uploads.jobs.redrive import move_by_hand, move_by_task

_OUTPUT = "FailedUploadsUrl"


@click.command()
@click.option("--queue", callback=parse_queue, metavar="URL", help="Dead-letter queue with the failed messages.")
@click.option("--stack", metavar="NAME", help=f"Stack of CloudFormation whose {_OUTPUT} is the queue.")
@click.option(
    "--to", callback=parse_queue, metavar="URL",
    help="Queue that receives the messages. By default the one that they came from.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Largest number of messages. By default all of them.")
@click.option("--rate", type=click.IntRange(1, 500), help="Messages a second. By default as fast as the queue allows.")
@click.option("--dry-run", is_flag=True, help="Tell how many messages there are, and move none.")
def redrive(
    queue: str | None, stack: str | None, to: str | None, limit: int | None, rate: int | None, *, dry_run: bool
) -> None:
    """Move the messages of a dead-letter queue back to the queue that they came from.

    Do this once the cause of the failures is mended. An upload that fails again returns to the dead-letter queue.

    \b
    Examples:
      image-handler redrive --stack pictures --dry-run
      image-handler redrive --queue https://sqs.eu-central-1.amazonaws.com/123456789012/failed --rate 10
    """
    if bool(queue) == bool(stack):
        raise click.UsageError("name the dead-letter queue with --queue URL or with --stack NAME")
    aws = build_aws_access(Settings.from_environment())
    try:
        dead_letters = Queue(queue or _queue_of(stack or "", aws), aws, wait_seconds=1)
        waiting, in_flight = dead_letters.count()
        click.echo(f"{dead_letters.url} holds about {waiting} messages, and {in_flight} that are being read")
        if dry_run:
            return
        if dead_letters.is_amazons and not to and not limit:
            progress = move_by_task(dead_letters, rate)
        else:
            target = Queue(to or _source_of(dead_letters), aws)
            progress = move_by_hand(dead_letters, target, limit=limit, per_second=rate)
        moved = 0
        for step in progress:
            if step.moved != moved:
                click.echo(f"{step.moved} of about {step.total} messages moved")
            moved = step.moved
    except SdkError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Done: {moved} messages moved")


def _queue_of(stack: str, aws: AwsAccess) -> str:
    outputs = stack_outputs(stack, aws)
    if _OUTPUT not in outputs:
        raise click.UsageError(f"stack {stack!r} has no output {_OUTPUT}: it processes no uploads")
    return outputs[_OUTPUT]


def _source_of(dead_letters: Queue) -> str:
    found = [*dead_letters.sources()]
    if len(found) != 1:
        known = ", ".join(found) or "none"
        raise click.UsageError(f"name the queue that receives the messages with --to URL (found: {known})")
    return found[0]
