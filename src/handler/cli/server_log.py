"""The log of `image-handler serve`, on standard output."""

from __future__ import annotations

import logging
import sys
import time

from handler.entrypoints.gallery.request import actions
from handler.entrypoints.server.server import access
from handler.observability.logs import set_log_level


def log_to_standard_output() -> None:
    """Log each request, and each action of a visitor of the gallery.

    The handler's own line of a request has less information, so it is switched off.
    """
    for log in (access, actions):
        log.addHandler(logging.StreamHandler(sys.stdout))
        log.setLevel(logging.INFO)
        log.propagate = False
    # These log a line for each client that does not send HTTP, or that disconnects before its answer.
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(_Throttle())
    set_log_level("WARNING")


class _Throttle(logging.Filter):
    """Passes a number of records in ten seconds. The first record after them says how many were left out."""

    def __init__(self, limit: int = 20) -> None:
        super().__init__()
        self._limit = limit
        self._since = self._count = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self._since >= 10:
            left_out, self._since, self._count = self._count - self._limit, now, 0
            if left_out > 0:
                record.msg = f"{record.msg} ({left_out:g} more lines like this were left out)"
        self._count += 1
        return self._count <= self._limit
