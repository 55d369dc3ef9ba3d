"""How much a run measures: all of it, or with `--brief` as little as every row of its tables can be computed from."""

from __future__ import annotations

_BRIEF_SECONDS = 0.4
_is_brief: list[bool] = [False]


def be_brief() -> None:
    """Measure as little as possible from now on: the figures say nothing, but each of them is there."""
    _is_brief[0] = True


def rounds(usual: int) -> int:
    """Return how often something is measured."""
    return 1 if _is_brief[0] else usual


def seconds(usual: float) -> float:
    """Return for how long something is measured."""
    return min(usual, _BRIEF_SECONDS) if _is_brief[0] else usual
