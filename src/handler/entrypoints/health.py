"""Whether this process can still draw. One that cannot is replaced, since nothing that it is asked for will succeed."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from features import check_drawing
from handler.observability import log_exception
from handler.response import Answer, report

_VALID_SECONDS = 5.0
"""How long the page repeats the last result: whoever may ask for it must not keep a processor busy."""
_PAUSE_SECONDS = 0.1
"""Before the second attempt: what fails for want of a descriptor or a thread may pass."""


def exit_process() -> None:
    """End this process at once, with what it has logged written; Lambda's runtime starts another."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


class Health:
    """Draws a small image when it is asked whether the process works, and after each unexpected exception."""

    def __init__(self, replace: Callable[[], None] = lambda: None) -> None:
        """`replace` has the process replaced; it is called when drawing has failed twice in a row."""
        self.replace = replace
        self._lock = threading.Lock()
        self._checked_at = -_VALID_SECONDS
        self._works = True

    @property
    def works(self) -> bool:
        """The last result."""
        return self._works

    def page(self) -> Answer:
        """`/_health`: 200 while the process can draw, then 503."""
        with self._lock:
            if time.monotonic() - self._checked_at >= _VALID_SECONDS:
                self._draw()
        if self._works:
            return report({"status": "ok"})
        return report({"status": "failing"}, HTTPStatus.SERVICE_UNAVAILABLE)

    def check(self) -> None:
        """Draw now: what was unexpected may be the process's own fault."""
        with self._lock:
            self._draw()

    def _draw(self) -> None:
        self._works = self._can_draw()
        if not self._works:
            time.sleep(_PAUSE_SECONDS)
            self._works = self._can_draw()
        self._checked_at = time.monotonic()
        if not self._works:
            self.replace()

    @staticmethod
    def _can_draw() -> bool:
        try:
            check_drawing()
        except Exception:  # noqa: BLE001 - whatever it is, it is logged, and the process is replaced for it
            log_exception({"check": "drawing"})
            return False
        return True
