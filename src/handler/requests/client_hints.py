"""Client hints: what a browser tells of its screen, where the operator asks for it (CLIENT_HINTS)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from features import by_name
from handler.requests.parsed_request import Recipe
from imaging import Step, check

HEADERS = ("Sec-CH-DPR", "Sec-CH-Width")
_DPR = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,6})?")
_WIDTH = re.compile(r"[1-9][0-9]{0,4}")
_STEP = 4
"""A density counts to a quarter, so that not every zoom of a browser makes another picture."""


class Hints(msgspec.Struct, frozen=True):
    """Device pixels for each pixel of the page, and how many of them the picture is wide there."""

    dpr: float | None = None
    width: int | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Hints:
        """From headers by lower-case name; what cannot be read says nothing."""
        dpr, width = headers.get("sec-ch-dpr", ""), headers.get("sec-ch-width", "")
        return cls(
            dpr=min(5.0, max(1.0, round(float(dpr) * _STEP) / _STEP)) if _DPR.fullmatch(dpr) else None,
            width=int(width) if _WIDTH.fullmatch(width) and int(width) <= 65_535 else None,
        )

    def on(self, recipe: Recipe) -> Recipe:
        """The recipe with what it leaves open: the density of its sizes, the width where nothing resizes."""
        resizes = [step.params for step in recipe.steps if step.feature.name == "resize"]
        if not resizes:
            return self._resized(recipe)
        if self.dpr is None or any(getattr(params, "dpr", 1.0) != 1.0 for params in resizes):
            return recipe
        return msgspec.structs.replace(recipe, steps=tuple(map(self._denser, recipe.steps)))

    def _denser(self, step: Step) -> Step:
        """A size in pixels of the page, in pixels of the device."""
        sides = _sides(step)
        if not sides or self.dpr is None:
            return step
        if step.feature.name == "resize":
            return step._replace(params=msgspec.structs.replace(step.params, dpr=self.dpr))
        larger = {name: min(65_535, round(side * self.dpr)) for name, side in sides.items()}
        return step._replace(params=msgspec.structs.replace(step.params, **larger))

    def _resized(self, recipe: Recipe) -> Recipe:
        if self.width is None or any(step.is_report for step in recipe.steps):
            return recipe
        resize = by_name("resize")
        requested = check(resize.params, {"width": self.width, "withoutEnlargement": True})
        return recipe.over(Recipe((Step(resize, requested),)))


def _sides(step: Step) -> dict[str, int]:
    """The sides that a size names."""
    if step.feature.name not in ("resize", "fill"):
        return {}
    return {name: side for name in ("width", "height") if (side := getattr(step.params, name))}
