"""Models on onnxruntime: opened once in a process, run one at a time, stopped at the deadline."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from imaging.context import Deadline
from imaging.errors import TimeExceeded, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_place = threading.BoundedSemaphore(1)
"""A run takes every processor and hundreds of megabytes: two at a time would be no faster, and twice as large."""
_until: ContextVar[Deadline] = ContextVar("until")


@contextmanager
def model_lock(deadline: Deadline) -> Iterator[None]:
    """Wait for this process' one place at the models and hold it; TimeExceeded where the deadline comes first."""
    deadline.check()
    if not _place.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
        raise TimeExceeded("other pictures were before this one for longer than one request may take")
    before = _until.set(deadline)
    try:
        yield
    finally:
        _until.reset(before)
        _place.release()


class InterruptibleSession:
    """An onnxruntime session whose runs end with the deadline of the turn that they belong to."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, Floats]) -> Sequence[Floats]:
        """The outputs of these names, or all; TimeExceeded."""
        from onnxruntime import RunOptions  # noqa: PLC0415 - 85 ms

        options = RunOptions()
        with _ended(options, _until.get(Deadline())):
            try:
                found: Sequence[Floats] = self._session.run(outputs, feed, options)
            except Exception as error:
                if not options.terminate:
                    raise
                raise TimeExceeded("the model took longer than one request may take") from error
        return found

    def get_inputs(self) -> Any:
        """As the session has them; rembg asks."""
        return self._session.get_inputs()


@contextmanager
def _ended(options: Any, deadline: Deadline) -> Iterator[None]:
    """While this lasts, a run with these options is told to stop once the deadline passes: within 0.3 s."""

    def end() -> None:
        options.terminate = True

    timer = threading.Timer(min(max(0.0, deadline.left()), threading.TIMEOUT_MAX), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def session_options() -> Any:
    """What every session is opened with; Unavailable without onnxruntime."""
    try:
        import onnxruntime  # noqa: PLC0415 - 85 ms
    except ImportError:
        raise Unavailable("onnxruntime is missing: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Said outright: onnxruntime would count the machine's and pin threads to them, which a container may forbid.
    options.intra_op_num_threads = _processors()
    # Threads that wait by spinning take from libvips, and from other requests, what they do not need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def open_model(path: Path) -> InterruptibleSession:
    """A model that set-up has optimised; the layout that this processor likes best is found now.

    That takes 0.3 s and a run is a third shorter for it, so the first run has it back (bench/REMOVE_BACKGROUND.md).
    """
    options = session_options()
    from onnxruntime import InferenceSession  # noqa: PLC0415 - 85 ms

    return InterruptibleSession(InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
