"""What steps decide by themselves, before anything is decoded: whether a picture may leave at all."""

from __future__ import annotations

from collections.abc import Sequence

from imaging.context import Context
from imaging.pipeline.feature import Decision, Step


def decide_all(steps: Sequence[Step], context: Context) -> Decision:
    """Ask every step that decides; Rejected before any report. Steps that have nothing to do are left out."""
    decisions = [_of(step, context) for step in steps]
    return Decision(
        steps=tuple(step for decision in decisions for step in decision.steps),
        etag_parts=tuple(word for decision in decisions for word in decision.etag_parts),
        report=next((decision.report for decision in decisions if decision.report is not None), None),
        is_cacheable=all(decision.is_cacheable for decision in decisions),
    )


def _of(step: Step, context: Context) -> Decision:
    return step.feature.decide(step.params, context) if step.feature.decide else Decision((step,))
