"""Stretch the lightness to the full range, from black to white."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Normalise(Params):
    """Stretch the lightness to the full range, from black to white."""

    lower: Annotated[
        float, Meta(ge=0, le=99, description="Percentile of the lightness that becomes black", extra=hint(unit="%"))
    ] = 1.0
    upper: Annotated[
        float, Meta(ge=1, le=100, description="Percentile of the lightness that becomes white", extra=hint(unit="%"))
    ] = 99.0

    def check(self) -> None:
        """Raise InvalidParameter unless lower is below upper."""
        if self.lower >= self.upper:
            raise InvalidParameter("normalise.lower", f"below upper, {self.upper:g}", self.lower)


@feature(Normalise, group="colour", cost=each_pixel(0.08, 4), reads="whole")
def normalise(picture: Picture, requested: Normalise, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    picture = picture.materialized()

    def stretch(image: pyvips.Image) -> pyvips.Image:
        lab = image.colourspace("lab")
        lightness = lab[0]
        # The limits are whole numbers of CIELAB lightness, as in sharp.
        low = int(_extreme(lightness, "min") if requested.lower == 0 else lightness.percent(requested.lower))
        high = int(_extreme(lightness, "max") if requested.upper == 100 else lightness.percent(requested.upper))
        if high - low <= 1:
            return image
        factor = 100 / (high - low)
        spread = lightness.linear([factor], [-low * factor]).bandjoin(lab[1:])
        return spread.copy(interpretation="lab").colourspace(image.interpretation)

    return picture.with_image(beside_alpha(picture.image, stretch))


def _extreme(image: pyvips.Image, which: str) -> float:
    """Return the lowest (min) or the highest (max) level."""
    statistics = image.stats().tolist()
    return float(statistics[0][0 if which == "min" else 1])
