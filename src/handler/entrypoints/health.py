"""Check whether this process can still render an image, and replace it if it cannot."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from handler.observability.logs import log_exception
from handler.response import Answer, report

_VALID_SECONDS = 5.0
"""How long `/_health` repeats the last result, so that frequent requests do not keep a processor busy."""
_PAUSE_SECONDS = 0.1
"""Pause before the second attempt: a lack of file descriptors or threads may be temporary."""


def check_drawing() -> None:
    """Decode, resize and encode a small image. Any failure raises an exception."""
    import features  # noqa: PLC0415 - no image needs the module that this reads

    features.check_drawing()


def exit_process() -> None:
    """End this process at once, after its log is written. Lambda's runtime starts another one."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


class Health:
    """Renders a small image for `/_health` and after each unexpected exception."""

    def __init__(self, replace: Callable[[], None] = lambda: None) -> None:
        """`replace` ends the process, so that it is replaced. It is called after two failed attempts in a row."""
        self.replace = replace
        self._lock = threading.Lock()
        self._checked_at = -_VALID_SECONDS
        self._works = True

    @property
    def works(self) -> bool:
        """Whether the last attempt succeeded."""
        return self._works

    def page(self) -> Answer:
        """Answer `/_health`: 200 while the process can render, else 503."""
        with self._lock:
            if time.monotonic() - self._checked_at >= _VALID_SECONDS:
                self._render()
        if self._works:
            return report({"status": "ok"})
        return report({"status": "failing"}, HTTPStatus.SERVICE_UNAVAILABLE)

    def check(self) -> None:
        """Render now, because the process itself may have caused an unexpected exception."""
        with self._lock:
            self._render()

    def _render(self) -> None:
        self._works = self._can_render()
        if not self._works:
            time.sleep(_PAUSE_SECONDS)
            self._works = self._can_render()
        self._checked_at = time.monotonic()
        if not self._works:
            self.replace()

    @staticmethod
    def _can_render() -> bool:
        try:
            check_drawing()
        except Exception:  # noqa: BLE001 - every failure is logged and makes the process unhealthy
            log_exception({"check": "drawing"})
            return False
        return True
