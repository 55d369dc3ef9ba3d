"""Collects what a path becomes, for dialects whose filters are steps in the order in which they are written."""

from __future__ import annotations

from features import by_name, feature_names
from imaging import InvalidParameter, Output, Step, check


class StepCollector:
    """Collects steps, output options and headers while a path is interpreted."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.output: dict[str, object] = {}
        self.headers: dict[str, str] = {}

    def add(self, where: str, feature: str, **params: object) -> None:
        """Add a step with checked parameters. Raise InvalidParameter.

        `where` names the part of the path that the step comes from, such as `filters:blur`, for the message.
        """
        if feature not in feature_names():
            raise InvalidParameter(where, f"left out, because this version has no feature `{feature}`", where)
        known = by_name(feature)
        self.steps.append(Step(known, check(known.params, params, where=where)))

    def set_output(self, where: str, **options: object) -> None:
        """Set output options, checked. Raise InvalidParameter."""
        check(Output, options, where=where)
        self.output.update(options)
