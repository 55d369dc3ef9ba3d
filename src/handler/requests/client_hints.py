"""Client hints: what a browser sends about its screen where the operator asks for it (CLIENT_HINTS).

The headers are those of the HTML standard and of https://wicg.github.io/responsive-image-client-hints.
"""

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
_MAX_DPR = 5.0
_MAX_SIDE = 65_535
_DPR_STEPS = 4
"""The pixel ratio is rounded to a quarter, so that not every zoom level of a browser is a variant of its own."""


class Hints(msgspec.Struct, frozen=True):
    """The hints of one request."""

    dpr: float | None = None
    """Device pixels for each CSS pixel, from 1 to 5."""
    width: int | None = None
    """The width of the image on the page, in device pixels."""

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> Hints:
        """Parse headers, whose names are in lower case. A header that is malformed counts as absent."""
        dpr, width = headers.get("sec-ch-dpr", ""), headers.get("sec-ch-width", "")
        return cls(
            dpr=min(_MAX_DPR, max(1.0, round(float(dpr) * _DPR_STEPS) / _DPR_STEPS)) if _DPR.fullmatch(dpr) else None,
            width=int(width) if _WIDTH.fullmatch(width) and int(width) <= _MAX_SIDE else None,
        )

    def apply_to(self, recipe: Recipe) -> Recipe:
        """Return the recipe with what it leaves open: the pixel ratio of its sizes, or the width if it has no resize.

        A recipe that sets `resize.dpr` itself stays as it is.
        """
        resizes = [step.params for step in recipe.steps if step.feature.name == "resize"]
        if not resizes:
            return self._add_width(recipe)
        if self.dpr is None or any(getattr(params, "dpr", 1.0) != 1.0 for params in resizes):
            return recipe
        return msgspec.structs.replace(recipe, steps=tuple(map(self._multiply_size, recipe.steps)))

    def _multiply_size(self, step: Step) -> Step:
        """Return the step with a size in device pixels, if it has a size at all."""
        if step.feature.name not in ("resize", "fill") or self.dpr is None:
            return step
        sides = {name: side for name in ("width", "height") if (side := getattr(step.params, name))}
        if not sides:
            return step
        if step.feature.name == "resize":
            return step._replace(params=msgspec.structs.replace(step.params, dpr=self.dpr))
        # `fill` has no parameter for the ratio.
        larger = {name: min(_MAX_SIDE, round(side * self.dpr)) for name, side in sides.items()}
        return step._replace(params=msgspec.structs.replace(step.params, **larger))

    def _add_width(self, recipe: Recipe) -> Recipe:
        """Return the recipe with a resize to the hinted width, unless it ends with a report instead of an image."""
        if self.width is None or any(step.is_report for step in recipe.steps):
            return recipe
        resize = by_name("resize")
        params = check(resize.params, {"width": self.width, "withoutEnlargement": True})
        return recipe.over(Recipe((Step(resize, params),)))
