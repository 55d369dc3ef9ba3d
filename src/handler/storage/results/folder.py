"""Results in a folder of this machine."""

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
from handler.storage.sources.keys import is_odd
from handler.storage.sources.stored import Stored
from imaging import ObjectRef

_SECRET_BYTES = 32


class FolderResults:
    """A folder. What a bucket keeps as headers lies in `.results/`; a lock makes conditions hold between processes."""

    def __init__(self, location: StoreLocation) -> None:
        self.location = location
        self._own = location.folder / ".results"

    def head(self, key: str) -> ObjectInfo | None:
        """What lies there, None if nothing does."""
        body, facts = self._paths(key)
        with self._locked(key, exclusive=False):
            return self._info(key, body, facts)

    def get(self, key: str) -> StoredObject | None:
        """What lies there, facts and bytes of one moment; None if nothing does."""
        target, facts = self._paths(key)
        with self._locked(key, exclusive=False):
            info = self._info(key, target, facts)
            body = target.read_bytes() if target.is_file() else None
        return Stored(info, [body], len(body)) if info is not None and body is not None else None

    def read(self, key: str) -> bytes | None:
        """All bytes, None if nothing lies there."""
        body, _ = self._paths(key)
        with self._locked(key, exclusive=False):
            return body.read_bytes() if body.is_file() else None

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        """Write if nothing lies there (`replaces` None) or exactly that ETag; False when it is otherwise by now."""
        target, facts = self._paths(key)
        with self._locked(key, exclusive=True):
            there = self._info(key, target, facts)
            if (there.etag if there else None) != replaces:
                return False
            said = {
                "etag": uuid.uuid4().hex,
                "content_type": attributes.content_type,
                "cache_control": attributes.cache_control,
                "metadata": dict(attributes.metadata),
            }
            # The picture first: after a crash in between, the older facts have the event done once more.
            self._replace(target, body)
            self._replace(facts, json.dumps(said).encode())
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """What lies under a prefix that ends in a slash."""
        for path in sorted((self.location.folder / prefix).rglob("*")):
            info = self.head(path.relative_to(self.location.folder).as_posix()) if path.is_file() else None
            if info is not None:
                yield info

    def delete(self, keys: Sequence[str]) -> None:
        """Delete what lies under these keys; what is not there is no fault."""
        for key in keys:
            with self._locked(key, exclusive=True):
                for path in self._paths(key):
                    path.unlink(missing_ok=True)

    def link(self, key: str, seconds: int) -> str:
        """An address of this service, which proves itself as S3's presigned ones do."""
        until = str(int(time.time()) + seconds)
        return f"/_results/{quote(key)}?until={until}&proof={self._proof(key, until)}"

    def admits(self, key: str, until: str, proof: str) -> bool:
        """Whether an address made by `link` is genuine and not over."""
        genuine = hmac.compare_digest(self._proof(key, until).encode(), proof.encode())
        return genuine and until.isdigit() and time.time() < int(until)

    def _proof(self, key: str, until: str) -> str:
        return hmac.new(self._secret(), f"{key}\n{until}".encode(), hashlib.sha256).hexdigest()

    def _secret(self) -> bytes:
        """What addresses are signed with: made once, the same for every process that serves this folder."""
        path = self._own / "secret"
        with self._locked("secret", exclusive=True):
            secret = path.read_bytes() if path.is_file() else b""
            # Shorter is what a full disk left behind: signed with nothing, anybody's address would be genuine.
            if len(secret) != _SECRET_BYTES:
                secret = os.urandom(_SECRET_BYTES)
                self._replace(path, secret, 0o600)
            return secret

    def _paths(self, key: str) -> tuple[Path, Path]:
        segments = checked(key).split("/")
        if is_odd(key) or segments[0] == self._own.name:
            raise BadRequest(f"a folder cannot keep the key `{key}`")
        return self.location.folder / key, self._own / f"{key}.json"

    def _info(self, key: str, body: Path, facts: Path) -> ObjectInfo | None:
        try:
            status = body.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            said = json.loads(facts.read_text("utf-8"))
        except (OSError, ValueError):
            said = None
        if not isinstance(said, dict):
            said = {}  # put there by someone else, or by a crash
        return ObjectInfo(
            ObjectRef(self.location.name, key),
            status.st_size,
            said.get("etag") or f"{status.st_mtime_ns:x}-{status.st_size:x}",
            datetime.fromtimestamp(status.st_mtime, UTC),
            said.get("cache_control", ""),
            said.get("content_type", ""),
            said.get("metadata", {}),
        )

    def _replace(self, target: Path, body: bytes, mode: int = 0o666) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = self._own / uuid.uuid4().hex
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(body)
                file.flush()
                # Or, after a power failure, some file systems would have the new name and not the bytes.
                os.fsync(file.fileno())
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
