"""What it takes to process many originals on AWS: requests, time and dollars. docs/cost.md lists the same prices."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

LAMBDA_SECOND = 0.0000133334
"""Of one GB, on arm64."""
LAMBDA_REQUEST = 0.20 / 1_000_000
S3_LIST = 0.005 / 1_000
S3_GET = 0.0004 / 1_000
S3_PUT = 0.005 / 1_000
LOGS_GIGABYTE = 0.50
BATCH_JOB = 0.25
BATCH_OBJECT = 1.00 / 1_000_000
BATCH_LISTED = 0.015 / 1_000_000
"""Of an object that S3 lists by itself for a job."""
DYNAMODB_WRITE = 0.625 / 1_000_000
DYNAMODB_READ = 0.125 / 1_000_000
_KEYS_PER_LIST = 1_000
_LOG_GIGABYTES = 1e-6
"""About 1 kB for each invocation."""
_WRITE_UNITS = 25
"""Of a new original whose record has up to 3 KB: 3 for its claim, 17 for the transaction that writes the record and the
notice, and 5 when the notice was sent. The indexes are counted in."""
_READ_UNITS = 3


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be processed."""

    originals: int
    variants: int
    """Variants of each original."""
    seconds: float
    """Time for one original, all variants together."""
    memory: int
    """Memory of the upload function in MB."""
    listed: int
    """Objects that are listed to find the originals."""
    is_batch: bool = False
    """Whether S3 Batch Operations invokes the function."""
    has_records: bool = True


class Estimate(msgspec.Struct, frozen=True):
    """Requests and dollars by what they are for, and the time."""

    requests: Mapping[str, int]
    dollars: Mapping[str, float]
    function_hours: float
    """Hours of one function."""

    @property
    def total(self) -> float:
        """Dollars for everything."""
        return sum(self.dollars.values())

    def hours_at(self, concurrency: int) -> float:
        """Return the hours with so many originals at the same time."""
        return self.function_hours / concurrency


def estimate(work: Workload) -> Estimate:
    """Return what a workload takes."""
    count = work.originals
    requests = {
        "S3, LIST": 0 if work.is_batch else -(-work.listed // _KEYS_PER_LIST),
        "S3, GET of originals": count,
        # Before it is rendered; to store it is conditional on what was found.
        "S3, HEAD of variants": count * work.variants,
        "S3, PUT of variants": count * work.variants,
        "Lambda": count,
    }
    gigabyte_seconds = count * work.seconds * work.memory / 1024
    dollars = {
        "S3": requests["S3, LIST"] * S3_LIST
        + (requests["S3, GET of originals"] + requests["S3, HEAD of variants"]) * S3_GET
        + requests["S3, PUT of variants"] * S3_PUT,
        "Lambda": gigabyte_seconds * LAMBDA_SECOND + count * LAMBDA_REQUEST,
        "logs": count * _LOG_GIGABYTES * LOGS_GIGABYTE,
    }
    if work.has_records:
        requests |= {"DynamoDB, write units": count * _WRITE_UNITS, "DynamoDB, read units": count * _READ_UNITS}
        dollars["records"] = count * (_WRITE_UNITS * DYNAMODB_WRITE + _READ_UNITS * DYNAMODB_READ)
    if work.is_batch:
        dollars["S3 Batch Operations"] = BATCH_JOB + count * BATCH_OBJECT + work.listed * BATCH_LISTED
    return Estimate(requests, dollars, count * work.seconds / 3600)
