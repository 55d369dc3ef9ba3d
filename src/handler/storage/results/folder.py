"""A results store in a local folder."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from handler.core.errors import BadRequest, UpstreamError
from handler.core.ports import ObjectAttributes, ObjectInfo, StoredObject
from handler.storage.results.keys import checked
from handler.storage.sources import StoreLocation
from handler.storage.sources.keys import needs_boto
from handler.storage.sources.stored import CHUNK_BYTES, Stored
from imaging import ObjectRef

_SECRET_BYTES = 32
_WHOLE_BYTES = 1_000_000


class FolderResults:
    """A folder. Its subfolder `.results` has the attributes of each object in a JSON file, and a lock file.

    The lock makes conditional writes atomic, also between processes.
    """

    def __init__(self, location: StoreLocation) -> None:
        self.location = location
        self._state_folder = location.folder / ".results"

    def head(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None if there is no such object."""
        body, facts = self._paths(key)
        with self._locked(key, exclusive=False):
            return self._info(key, body, facts)

    def get(self, key: str) -> StoredObject | None:
        """Return an object, its facts read and its file opened under one lock; None if there is no such object.

        A write puts another file in its place, so the opened one keeps these bytes.
        """
        target, facts = self._paths(key)
        with self._locked(key, exclusive=False):
            info = self._info(key, target, facts)
            if info is None or not target.is_file():
                return None
            file = FileIO(target)
        if info.size > _WHOLE_BYTES:
            return Stored(info, iter(partial(file.read, CHUNK_BYTES), b""), info.size, file.close)
        # A small one is read at once, without a copy.
        with file:
            return Stored(info, [file.read(info.size + 1)], info.size)

    def read(self, key: str) -> bytes | None:
        """Return all bytes of an object, None if there is no such object."""
        body, _ = self._paths(key)
        with self._locked(key, exclusive=False):
            return body.read_bytes() if body.is_file() else None

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        """Write an object unless it exists (`replaces` None) or has another ETag; return whether it was written."""
        target, facts = self._paths(key)
        with self._locked(key, exclusive=True):
            self._end_interrupted_write(key)
            existing = self._info(key, target, facts)
            if (existing.etag if existing else None) != replaces:
                return False
            stored = {
                "etag": uuid.uuid4().hex,
                "content_type": attributes.content_type,
                "cache_control": attributes.cache_control,
                "metadata": dict(attributes.metadata),
            }
            self._write(key, body, stored)
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield all objects under a prefix that is empty or ends in a slash."""
        for path in sorted((self.location.folder / prefix).rglob("*")):
            is_object = path.is_file() and not path.is_relative_to(self._state_folder)
            info = self.head(path.relative_to(self.location.folder).as_posix()) if is_object else None
            if info is not None:
                yield info

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these objects; keys without an object are ignored."""
        for key in keys:
            with self._locked(key, exclusive=True):
                self._end_interrupted_write(key)
                for path in self._paths(key):
                    path.unlink(missing_ok=True)

    def link(self, key: str, seconds: int) -> str:
        """Return an address of this service, with its end and an HMAC, like a presigned address of S3."""
        until = str(int(time.time()) + seconds)
        return f"/_results/{quote(key)}?until={until}&proof={self._proof(key, until)}"

    def admits(self, key: str, until: str, proof: str) -> bool:
        """Whether `link` made an address with these parameters, and its time is not over."""
        is_genuine = hmac.compare_digest(self._proof(key, until).encode(), proof.encode())
        return is_genuine and until.isdigit() and time.time() < int(until)

    def _proof(self, key: str, until: str) -> str:
        return hmac.new(self._secret(), f"{key}\n{until}".encode(), hashlib.sha256).hexdigest()

    def _secret(self) -> bytes:
        """Return the secret that signs addresses, made at its first use and shared by all processes of this folder."""
        path = self._state_folder / "secret"
        with self._locked("secret", exclusive=True):
            secret = path.read_bytes() if path.is_file() else b""
            # A full disk may have left an empty or shorter file; with an empty secret anyone could sign addresses.
            if len(secret) != _SECRET_BYTES:
                secret = os.urandom(_SECRET_BYTES)
                self._replace(path, secret, 0o600)
            return secret

    def _paths(self, key: str) -> tuple[Path, Path]:
        segments = checked(key).split("/")
        if needs_boto(key) or segments[0] == self._state_folder.name:
            raise BadRequest(f"a folder cannot store the key `{key}`")
        return self.location.folder / key, self._state_folder / f"{key}.json"

    def _info(self, key: str, body: Path, facts: Path) -> ObjectInfo | None:
        try:
            status = body.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        draft, following = self._draft_paths(key)
        # A process that was killed has replaced the body, but not yet its facts.
        is_between = following.exists() and not draft.exists()
        stored = _read_json(following if is_between else facts)
        return ObjectInfo(
            ObjectRef(self.location.name, key),
            status.st_size,
            stored.get("etag") or f"{status.st_mtime_ns:x}-{status.st_size:x}",
            datetime.fromtimestamp(status.st_mtime, UTC),
            stored.get("cache_control", ""),
            stored.get("content_type", ""),
            stored.get("metadata", {}),
        )

    def _write(self, key: str, body: bytes, stored: dict[str, Any]) -> None:
        """Replace an object and its facts, so that a process that is killed in between leaves both or neither.

        The new facts are stored beside the old ones. They hold as soon as the draft of the body is there no longer,
        because it has become the object.
        """
        target, facts = self._paths(key)
        draft, following = self._draft_paths(key)
        try:
            _write_file(draft, body)
            for path in (following, target):
                path.parent.mkdir(parents=True, exist_ok=True)
            _write_file(following, json.dumps(stored).encode())
            draft.replace(target)
        except OSError:
            following.unlink(missing_ok=True)
            draft.unlink(missing_ok=True)
            raise
        following.replace(facts)

    def _end_interrupted_write(self, key: str) -> None:
        """Complete the write of a process that was killed, or remove what it has left."""
        draft, following = self._draft_paths(key)
        if draft.exists():
            following.unlink(missing_ok=True)
            draft.unlink()
        elif following.exists():
            following.replace(self._paths(key)[1])

    def _draft_paths(self, key: str) -> tuple[Path, Path]:
        """Return the files with the body and the facts that an object gets. One process at a time writes them."""
        facts = self._paths(key)[1]
        return self._state_folder / hashlib.sha256(key.encode()).hexdigest(), facts.with_name(f"{facts.name}.next")

    def _replace(self, target: Path, body: bytes, mode: int = 0o666) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = self._state_folder / uuid.uuid4().hex
        try:
            _write_file(draft, body, mode)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, key: str, *, exclusive: bool) -> Iterator[None]:
        import fcntl  # noqa: PLC0415 - Windows does not have it, but imports this module

        try:
            lock = self._open_lock()
            try:
                fcntl.flock(lock, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
                yield
            finally:
                os.close(lock)
        except OSError as error:
            raise UpstreamError(f"the output folder cannot store `{key}`", detail=str(error)) from error

    def _open_lock(self) -> int:
        path = self._state_folder / "lock"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            self._state_folder.mkdir(exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def _write_file(path: Path, body: bytes, mode: int = 0o666) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(body)
        file.flush()
        # Without it, some file systems could have the new name but not the bytes after a power failure.
        os.fsync(file.fileno())


def _read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty if the file is missing or has something else."""
    try:
        stored = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}
