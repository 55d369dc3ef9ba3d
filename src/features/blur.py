"""Blur the whole picture."""

from __future__ import annotations

import math
from typing import Annotated

import pyvips
from msgspec import Meta

from features._alpha import premultiplied
from features._feature import Params, feature, hint
from features._picture import Picture
from features._ports import Context

_LARGE = 32.0
"""From this sigma on a reduced copy is blurred: libvips' time grows with sigma, beyond 200 out of all bounds."""
_REDUCED = 8.0
"""Sigma, about, on that copy."""


class Blur(Params):
    """Blur the whole picture."""

    sigma: (
        Annotated[
            float,
            Meta(
                ge=0.3,
                le=1000,
                description="Sigma of the Gaussian; nothing: a mild blur of 3 x 3 pixels",
                extra=hint(main=True, unit="px"),
            ),
        ]
        | None
    ) = None


@feature(Blur, group="effect")
def blur(picture: Picture, wanted: Blur, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.each_frame(lambda frame: premultiplied(frame, lambda image: _blurred(image, wanted.sigma)))


def _blurred(image: pyvips.Image, sigma: float | None) -> pyvips.Image:
    if sigma is None:
        return image.conv(pyvips.Image.new_from_array([[1, 1, 1]] * 3, scale=9), precision="integer")
    # Beyond five times the longer side next to nothing is left but the mean of the edges.
    sigma = min(sigma, 5.0 * max(image.width, image.height))
    return image.gaussblur(sigma) if sigma < _LARGE else _blurred_small(image, sigma)


def _blurred_small(image: pyvips.Image, sigma: float) -> pyvips.Image:
    """The blur of a reduced copy, enlarged again: on average less than 1/255 from the blur itself."""
    factor = int(sigma / _REDUCED)
    margin = math.ceil(2 * sigma / factor) * factor
    size = (image.width + 2 * margin, image.height + 2 * margin)
    small = image.embed(margin, margin, *size, extend="copy").shrink(factor, factor, ceil=True)
    blurred = small.gaussblur(sigma / factor, precision="float").resize(factor, kernel="linear")
    return blurred.crop(margin, margin, image.width, image.height).rint().cast(image.format)
