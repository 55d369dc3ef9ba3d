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
from pathlib import Path
from urllib.parse import quote

from handler.errors import BadRequest, UpstreamError
from handler.ports import ObjectAttributes, ObjectInfo, StoredObject
from handler.storage.results.keys import checked
from handler.storage.sources import StoreLocation
from handler.storage.sources.keys import needs_boto
from handler.storage.sources.stored import Stored
from imaging import ObjectRef

_SECRET_BYTES = 32


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
        """Return an object, its facts and bytes read under one lock; None if there is no such object."""
        target, facts = self._paths(key)
        with self._locked(key, exclusive=False):
            info = self._info(key, target, facts)
            body = target.read_bytes() if target.is_file() else None
        return Stored(info, [body], len(body)) if info is not None and body is not None else None

    def read(self, key: str) -> bytes | None:
        """Return all bytes of an object, None if there is no such object."""
        body, _ = self._paths(key)
        with self._locked(key, exclusive=False):
            return body.read_bytes() if body.is_file() else None

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        """Write an object unless it exists (`replaces` None) or has another ETag; return whether it was written."""
        target, facts = self._paths(key)
        with self._locked(key, exclusive=True):
            existing = self._info(key, target, facts)
            if (existing.etag if existing else None) != replaces:
                return False
            stored = {
                "etag": uuid.uuid4().hex,
                "content_type": attributes.content_type,
                "cache_control": attributes.cache_control,
                "metadata": dict(attributes.metadata),
            }
            # The body first: after a crash in between, the older sequencer in the facts has the upload done again.
            self._replace(target, body)
            self._replace(facts, json.dumps(stored).encode())
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield all objects under a prefix that ends in a slash."""
        for path in sorted((self.location.folder / prefix).rglob("*")):
            info = self.head(path.relative_to(self.location.folder).as_posix()) if path.is_file() else None
            if info is not None:
                yield info

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these objects; keys without an object are ignored."""
        for key in keys:
            with self._locked(key, exclusive=True):
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
        try:
            stored = json.loads(facts.read_text("utf-8"))
        except (OSError, ValueError):
            stored = None
        if not isinstance(stored, dict):
            stored = {}  # written by another program, or lost in a crash
        return ObjectInfo(
            ObjectRef(self.location.name, key),
            status.st_size,
            stored.get("etag") or f"{status.st_mtime_ns:x}-{status.st_size:x}",
            datetime.fromtimestamp(status.st_mtime, UTC),
            stored.get("cache_control", ""),
            stored.get("content_type", ""),
            stored.get("metadata", {}),
        )

    def _replace(self, target: Path, body: bytes, mode: int = 0o666) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = self._state_folder / uuid.uuid4().hex
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(body)
                file.flush()
                # Without it, some file systems could have the new name but not the bytes after a power failure.
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, key: str, *, exclusive: bool) -> Iterator[None]:
        import fcntl  # noqa: PLC0415 - Windows does not have it, but imports this module

        try:
            self._state_folder.mkdir(exist_ok=True)
            lock = os.open(self._state_folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
                yield
            finally:
                os.close(lock)
        except OSError as error:
            raise UpstreamError(f"the output folder cannot store `{key}`", detail=str(error)) from error
