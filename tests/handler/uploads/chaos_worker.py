"""An upload function that is killed, and whose database, source and store fail at random. `chaos` starts it.

Reads a JSON line for each event: `event`, `seconds` until its deadline, and whether there are `faults`. Writes a JSON
line for each answer. A process forks one that does the work, and another one whenever that has been killed.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

import handler.composition.uploads
import handler.records
from handler.composition.wiring import build
from handler.config import Settings
from handler.core.errors import UpstreamError
from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
from imaging import Deadline, ObjectRef

RATE = 0.02
"""Of the calls that fail before they have an effect, and of those that fail after it."""
MIN_LIFE, MAX_LIFE = 20, 800
"""Calls of the database, the source and the store after which a process is killed."""


class Faults:
    """Decides which calls fail, and which one is the last of this process."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._left = self._chance.randint(MIN_LIFE, MAX_LIFE)
        self.are_on = True

    def wrap(self, target: Any, *names: str) -> Any:
        """Return an object whose methods of these names fail at random."""
        faults = self

        class Failing:
            def __getattr__(self, name: str) -> Any:
                method = getattr(target, name)
                return faults._guard(method) if name in names else method

        return Failing()

    def wrap_result(self, function: Callable[..., Any], *names: str) -> Callable[..., Any]:
        """Return a function whose results have methods that fail at random."""
        return lambda *args, **kwargs: self.wrap(function(*args, **kwargs), *names)

    def _guard(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not self.are_on:
                return method(*args, **kwargs)
            self._left -= 1
            if self._left == 0 and self._chance.random() < 0.5:
                os.kill(os.getpid(), signal.SIGKILL)
            if self._chance.random() < RATE:
                raise UpstreamError("throttled", status=503)
            result = method(*args, **kwargs)
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            if self._chance.random() < RATE:
                raise UpstreamError("the answer was lost", status=504)
            return result

        return guarded


def open_entrypoint(environment: dict[str, str], faults: Faults) -> UploadEntrypoint:
    """Build the real entrypoint around a database, a source and a store that fail."""
    calls = {
        "open_records": ("get", "write", "page", "pending", "postpone", "settle"),
        "open_results": ("head", "put", "delete"),
    }
    for module, name in ((handler.records, "open_records"), (handler.composition.uploads, "open_results")):
        setattr(module, name, faults.wrap_result(getattr(module, name), *calls[name]))
    get_uploads = build(Settings.from_environment(environment)).uploads
    assert get_uploads is not None
    uploads = get_uploads()
    context = uploads.pipeline.renderer.render_context
    context = replace(context, objects=faults.wrap(context.objects, "get", "head"))
    pipeline = replace(uploads.pipeline, renderer=replace(uploads.pipeline.renderer, render_context=context))
    # Every record in process counts as left behind, also one on which another process is at work.
    sweep = replace(uploads.sweep, pipeline=pipeline, stale_after=timedelta(0))
    return replace(uploads, pipeline=pipeline, sweep=sweep, source_of=ObjectRef)


def work(environment: dict[str, str], seed: int) -> None:
    """Answer events until there are no more."""
    faults = Faults(seed)
    entrypoint = open_entrypoint(environment, faults)
    write_line(pid=os.getpid())
    while line := sys.stdin.buffer.readline():
        if not line.startswith(b'{"id"'):
            continue  # the rest of a task, of which a process that was killed had read the beginning
        task = json.loads(line)
        faults.are_on = task["faults"]
        try:
            answer = entrypoint.handle(task["event"], Deadline.after(task["seconds"]))
        except Exception as error:  # noqa: BLE001 - Lambda answers a sweep that fails with its error
            answer = {"error": repr(error)}
        write_line(id=task["id"], answer=answer)


def write_line(**line: Any) -> None:
    """Write a line at once, whole or not at all."""
    os.write(1, json.dumps(line).encode() + b"\n")


def import_all(environment: dict[str, str]) -> None:
    """Import what an event needs, so that it is there in each process that is forked. No connection is opened."""
    get_uploads = build(Settings.from_environment(environment)).uploads
    assert get_uploads is not None
    get_uploads()
    for name in (
        *("PIL.Image", "PIL.ImageFile", "PIL.ImagePalette", "aws_lambda_powertools.logging"),
        *("aws_lambda_powertools.metrics", "blurhash", "boto3", "encodings.idna", "features.info.feature"),
        *("handler.detection.masks", "handler.detection.service", "handler.notifications.webhook"),
        *("handler.storage.sources.folder", "imagehash", "imaging.codecs.decode.png_color"),
        *("imaging.codecs.metadata.reader", "imaging.models.saliency", "imaging.pipeline.run_each"),
        "scipy.fftpack",  # imagehash imports it when it is first called
    ):
        importlib.import_module(name)


def main() -> None:
    """Fork workers until there are no more events."""
    environment, seed = json.loads(sys.argv[1])
    import_all(environment)
    life = 0
    while True:
        child = os.fork()
        if not child:
            work(environment, seed * 10_000 + life)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))
        life += 1
        write_line(killed=life)


if __name__ == "__main__":
    main()
