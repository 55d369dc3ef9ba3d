"""What a path becomes: steps in order, output options and headers."""

from __future__ import annotations

from features import by_name, feature_names
from imaging import InvalidParameter, Output, Step, check


class StepBuilder:
    """Collects the steps."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.output: dict[str, object] = {}
        self.headers: dict[str, str] = {}

    def add(self, where: str, feature: str, **parameters: object) -> None:
        """A step, its parameters checked; `where` is the part of the path that asks for it. InvalidParameter."""
        if feature not in feature_names():
            raise InvalidParameter(where, f"left out: this version has no `{feature}`", "it")
        known = by_name(feature)
        self.steps.append(Step(known, check(known.params, parameters, where=where)))

    def write(self, where: str, **options: object) -> None:
        """Options of the output, checked. InvalidParameter."""
        check(Output, options, where=where)
        self.output.update(options)
