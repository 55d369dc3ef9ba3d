"""Work that cannot be told to stop, in a process that can be killed. Imported only where there is such work."""

from __future__ import annotations

import copyreg
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, ParamSpec, TypeVar

import pyvips

from features._errors import FeatureError
from features._ports import Deadline

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
_SERVE = "import sys; sys.path[:0] = sys.argv[1:]; from features._isolation import serve; serve()"
_GRACE = 0.005
"""Seconds by which a kill comes after the deadline, so that the deadline is surely what has passed."""


class ProcessDied(RuntimeError):
    """The process ended without an answer."""


def isolated(deadline: Deadline, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
    """What `work` returns or raises in a fresh process that is killed at the deadline; then TimeExceeded.

    `work` is a function of a module. It and what it takes and gives is pickled, pyvips images as their pixels.
    """
    deadline.check()
    with _process(deadline) as process:
        answer = _asked(process, (work, args, kwargs))
    if answer is None:
        deadline.check()
        raise ProcessDied(f"the process that ran {work.__name__} ended with {process.returncode} and no answer")
    raised, value = answer
    if raised:
        raise _error(*value)
    return value  # type: ignore[no-any-return]  # what `work` gave


@contextmanager
def _process(deadline: Deadline) -> Iterator[subprocess.Popen[bytes]]:
    """A process that serves one request; when this ends it is gone, with its pipes."""
    command = [sys.executable, "-P", "-c", _SERVE, *filter(None, sys.path)]
    with subprocess.Popen(  # noqa: S603 - this interpreter, a constant and this program's own folders
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        killer = threading.Timer(min(max(0.0, deadline.left()) + _GRACE, threading.TIMEOUT_MAX), process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()
            # A pipe that broke has bytes left that closing it would try to send once more.
            process.communicate()


def _asked(process: subprocess.Popen[bytes], request: object) -> tuple[bool, Any] | None:
    """The answer, or nothing when the process ended before it gave one."""
    if process.stdin is None or process.stdout is None:
        raise ProcessDied("no pipes to the process")
    try:
        _dump(request, process.stdin)
        answer: tuple[bool, Any] = pickle.load(process.stdout)  # noqa: S301 - from this program itself
    except (BrokenPipeError, EOFError, pickle.UnpicklingError):
        return None
    return answer


def serve() -> None:
    """Do the one piece of work that comes in, in a process of its own."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get between the answers
    work, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301 - from this program itself
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = (False, work(*args, **kwargs))
    except FeatureError as error:
        answer = (True, (type(error), error.args, vars(error)))
    _dump(answer, answers)


def _end_with_parent() -> None:
    """The parent says no more, so its pipe ends when it does, however it ends."""
    os.read(0, 1)
    os._exit(1)


def _error(kind: type[FeatureError], args: tuple[object, ...], state: dict[str, object]) -> FeatureError:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


def _dump(content: object, stream: IO[bytes]) -> None:
    pickler = pickle.Pickler(stream, protocol=5)
    pickler.dispatch_table = copyreg.dispatch_table | {pyvips.Image: _image_parts}
    pickler.dump(content)
    stream.flush()


def _image_parts(image: Any) -> tuple[Callable[..., Any], tuple[object, ...]]:
    blobs = {name: image.get(name) for name in image.get_fields() if name.endswith("-data")}
    pixels = pickle.PickleBuffer(image.write_to_memory())
    shape = (image.width, image.height, image.bands, image.format)
    return _image, (pixels, shape, image.interpretation, {name: bytes(blob) for name, blob in blobs.items()})


def _image(pixels: Any, shape: tuple[Any, ...], interpretation: str, blobs: dict[str, bytes]) -> Any:
    image: Any = pyvips.Image.new_from_memory(pixels, *shape)
    image = image.copy(interpretation=interpretation)
    for name, blob in blobs.items():
        image.set_type(pyvips.GValue.blob_type, name, blob)
    return image
