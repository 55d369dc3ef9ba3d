"""Collects what a path of imagor becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from handler.requests.dialects.imagor.path import ImagorPath
from handler.requests.dialects.step_collector import StepCollector
from handler.requests.dialects.thumbor.arguments import Arguments, Usage


class ImagorSteps(StepCollector):
    """Collects steps, output options, headers and controls while a path is interpreted."""

    def __init__(self, path: ImagorPath) -> None:
        super().__init__()
        self.path = path
        self.controls: dict[str, str] = {}
        self.size: tuple[int, int] | None = None
        """Width and height where a canvas has set them, None if they depend on the original."""
        self.is_turned = False
        """Whether the filters so far have exchanged width and height."""


class Filter(NamedTuple):
    """A filter: its usage, and the function that applies it."""

    usage: Usage
    apply: Callable[[ImagorSteps, Arguments], None]
