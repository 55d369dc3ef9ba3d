"""Answer on the event loop, without a worker, what nothing can block: a 304, and a result that is in memory.

That is so for an original in a folder on a disk of this machine: to parse a short URL and to ask for the size and the
time of a file takes less than to hand the request to a thread. Everything else is left to a worker, errors too.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec

from handler.core.ports import DetectionService, StoredObject
from handler.entrypoints.http import HttpEntrypoint
from handler.entrypoints.http_call import HttpRequest
from handler.render.results import RenderedResult, ResultFacts
from handler.requests.image_request import ImageRequest
from handler.response import Answer
from handler.storage.recent_results import RecentResults
from handler.storage.sources import Sources
from handler.storage.sources.stored import Stored
from imaging import Deadline, ObjectRef

if TYPE_CHECKING:
    from handler.storage.sources.source import Source

_MAX_URL = 512
"""Characters of the longest URL that is parsed on the event loop."""
_LOCAL_TYPES = frozenset(("btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"))
"""File systems that never wait for a network."""
_MAX_TRIED, _PAUSE_SECONDS = 4_096, 5.0
"""URLs whose results may be in memory, and how long one is left to the workers whose result was not there."""
_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(rb"\\([0-7]{3})")


class AnswerAtOnce:
    """Answers where that blocks nothing."""

    def __init__(self, http: HttpEntrypoint, objects: Sources, local: frozenset[str]) -> None:
        """`local` are the names of the sources on a disk of this machine."""
        context = msgspec.structs.replace(
            http.render_context, objects=_Facts(objects, local), detection=_refuse_detection, pixels=None
        )
        recent = _InMemory(http.recent) if http.recent is not None else None
        self._http = msgspec.structs.replace(
            http, render_context=context, result_cache=None, recent=recent, fallback=None
        )
        self._tried: dict[tuple[str, object], float] = {}
        """The time from which an answer to a URL is looked for in memory."""

    def __call__(self, call: HttpRequest) -> Answer | None:
        """Return the answer, None if a worker has to give it."""
        if call.method not in ("GET", "HEAD") or len(call.path) + len(call.query) > _MAX_URL:
            return None
        is_conditional = "if-none-match" in call.headers or "if-modified-since" in call.headers
        if not (is_conditional or self._may_be_in_memory(call)):
            return None
        if unquote(call.path).startswith("/_"):
            return None  # the service's own pages may wait for anything
        try:
            answer = self._http.answer(call, Deadline())
        except Exception:  # noqa: BLE001 - the worker meets the same, and logs it
            answer = None
        if answer is not None and answer.status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            return answer
        self._note(call, time.monotonic() + _PAUSE_SECONDS)
        return None

    def _may_be_in_memory(self, call: HttpRequest) -> bool:
        """Whether the result of a URL may be in memory: not at its first request, and not where it was not there."""
        since = self._tried.get((call.path, call.query))
        if since is None:
            self._note(call, 0.0)
            return False
        return since <= time.monotonic()

    def _note(self, call: HttpRequest, since: float) -> None:
        self._tried[call.path, call.query] = since
        if len(self._tried) > _MAX_TRIED:
            del self._tried[next(iter(self._tried))]


def build_at_once(http: HttpEntrypoint) -> AnswerAtOnce | None:
    """Return what answers at once; None where no source is local, or where a secret may have to be fetched first."""
    objects, authenticator = http.render_context.objects, http.authenticator
    needs_secret = http.origin is not None or authenticator.signatures is not None or authenticator.signed_only
    # A dialect with settings may have keys among them.
    has_keys = any(dialect.configure is not None for dialect in http.policy.dialects)
    if needs_secret or has_keys or http.public_context is not None or not isinstance(objects, Sources):
        return None
    mounts = tuple(_read_mounts())
    folders = ((each.name, each.folder) for each in objects.locations if each.scheme == "file")
    local = frozenset(name for name, folder in folders if is_local(folder, mounts))
    return AnswerAtOnce(http, objects, local) if local else None


def is_local(folder: Path, mounts: Iterable[tuple[Path, str]]) -> bool:
    """Whether a folder, and all that is mounted in it, is on file systems of this machine."""
    types = dict(mounts)  # of several at the same place, the last one is on top
    above = max((path for path in types if folder.is_relative_to(path)), default=None, key=lambda path: len(path.parts))
    within = {kind for path, kind in types.items() if path.is_relative_to(folder)}
    return above is not None and within | {types[above]} <= _LOCAL_TYPES


def _read_mounts() -> Iterator[tuple[Path, str]]:
    """Yield the mount points of this process, each with the type of its file system; nothing where Linux is not."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        # man 5 proc: the mount point is the fifth field, the type follows a hyphen. Blanks and the like are in octal.
        fields, _, rest = line.partition(b" - ")
        path = _OCTAL.sub(lambda found: bytes([int(found[1], 8)]), fields.split(b" ")[4])
        yield Path(os.fsdecode(path)), rest.split(b" ")[0].decode()


class _NeedsWorkerError(Exception):
    """The answer takes more than may be done on the event loop."""


def _refuse_detection() -> DetectionService:
    raise _NeedsWorkerError


class _InMemory(RecentResults):
    """The results in memory alone."""

    def __init__(self, recent: RecentResults) -> None:
        super().__init__(None)
        self._recent = recent

    def lookup(self, request: ImageRequest, facts: ResultFacts, size: int) -> RenderedResult:  # noqa: ARG002 - of the protocol
        found = self._recent.find(facts)
        if found is None:
            raise _NeedsWorkerError
        return found


class _Facts(Sources):
    """The local ones among the sources, which tell what is known of an object but not its bytes."""

    def __init__(self, sources: Sources, local: frozenset[str]) -> None:
        super().__init__(sources.locations, lambda location: sources.open(location.name))
        self._local = local

    def open(self, name: str) -> Source:
        if name not in self._local:
            raise _NeedsWorkerError
        return super().open(name)

    def get(self, ref: ObjectRef) -> StoredObject:
        info = self.head(ref)
        return Stored(info, map(_refuse_bytes, (b"",)), info.size)


def _refuse_bytes(_: bytes) -> bytes:
    raise _NeedsWorkerError
