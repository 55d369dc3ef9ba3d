"""Processes that measure a drawing or a document and then render it: limited, killable, and kept in between.

A process that has measured a file waits a moment for the call that renders it, so that one request takes one process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

import pyvips

from imaging.context import MEGA, Deadline, Limits
from imaging.errors import TooLarge
from imaging.picture import ImageHeader

if TYPE_CHECKING:
    from imaging.deadlines.killable_process import IsolatedProcess

P = ParamSpec("P")
ResultT = TypeVar("ResultT")

_MEASURE_BYTES = 100_000
_PIXEL_BYTES = 4
_MAX_WAITING = 8
"""Processes that have measured a file and wait to render it; most of them do so within milliseconds."""
_lock = threading.Lock()
_waiting: list[_Measured] = []
Measure = Callable[..., ImageHeader]


class _Measured(NamedTuple):
    """A file that has been measured, and the process that did so."""

    original: bytes
    limits: Limits
    call: tuple[Measure, tuple[Any, ...]]
    source: ImageHeader
    process: IsolatedProcess

    def is_for(self, original: bytes, limits: Limits, deadline: Deadline) -> bool:
        """Return whether it is the same file of the same request."""
        return self.original is original and self.process.deadline == deadline and self.limits == limits


def measure_isolated(
    original: bytes, limits: Limits, deadline: Deadline, measure: Measure, *args: object, what: str
) -> ImageHeader:
    """Return what `measure` finds in a file, in a process of its own. Raises DamagedSource, TooLarge, TimeExceeded.

    `measure` gets the file, the limits and `args`. The process and the header are kept for `render_isolated` of the
    same bytes. `what` names the work in messages.
    """
    call = (measure, args)
    with _lock:
        known = next((each for each in _waiting if each.is_for(original, limits, deadline)), None)
        if known is not None and known.call == call:
            return known.source
        if known is not None:
            _waiting.remove(known)
    process = known.process if known is not None else _process(limits, deadline)
    try:
        source = _call(process, limits, what, _MEASURE_BYTES, measure, original, limits, *args)
    except BaseException:
        process.close()
        raise
    with _lock:
        _waiting.append(_Measured(original, limits, call, source, process))
        old = _waiting[:-_MAX_WAITING]
        del _waiting[:-_MAX_WAITING]
    for each in old:
        each.process.close()
    return source


def render_isolated(
    original: bytes,
    size: tuple[int, int],
    limits: Limits,
    deadline: Deadline,
    draw: Callable[..., pyvips.Image],
    *args: object,
    what: str,
) -> pyvips.Image:
    """Return what `draw` makes of the file, about `size` pixels. Raises DamagedSource, TooLarge, TimeExceeded."""
    answer = (size[0] + 1) * (size[1] + 1) * _PIXEL_BYTES + _MEASURE_BYTES
    with _taken(original, limits, deadline) or _process(limits, deadline) as process:
        return _call(process, limits, what, answer, draw, original, *args)


def _taken(original: bytes, limits: Limits, deadline: Deadline) -> IsolatedProcess | None:
    """Return the process that has measured the file for the same request, if it still waits."""
    with _lock:
        for at, each in enumerate(_waiting):
            if each.is_for(original, limits, deadline):
                return _waiting.pop(at).process
    return None


def _process(limits: Limits, deadline: Deadline) -> IsolatedProcess:
    from imaging.deadlines.killable_process import Confinement, IsolatedProcess  # noqa: PLC0415 - of these formats alone

    return IsolatedProcess(deadline, Confinement(deadline, limits.memory, limits.processors, limits.work).bounds)


def _call(
    process: IsolatedProcess,
    limits: Limits,
    what: str,
    answer: int,
    work: Callable[P, ResultT],
    *args: P.args,
    **kwargs: P.kwargs,
) -> ResultT:
    from imaging.deadlines.killable_process import ProcessDied  # noqa: PLC0415 - of these formats alone

    try:
        return process.call(answer, work, *args, **kwargs)
    except ProcessDied as error:
        bound = f"{limits.memory // MEGA} MB of memory"
        if error.spent_its_time:
            bound = f"{limits.work:.3g} seconds of a processor"
        raise TooLarge(f"drawing {what} must take at most {bound}, this one takes more", detail=str(error)) from None
