"""Where finished pictures are kept: a bucket of S3, or a folder where there is no AWS."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from features import ObjectRef
from handler.aws import AwsAccess
from handler.errors import BadRequest, NotFound, UpstreamError
from handler.objects import Place, read_places
from handler.objects.keys import is_impossible, is_odd
from handler.objects.stored import Bounds
from handler.ports import ObjectInfo

if TYPE_CHECKING:
    from obstore import Attributes, PutMode
    from obstore.store import ObjectStore

TIMEOUT_SECONDS = 10.0
_LARGEST = 100_000_000
"""Bytes of what is read back."""


class ResultStore(Protocol):
    """`handler.ports.Results`, and where it is."""

    @property
    def place(self) -> Place: ...
    def head(self, key: str) -> ObjectInfo | None: ...
    def read(self, key: str) -> bytes | None: ...
    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        cache_control: str,
        metadata: Mapping[str, str],
        replaces: str | None,
    ) -> bool: ...


def open_results(
    spec: str,
    setting: str = "OUTPUT_BUCKET",
    *,
    aws: AwsAccess | None = None,
    sources: Sequence[Place] = (),
    timeout: float = TIMEOUT_SECONDS,
) -> ResultStore:
    """The store that a setting names, which must be none of the sources. ValueError lists every fault."""
    places = read_places(spec, setting)
    if len(places) != 1 or places[0].scheme not in {"s3", "file"}:
        raise ValueError(f"{setting} must be one bucket, name=s3://bucket or name=file:///folder, got `{spec}`")
    overlap = [source.name for source in sources if _overlap(places[0], source)]
    if overlap:
        raise ValueError(f"{setting} must be none of SOURCE_BUCKETS, got `{spec}`, which is `{overlap[0]}`")
    return S3Results(places[0], aws or AwsAccess(), timeout) if places[0].scheme == "s3" else FolderResults(places[0])


def _overlap(output: Place, source: Place) -> bool:
    """Whether what is written to one could be read as an original from the other."""
    if output.scheme != source.scheme:
        return False
    if output.scheme == "s3":
        return (output.bucket, output.endpoint) == (source.bucket, source.endpoint)
    return output.folder.is_relative_to(source.folder) or source.folder.is_relative_to(output.folder)


class S3Results:
    """A bucket of S3. Conditions are its own: If-None-Match and If-Match."""

    def __init__(self, place: Place, aws: AwsAccess, timeout: float) -> None:
        from handler.objects.cloud import CloudSource  # noqa: PLC0415 - a folder needs no obstore
        from handler.objects.odd_keys import Boto  # noqa: PLC0415
        from handler.objects.s3 import S3Bucket  # noqa: PLC0415

        self.place = place
        self._bucket = S3Bucket(place, aws, timeout)
        self._odd_keys = Boto(self._bucket, _LARGEST)
        self._stored = CloudSource(place.name, self._bucket, Bounds(_LARGEST, timeout), self._odd_keys)

    def head(self, key: str) -> ObjectInfo | None:
        """What lies there, None if nothing does."""
        try:
            return self._stored.head(_checked(key))
        except NotFound:
            return None

    def read(self, key: str) -> bytes | None:
        """All bytes, None if nothing lies there."""
        try:
            return self._stored.get(_checked(key)).read()
        except NotFound:
            return None

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        cache_control: str,
        metadata: Mapping[str, str],
        replaces: str | None,
    ) -> bool:
        """Write if nothing lies there (`replaces` None) or exactly that ETag; False when it is otherwise by now."""
        attributes = {"Content-Type": content_type, "Cache-Control": cache_control, **metadata}
        try:
            if is_odd(_checked(key)):
                return self._odd_keys.put(key, body, attributes, replaces)
            return self._put(key, body, attributes, replaces)
        except NotFound as error:
            raise UpstreamError("the output bucket does not exist", detail=error.detail) from error

    def _put(self, key: str, body: bytes, attributes: Attributes, replaces: str | None) -> bool:
        import obstore  # noqa: PLC0415 - a folder needs no obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415

        from handler.objects.cloud import told  # noqa: PLC0415

        said = {name: value for name, value in attributes.items() if value}
        mode: PutMode = "create" if replaces is None else {"e_tag": f'"{replaces}"'}

        def write(store: ObjectStore) -> bool:
            try:
                obstore.put(store, key, body, attributes=said, mode=mode)
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

        with told(ObjectRef(self.place.name, key), self._bucket.timeout):
            return self._bucket.ask(write)


class FolderResults:
    """A folder. What a bucket keeps as headers lies in `.results/`; a lock makes conditions hold between processes."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._own = place.folder / ".results"

    def head(self, key: str) -> ObjectInfo | None:
        """What lies there, None if nothing does."""
        body, facts = self._paths(key)
        with self._locked(key, exclusive=False):
            return self._info(key, body, facts)

    def read(self, key: str) -> bytes | None:
        """All bytes, None if nothing lies there."""
        body, _ = self._paths(key)
        with self._locked(key, exclusive=False):
            return body.read_bytes() if body.is_file() else None

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        cache_control: str,
        metadata: Mapping[str, str],
        replaces: str | None,
    ) -> bool:
        """Write if nothing lies there (`replaces` None) or exactly that ETag; False when it is otherwise by now."""
        target, facts = self._paths(key)
        with self._locked(key, exclusive=True):
            there = self._info(key, target, facts)
            if (there.etag if there else None) != replaces:
                return False
            said = {
                "etag": uuid.uuid4().hex,
                "content_type": content_type,
                "cache_control": cache_control,
                "metadata": dict(metadata),
            }
            # The picture first: after a crash in between, the older facts have the event done once more.
            self._replace(target, body)
            self._replace(facts, json.dumps(said).encode())
        return True

    def _paths(self, key: str) -> tuple[Path, Path]:
        segments = _checked(key).split("/")
        if is_odd(key) or segments[0] == self._own.name:
            raise BadRequest(f"a folder cannot keep the key `{key}`")
        return self.place.folder / key, self._own / f"{key}.json"

    def _info(self, key: str, body: Path, facts: Path) -> ObjectInfo | None:
        try:
            status = body.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            said = json.loads(facts.read_text("utf-8"))
        except (OSError, ValueError):
            said = {}  # put there by someone else, or by a crash
        return ObjectInfo(
            ObjectRef(self.place.name, key),
            status.st_size,
            said.get("etag") or f"{status.st_mtime_ns:x}-{status.st_size:x}",
            datetime.fromtimestamp(status.st_mtime, UTC),
            said.get("cache_control", ""),
            said.get("content_type", ""),
            said.get("metadata", {}),
        )

    def _replace(self, target: Path, body: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = self._own / uuid.uuid4().hex
        try:
            draft.write_bytes(body)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, key: str, *, exclusive: bool) -> Iterator[None]:
        import fcntl  # noqa: PLC0415 - Windows has none, and reads this module

        try:
            self._own.mkdir(exist_ok=True)
            lock = os.open(self._own / "lock", os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
                yield
            finally:
                os.close(lock)
        except OSError as error:
            raise UpstreamError(f"the output folder cannot keep `{key}`", detail=str(error)) from error


def _checked(key: str) -> str:
    if is_impossible(key):
        raise BadRequest(f"no store keeps the key `{key[:60]}`, which has {len(key)} characters")
    return key
