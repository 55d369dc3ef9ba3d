"""Decisions that steps make before the original is decoded, such as whether moderation lets the image pass."""

from __future__ import annotations

from collections.abc import Sequence

from imaging.context import Context
from imaging.pipeline.feature import Decision, Step


def decide_all(steps: Sequence[Step], context: Context) -> Decision:
    """Ask every step that decides, and combine the decisions. Raises Rejected before any report is returned."""
    decisions = [
        step.feature.decide(step.params, context) if step.feature.decide else Decision((step,)) for step in steps
    ]
    return Decision(
        steps=tuple(step for decision in decisions for step in decision.steps),
        etag_parts=tuple(part for decision in decisions for part in decision.etag_parts),
        report=next((decision.report for decision in decisions if decision.report is not None), None),
        is_cacheable=all(decision.is_cacheable for decision in decisions),
    )
