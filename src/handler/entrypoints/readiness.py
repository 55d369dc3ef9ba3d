"""Answer `/_ready`: whether the parts that requests depend on work, such as the database and a source."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from handler.observability.logs import log_exception
from handler.response import Answer, report

VALID_SECONDS = 2.0
"""How long `/_ready` repeats the last result, so that frequent requests put no load on the database."""
PATIENCE_SECONDS = 3.0
"""How long a request waits for the checks. A check that takes longer counts as failed."""

Check = Callable[[], object]
"""Raises an exception if a part does not work."""


class Readiness:
    """Runs the checks of all parts, at most one round of them at a time."""

    def __init__(self, checks: Mapping[str, Check], clock: Callable[[], float] = time.monotonic) -> None:
        """`checks` has the check of each part by the name that the answer and the log show."""
        self._checks = checks
        self._clock = clock
        self._lock = threading.Lock()
        self._round: _Round | None = None

    def page(self) -> Answer:
        """Answer `/_ready`: 200 if every part works, else 503 with the names of those that do not."""
        failing = self._current_round().failing()
        if failing:
            return report({"status": "failing", "failing": failing}, HTTPStatus.SERVICE_UNAVAILABLE)
        return report({"status": "ready"})

    def _current_round(self) -> _Round:
        """Return the last round while it is valid or still runs; else begin another one.

        A check that never ends keeps its round running, so that no further threads begin to wait for the same part.
        """
        with self._lock:
            last = self._round
            if last is None or (last.has_ended and self._clock() - last.began_at >= VALID_SECONDS):
                last = self._round = _Round(self._checks, self._clock)
            return last


class _Round:
    """One run of all checks, each on a thread of its own."""

    def __init__(self, checks: Mapping[str, Check], clock: Callable[[], float]) -> None:
        self.began_at = clock()
        self._until = time.monotonic() + PATIENCE_SECONDS
        self._works: dict[str, bool] = {}
        self._threads = {
            name: threading.Thread(target=self._run, args=(name, check), daemon=True, name=f"check of {name}")
            for name, check in checks.items()
        }
        for thread in self._threads.values():
            thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether every check has ended."""
        return not any(thread.is_alive() for thread in self._threads.values())

    def failing(self) -> list[str]:
        """Wait for the checks, within the time of the round, and return the names of those that have not succeeded."""
        for thread in self._threads.values():
            thread.join(max(0.0, self._until - time.monotonic()))
        return [name for name in self._threads if not self._works.get(name)]

    def _run(self, name: str, check: Check) -> None:
        try:
            check()
        except Exception:  # noqa: BLE001 - every failure is logged and makes the service not ready
            log_exception({"check": name})
        else:
            self._works[name] = True
