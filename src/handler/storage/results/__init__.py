"""The stores of results: a bucket of S3, or a local folder without AWS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from handler.aws import AwsAccess
from handler.core.ports import ObjectStore
from handler.storage.sources import StoreLocation, read_locations

TIMEOUT_SECONDS = 10.0


class ResultStore(ObjectStore, Protocol):
    """The store of one setting, with addresses at which clients can read its objects."""

    @property
    def location(self) -> StoreLocation: ...

    def link(self, key: str, seconds: int) -> str:
        """Return an address at which anyone can read an object for that time; a folder's is one of this service."""
        ...

    def admits(self, key: str, until: str, proof: str) -> bool:
        """Whether `link` made an address of this service with these parameters, and its time is not over."""
        ...


def open_results(
    spec: str,
    setting: str = "OUTPUT_BUCKET",
    *,
    aws: AwsAccess | None = None,
    sources: Sequence[StoreLocation] = (),
    timeout: float = TIMEOUT_SECONDS,
) -> ResultStore:
    """Open the store that a setting names, which must not be one of the sources. ValueError lists every fault."""
    locations = read_locations(spec, setting)
    if len(locations) != 1 or locations[0].scheme not in {"s3", "file"}:
        raise ValueError(f"{setting} must be one bucket, name=s3://bucket or name=file:///folder, got `{spec}`")
    overlap = [source.name for source in sources if _overlap(locations[0], source)]
    if overlap:
        raise ValueError(
            f"{setting} must not overlap with SOURCE_BUCKETS, got `{spec}`, which overlaps with `{overlap[0]}`"
        )
    # Each kind of store is imported when one is opened, as sources are.
    if locations[0].scheme == "file":
        from handler.storage.results.folder import FolderResults  # noqa: PLC0415 - only configured kinds are imported

        return FolderResults(locations[0])
    from handler.storage.results.s3 import S3Results  # noqa: PLC0415 - only configured kinds are imported

    return S3Results(locations[0], aws or AwsAccess(), timeout)


def _overlap(output: StoreLocation, source: StoreLocation) -> bool:
    """Whether an object that is written to `output` could be read as an original from `source`."""
    if output.scheme != source.scheme:
        return False
    if output.scheme == "s3":
        return (output.bucket, output.endpoint) == (source.bucket, source.endpoint)
    return output.folder.is_relative_to(source.folder) or source.folder.is_relative_to(output.folder)
