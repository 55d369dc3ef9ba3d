"""Uploads to a local folder: an object is written to a draft file, which is given its name when it is complete.

The drafts are in the subfolder `.uploads`, on the same file system, so that giving the name is atomic. A process holds
a lock on each of its drafts. The drafts of a process that was killed are therefore unlocked, and the next process
deletes them.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from handler.core.errors import BadRequest, NotFound, UpstreamError
from handler.core.ports import ObjectInfo
from handler.storage.sources import StoreLocation
from handler.storage.sources.folder import UPLOADS, info_of, is_reserved
from handler.storage.sources.keys import is_invalid, needs_boto
from handler.storage.sources.stored import CHUNK_BYTES
from handler.storage.upload_stores.store import PresignedPost, UploadAttributes
from imaging import ObjectRef

_ABANDONED_SECONDS = 7 * 86_400
"""Age at which an upload in parts that was not completed is deleted."""
_UPLOAD_ID = re.compile("[0-9a-f]{32}")
_KEY = "key.json"


class FolderUploads:
    """A source in a folder."""

    sends_events = False

    def __init__(self, location: StoreLocation) -> None:
        self._name = location.name
        self._folder = location.folder
        self._state = location.folder / UPLOADS
        self._sweep()

    def head(self, key: str) -> ObjectInfo | None:
        """Return what is known of a file, None if there is no such file."""
        path = self._path(key)
        with self._translate_errors(key):
            return info_of(ObjectRef(self._name, key), path.stat()) if path.is_file() else None

    def sha256(self, key: str) -> str:
        """Return the SHA-256 of a file, which is read for it; empty if there is no such file."""
        path = self._path(key)
        with self._translate_errors(key):
            if not path.is_file():
                return ""
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()

    def write(
        self, key: str, blocks: Iterable[bytes], _attributes: UploadAttributes, *, overwrite: bool
    ) -> ObjectInfo | None:
        """Write a file block by block. Return None if it exists and `overwrite` is false."""
        target = self._path(key)
        if not overwrite and self.head(key) is not None:
            return None
        with self._draft(key) as draft:
            for block in blocks:
                with self._translate_errors(key):
                    draft.write(block)
            return self._publish(key, draft, target, overwrite=overwrite)

    def delete(self, key: str) -> None:
        """Delete a file; nothing happens without one."""
        path = self._path(key)
        with self._translate_errors(key):
            path.unlink(missing_ok=True)

    def presigned_post(
        self, key: str, attributes: UploadAttributes, sizes: tuple[int, int], now: datetime, expires: datetime
    ) -> PresignedPost | None:  # fmt: skip
        """Return None: the server takes uploads to a folder itself."""

    def begin(self, key: str, _attributes: UploadAttributes) -> str:
        """Begin an upload in parts, and return its ID."""
        self._path(key)
        upload = uuid.uuid4().hex
        with self._translate_errors(key):
            (self._state / upload).mkdir(parents=True)
            (self._state / upload / _KEY).write_text(json.dumps(key), "utf-8")
        return upload

    def part_url(self, key: str, upload: str, number: int, now: datetime, seconds: int) -> str | None:
        """Return None: the server takes uploads to a folder itself."""

    def write_part(self, key: str, upload: str, number: int, blocks: Iterable[bytes]) -> str:
        """Write one part, or replace it, and return its ETag."""
        folder = self._upload_folder(key, upload)
        digest = hashlib.sha256()
        with self._draft(key) as draft:
            for block in blocks:
                digest.update(block)
                with self._translate_errors(key):
                    draft.write(block)
            with self._translate_errors(key):
                draft.flush()
                for older in folder.glob(f"{number:05}-*"):
                    older.unlink(missing_ok=True)
                Path(draft.name).replace(folder / f"{number:05}-{digest.hexdigest()}")
        return digest.hexdigest()

    def complete(
        self, key: str, upload: str, parts: Sequence[tuple[int, str]], *, overwrite: bool
    ) -> ObjectInfo | None:
        """Join parts into a file, and delete them. Return None if the file exists already; the parts are kept then."""
        folder = self._upload_folder(key, upload)
        with self._translate_errors(key):
            stored = {path.name for path in folder.glob("?????-*")}
        names = [f"{number:05}-{etag}" for number, etag in parts]
        if missing := [name for name in names if name not in stored]:
            raise BadRequest(f"`parts` must name parts that are stored with their ETags, got {missing[0][:80]}")
        with self._draft(key) as draft:
            with self._translate_errors(key):
                for name in names:
                    with (folder / name).open("rb") as part:
                        shutil.copyfileobj(part, draft, CHUNK_BYTES)
            info = self._publish(key, draft, self._path(key), overwrite=overwrite)
        if info is not None:
            self.abort(key, upload)
        return info

    def abort(self, key: str, upload: str) -> None:
        """Delete the parts of an upload; nothing happens if there is no such upload."""
        with suppress(NotFound), self._translate_errors(key):
            shutil.rmtree(self._upload_folder(key, upload))

    def _path(self, key: str) -> Path:
        """Return the path of a key. Raise BadRequest for a key that no file under the folder can have."""
        if is_invalid(key) or needs_boto(key):
            raise BadRequest(f"a folder cannot store the key `{key[:80]}`")
        with self._translate_errors(key):
            parent = (self._folder / key).parent.resolve()
        path = parent / key.rpartition("/")[2]
        if not parent.is_relative_to(self._folder) or is_reserved(path, self._folder):
            raise BadRequest(f"a folder cannot store the key `{key[:80]}`")
        return path

    def _upload_folder(self, key: str, upload: str) -> Path:
        """Return the folder with the parts of an upload. Raise NotFound if there is no such upload of this key."""
        folder = self._state / upload
        with self._translate_errors(key):
            known = _UPLOAD_ID.fullmatch(upload) and (folder / _KEY).is_file()
            if known and json.loads((folder / _KEY).read_text("utf-8")) == key:
                return folder
        raise NotFound(f"there is no upload `{upload[:80]}` of the key `{key[:80]}`", code="NoSuchUpload")

    @contextmanager
    def _draft(self, key: str) -> Iterator[BinaryIO]:
        """Open a locked draft file, which is deleted at the end unless it was given another name."""
        with self._translate_errors(key):
            file = self._open_draft()
        try:
            with file:
                yield file
        finally:
            Path(file.name).unlink(missing_ok=True)

    def _open_draft(self) -> BinaryIO:
        self._state.mkdir(exist_ok=True)
        while True:
            file = (self._state / f"{uuid.uuid4().hex}.draft").open("xb", CHUNK_BYTES)
            fcntl.flock(file, fcntl.LOCK_EX)
            if Path(file.name).exists():
                return file
            file.close()  # another process has started, and deleted it before it was locked

    def _publish(self, key: str, draft: BinaryIO, target: Path, *, overwrite: bool) -> ObjectInfo | None:
        """Give a draft its name. Return None if the name is taken and `overwrite` is false."""
        with self._translate_errors(key):
            draft.flush()
            # Without it, some file systems could have the new name but not the bytes after a power failure.
            os.fsync(draft.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            if overwrite:
                Path(draft.name).replace(target)
            else:
                try:
                    os.link(draft.name, target)
                except FileExistsError:
                    if target.is_dir():
                        raise
                    return None
            return info_of(ObjectRef(self._name, key), os.fstat(draft.fileno()))

    @contextmanager
    def _translate_errors(self, key: str) -> Iterator[None]:
        """Raise errors of the file system as errors of the handler."""
        try:
            yield
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            message = f"a folder cannot store the key `{key[:80]}` beside its other keys: one is a folder of the other"
            raise BadRequest(message, detail=str(error)) from error
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise BadRequest(f"a folder cannot store the key `{key[:80]}`: it is too long") from error
            raise UpstreamError(f"the folder cannot store `{key[:80]}`", detail=str(error)) from error

    def _sweep(self) -> None:
        """Delete drafts of processes that have ended, and uploads in parts that was not completed for a week."""
        for path in self._state.iterdir() if self._state.is_dir() else ():
            try:
                if path.suffix == ".draft":
                    with path.open("rb") as file:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        path.unlink(missing_ok=True)
                elif time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(path)
            except OSError:
                continue  # in use, or deleted by another process that has started at the same time
