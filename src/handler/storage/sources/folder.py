"""A local folder as a source."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from io import FileIO
from pathlib import Path

from handler.core.errors import Forbidden, NotFound
from handler.core.ports import Listing, ObjectInfo, StoredObject
from handler.storage.sources import store_errors
from handler.storage.sources.stored import CHUNK_BYTES, Stored
from imaging import ObjectRef

UPLOADS = ".uploads"
"""Name of the subfolder with uploads that are not complete. It is not a part of the source."""
_FAILURES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE})
"""Errors that say nothing about whether a file exists: a shortage of the process or the machine, or a failing disk."""


class Folder:
    """The files under one folder. Symbolic links that lead out of it are treated as missing."""

    def __init__(self, name: str, folder: Path, limit: int) -> None:
        self._name = name
        self._folder = folder.resolve()
        self._root = os.path.join(self._folder, "")  # noqa: PTH118 - pathlib drops the separator at the end
        self._limit = limit

    def get(self, key: str) -> StoredObject:
        file, info = self._open(key)
        return Stored(info, iter(partial(file.read, CHUNK_BYTES), b""), self._limit, file.close)

    def head(self, key: str) -> ObjectInfo:
        file, info = self._open(key)
        file.close()
        return info

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for folder, folders, files in os.walk(self._folder):
            folders[:] = sorted(each for each in folders if not is_reserved(Path(folder, each), self._folder))
            for file in sorted(files):
                key = Path(folder, file).relative_to(self._folder).as_posix()
                if key.startswith(prefix) and (info := self._info_or_none(key)):
                    yield info

    def page(self, prefix: str, cursor: str, limit: int) -> Listing:
        from handler.storage.sources.listing import page_of  # noqa: PLC0415 - only listings need it

        above = prefix.rpartition("/")[0]
        folder = self._inside(above)
        found: dict[str, ObjectInfo | None] = {}
        for entry in folder.iterdir() if folder else ():
            key = f"{above}/{entry.name}" if above else entry.name
            if not key.startswith(prefix):
                continue
            if entry.is_dir():
                found |= {f"{key}/": None} if self._inside(key) else {}
            elif info := self._info_or_none(key):
                found[key] = info
        return page_of(found, cursor, limit)

    def _inside(self, path: str) -> Path | None:
        """Return the folder of that path, None if there is no such folder under this one."""
        if "\0" in path or (path and {"", ".", ".."} & set(path.split("/"))):
            return None
        folder = (self._folder / path).resolve()
        is_inside = folder.is_relative_to(self._folder) and not is_reserved(folder, self._folder)
        return folder if is_inside and folder.is_dir() else None

    def _info_or_none(self, key: str) -> ObjectInfo | None:
        try:
            return self.head(key)
        except (NotFound, Forbidden):
            return None  # a link out of the folder, a socket, a file without read permission

    def _open(self, key: str) -> tuple[FileIO, ObjectInfo]:
        ref = ObjectRef(self._name, key)
        if "\0" in key or "" in key.split("/"):
            raise store_errors.not_found(ref)
        with _translate_errors(ref):
            # As texts: building pathlib's paths would take longer than all calls of the system together.
            path = os.path.realpath(os.path.join(self._root, key), strict=True)  # noqa: PTH118 - see above
            if not path.startswith(self._root) or _is_reserved_part(path[len(self._root) :].partition("/")[0]):
                raise store_errors.not_found(ref, f"{path} is outside of {self._folder}")
            # Non-blocking, because opening a named pipe would wait for a writer.
            file = FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            file.close()
            raise store_errors.not_found(ref, "not a regular file")
        return file, info_of(ref, status)


def info_of(ref: ObjectRef, status: os.stat_result) -> ObjectInfo:
    """Return what a folder knows of a file."""
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return ObjectInfo(ref, status.st_size, f"{status.st_mtime_ns:x}-{status.st_size:x}", modified)


def is_reserved(path: Path, folder: Path) -> bool:
    """Whether a path under a folder is in its subfolder UPLOADS, also on a file system that ignores case."""
    parts = path.relative_to(folder).parts
    return bool(parts) and _is_reserved_part(parts[0])


def _is_reserved_part(name: str) -> bool:
    return name.casefold() == UPLOADS


@contextmanager
def _translate_errors(ref: ObjectRef) -> Iterator[None]:
    """Raise errors of the file system as errors of the handler."""
    try:
        yield
    except PermissionError as error:
        raise store_errors.no_access(ref, str(error)) from error
    except (OSError, RuntimeError) as error:  # missing, a folder, a name too long, a loop of links
        if isinstance(error, OSError) and error.errno in _FAILURES:
            raise store_errors.failed(ref, str(error)) from error
        raise store_errors.not_found(ref, str(error)) from error
