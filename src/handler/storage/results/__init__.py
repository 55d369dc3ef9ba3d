"""Where finished pictures are kept: a bucket of S3, or a folder where there is no AWS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from handler.aws import AwsAccess
from handler.ports import ObjectStore
from handler.storage.sources import StoreLocation, read_locations

TIMEOUT_SECONDS = 10.0


class ResultStore(ObjectStore, Protocol):
    """The store of one setting: where it is, and addresses at which others read its objects."""

    @property
    def location(self) -> StoreLocation: ...
    def link(self, key: str, seconds: int) -> str:
        """An address at which anybody can read an object for so long; of a folder it is one of this service."""
        ...

    def admits(self, key: str, until: str, proof: str) -> bool:
        """Whether an address of this service, made by `link`, may still be read."""
        ...


def open_results(
    spec: str,
    setting: str = "OUTPUT_BUCKET",
    *,
    aws: AwsAccess | None = None,
    sources: Sequence[StoreLocation] = (),
    timeout: float = TIMEOUT_SECONDS,
) -> ResultStore:
    """The store that a setting names, which must be none of the sources. ValueError lists every fault."""
    locations = read_locations(spec, setting)
    if len(locations) != 1 or locations[0].scheme not in {"s3", "file"}:
        raise ValueError(f"{setting} must be one bucket, name=s3://bucket or name=file:///folder, got `{spec}`")
    overlap = [source.name for source in sources if _overlap(locations[0], source)]
    if overlap:
        raise ValueError(f"{setting} must be none of SOURCE_BUCKETS, got `{spec}`, which is `{overlap[0]}`")
    # Each is imported with the first bucket of its kind, as sources are.
    if locations[0].scheme == "file":
        from handler.storage.results.folder import FolderResults  # noqa: PLC0415 - only what is configured is opened

        return FolderResults(locations[0])
    from handler.storage.results.s3 import S3Results  # noqa: PLC0415 - only what is configured is opened

    return S3Results(locations[0], aws or AwsAccess(), timeout)


def _overlap(output: StoreLocation, source: StoreLocation) -> bool:
    """Whether what is written to one could be read as an original from the other."""
    if output.scheme != source.scheme:
        return False
    if output.scheme == "s3":
        return (output.bucket, output.endpoint) == (source.bucket, source.endpoint)
    return output.folder.is_relative_to(source.folder) or source.folder.is_relative_to(output.folder)
