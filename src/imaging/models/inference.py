"""Runs models on onnxruntime: one run at a time in each process, stopped at the deadline."""

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

_semaphore = threading.BoundedSemaphore(1)
"""A run takes every processor and hundreds of megabytes: two at a time would be no faster and need twice as much."""
_deadline: ContextVar[Deadline] = ContextVar("deadline")
"""The deadline of the block in which a session runs."""


@contextmanager
def model_lock(deadline: Deadline) -> Iterator[None]:
    """Wait until no other model runs in this process, and keep others from running within the block.

    Raises TimeExceeded where the deadline passes before that. Sessions that run in the block end with the deadline.
    """
    deadline.check()
    if not _semaphore.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
        raise TimeExceeded("other pictures were before this one for longer than one request may take")
    before = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(before)
        _semaphore.release()


class InterruptibleSession:
    """An onnxruntime session whose runs end with the deadline of the `model_lock` around them."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, Floats]) -> Sequence[Floats]:
        """Return the outputs of these names, or all outputs. Raises TimeExceeded."""
        from onnxruntime import RunOptions  # noqa: PLC0415 - 85 ms

        options = RunOptions()
        with _terminated(options, _deadline.get(Deadline())):
            try:
                found: Sequence[Floats] = self._session.run(outputs, feed, options)
            except Exception as error:
                if not options.terminate:
                    raise
                raise TimeExceeded("the model took longer than one request may take") from error
        return found

    def get_inputs(self) -> Any:
        """Return the session's inputs, which rembg reads."""
        return self._session.get_inputs()


@contextmanager
def _terminated(options: Any, deadline: Deadline) -> Iterator[None]:
    """Have a run with these options stop once the deadline passes; onnxruntime stops within 0.3 s."""

    def terminate() -> None:
        options.terminate = True

    timer = threading.Timer(min(max(0.0, deadline.left()), threading.TIMEOUT_MAX), terminate)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def session_options() -> Any:
    """Return the options of every session. Raises Unavailable without onnxruntime."""
    # onnxruntime imports numpy from C, in another order than numpy itself: a thread that imports numpy at the same time
    # could then fail with a circular import.
    import numpy as np  # noqa: F401, PLC0415 - 55 ms

    try:
        import onnxruntime  # noqa: PLC0415 - 85 ms
    except ImportError:
        raise Unavailable("onnxruntime is missing: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # onnxruntime would count the processors of the machine and pin threads to them, which a container may forbid.
    has_affinity = hasattr(os, "sched_getaffinity")
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    # Threads that spin while they wait take processor time from libvips and from other requests.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def open_model(path: Path) -> InterruptibleSession:
    """Open a model that set-up has optimised, and choose the best memory layout for this processor.

    That choice takes 0.3 s and makes each run a third shorter, so the first run makes up for it
    (bench/REMOVE_BACKGROUND.md).
    """
    options = session_options()
    from onnxruntime import InferenceSession  # noqa: PLC0415 - 85 ms

    return InterruptibleSession(InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))
