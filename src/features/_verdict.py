"""What steps decide by themselves, before anything is decoded: whether a picture may leave at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from features._picture import Report
from features._ports import Context

if TYPE_CHECKING:
    from features._feature import Step


class Verdict(msgspec.Struct, frozen=True):
    """What one step, or all of them, decided."""

    steps: tuple[Step, ...] = ()
    """What is left to do."""
    says: tuple[str, ...] = ()
    """Why: part of what names the answer."""
    report: Report | None = None
    """An answer in place of a picture."""
    is_certain: bool = True
    """Otherwise the next request may be answered differently, and nobody may keep this answer."""


def decided(steps: Sequence[Step], context: Context) -> Verdict:
    """Ask every step that decides; Rejected before any report. Steps that have nothing to do are left out."""
    verdicts = [_of(step, context) for step in steps]
    return Verdict(
        steps=tuple(step for verdict in verdicts for step in verdict.steps),
        says=tuple(word for verdict in verdicts for word in verdict.says),
        report=next((verdict.report for verdict in verdicts if verdict.report is not None), None),
        is_certain=all(verdict.is_certain for verdict in verdicts),
    )


def _of(step: Step, context: Context) -> Verdict:
    return step.feature.decide(step.params, context) if step.feature.decide else Verdict((step,))
