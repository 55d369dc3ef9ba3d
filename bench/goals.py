"""The goals that a run of the bench is judged by, and what it reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """One figure of a run beside its goal."""

    part: str
    what: str
    figure: float
    goal: float
    is_least: bool = False
    """Whether the figure must be at least the goal; else at most."""

    @property
    def is_reached(self) -> bool:
        return self.figure >= self.goal if self.is_least else self.figure <= self.goal

    @property
    def verdict(self) -> str:
        return "reached" if self.is_reached else "missed"


_NOTED: list[Goal] = []


def note(part: str, what: str, figure: float, goal: float, *, is_least: bool = False) -> str:
    """Note a figure for the table of all goals. Return the verdict on it."""
    noted = Goal(part, what, figure, goal, is_least)
    _NOTED.append(noted)
    return noted.verdict


def table() -> Iterator[str]:
    """Yield the lines of the table of all goals that were noted."""
    reached = sum(goal.is_reached for goal in _NOTED)
    yield ""
    yield f"## Goals: {reached} of {len(_NOTED)} reached"
    yield ""
    yield "| part | what | figure | goal | |"
    yield "|---|---|---|---|---|"
    for each in _NOTED:
        bound = "at least" if each.is_least else "at most"
        verdict = each.verdict if each.is_reached else f"**{each.verdict}**"
        yield f"| {each.part} | {each.what} | {each.figure:.3f} | {bound} {each.goal:g} | {verdict} |"
