"""Collects what a Thumbor path becomes: steps in order, output options and response headers."""

from __future__ import annotations

from handler.requests.dialects.step_collector import StepCollector
from handler.requests.dialects.thumbor.grammar import ThumborPath


class StepBuilder(StepCollector):
    """Collects steps, output options and headers while the segments and filters of a path are interpreted."""

    def __init__(self, path: ThumborPath) -> None:
        super().__init__()
        self.path = path
        """The path being interpreted; some filters depend on its segments, such as `fill` on `fit-in`."""
