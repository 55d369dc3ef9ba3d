"""`image-handler backfill --batch`: a job of S3 Batch Operations in place of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from handler.aws import AwsAccess
from handler.aws.s3_batch import BatchJob
from handler.aws.stacks import stack_outputs
from handler.config import Settings
from handler.storage.sources import StoreLocation, read_locations

_FUNCTION, _ROLE, _BUCKET = "UploadFunctionName", "BatchRoleArn", "ResultsBucketName"
"""Outputs of the stack."""


def create_job(
    settings: Settings,
    aws: AwsAccess,
    source: str,
    prefix: str,
    manifest: str | None,
    presets: frozenset[str],
    options: Mapping[str, Any],
) -> str:
    """Create the job and return its ID. Raise SdkError, or UsageError for options that are missing."""
    if not options["stack"]:
        raise click.UsageError("--batch needs --stack NAME, whose upload function it invokes")
    if manifest and prefix:
        raise click.UsageError("--batch takes a whole inventory: leave out --prefix, or --manifest")
    outputs = stack_outputs(options["stack"], aws)
    if missing := [name for name in (_FUNCTION, _ROLE, _BUCKET) if name not in outputs]:
        raise click.UsageError(
            f"stack {options['stack']!r} has no output {', '.join(missing)}: it processes no uploads"
        )
    partition, account = outputs[_ROLE].split(":")[1], outputs[_ROLE].split(":")[4]
    location = _find_source(settings, source)
    job = BatchJob(
        account=account,
        function=f"arn:{partition}:lambda:{aws.home}:{account}:function:{outputs[_FUNCTION]}",
        role=options["role"] or outputs[_ROLE],
        bucket=location.bucket,
        prefix=f"{location.prefix}/{prefix}" if location.prefix else prefix,
        manifest=manifest or "",
        report_bucket=outputs[_BUCKET],
        # Without the argument only missing variants are rendered.
        arguments={"presets": ",".join(sorted(presets))} if options["again"] else {},
        description=f"image-handler backfill {location.name} {prefix}".strip(),
        starts=options["start"],
    )
    return job.create(aws)


def _find_source(settings: Settings, name: str) -> StoreLocation:
    """Return the source of that name, by default the first one, which must be a bucket of S3."""
    locations = read_locations(settings.storage.source_buckets)
    found = next((each for each in locations if each.name == name or not name), None)
    if found is None or found.scheme != "s3":
        raise click.UsageError(f"--source must name a bucket of S3 in SOURCE_BUCKETS, got {name or 'nothing'!r}")
    return found
