"""Reduce the colours of a picture, or report them; docs/quantize.md tells how they are chosen."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import InvalidParameter
from imaging.params.model import Params, hint
from imaging.picture import Picture, Report
from imaging.pipeline.feature import feature

_DIFFERENCE, _LEAST, _MOST = 4.0, 8, 32
"""Where nothing else is asked for; docs/quantize.md."""


class Quantize(Params):
    """Reduce the image to a few colours, chosen by k-means, or report these colours as JSON."""

    colors: (
        Annotated[
            int,
            Meta(
                ge=2,
                le=256,
                description="Maximum number of colours. Default: as many as the criterion finds",
                extra=hint(main=True, synonyms={"auto": ""}),
            ),
        ]
        | None
    ) = None
    criterion: (
        Annotated[
            Literal["difference", "silhouette"],
            Meta(
                description="How the number of colours is found. difference (default): the fewest whose mean "
                "difference from the image is small enough; silhouette: the number that separates the "
                "pixels best, which is nearly always the minimum"
            ),
        ]
        | None
    ) = None
    difference: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=50,
                description="Largest mean colour difference that is small enough, by CIEDE2000, where 1 is just "
                "visible. Default: 4",
            ),
        ]
        | None
    ) = None
    min_colors: (
        Annotated[
            int, Meta(ge=2, le=256, description="Smallest number of colours that the criterion may find. Default: 8")
        ]
        | None
    ) = None
    max_colors: (
        Annotated[
            int, Meta(ge=2, le=256, description="Largest number of colours that the criterion may find. Default: 32")
        ]
        | None
    ) = None
    dither: Annotated[
        bool, Meta(description="Dither (Floyd-Steinberg): looks closer to the original, in a larger file")
    ] = False
    palette: Annotated[bool, Meta(description="Return the colours and their shares as JSON instead of an image")] = (
        False
    )

    @property
    def close_enough(self) -> float:
        """Mean CIEDE2000 that ends the search."""
        return self.difference or _DIFFERENCE

    @property
    def least(self) -> int:
        """Of what the criterion may find."""
        return self.min_colors or _LEAST

    @property
    def most(self) -> int:
        return self.max_colors or _MOST

    def check(self) -> None:
        """A given number leaves nothing to find; a silhouette knows no difference that is close enough."""
        found_by = {"difference": self.difference, "minColors": self.min_colors, "maxColors": self.max_colors}
        if self.colors is not None:
            _left_out({"criterion": self.criterion, **found_by}, f"colors={self.colors}")
        if self.criterion == "silhouette":
            _left_out({"difference": self.difference}, "criterion=silhouette")
        if self.least > self.most:
            raise InvalidParameter("quantize.minColors", f"at most maxColors, {self.most}", self.least)


def _left_out(given: dict[str, object], beside: str) -> None:
    for field, got in given.items():
        if got is not None:
            raise InvalidParameter(f"quantize.{field}", f"left out with {beside}", got)


def _cost(requested: Quantize, _shape: Shape) -> Cost:
    tries = 0.015 * (requested.most - requested.least) if requested.criterion == "silhouette" else 0.1
    return Cost(0.05, 12, base_seconds=tries)


@feature(Quantize, group="colour", cost=_cost, reads="whole", report=lambda requested: requested.palette)
def quantize(picture: Picture, requested: Quantize, context: Context) -> Picture | Report:
    # numpy and Pillow, which most requests never need
    from features.quantize._choice import chosen  # noqa: PLC0415 - no other feature needs it
    from features.quantize._mapping import mapped, report  # noqa: PLC0415 - no other feature needs it
    from features.quantize._pixels import Pixels  # noqa: PLC0415 - no other feature needs it

    picture = picture.taking(_memory(picture, dither=requested.dither))
    pixels = Pixels.of(picture)
    choice = chosen(pixels, requested, context.deadline)
    if requested.palette:
        return report(pixels, choice, context.deadline)
    return mapped(picture, pixels, choice.palette, dither=requested.dither, deadline=context.deadline)


def _memory(picture: Picture, *, dither: bool) -> int:
    """Bytes: all pixels and their indices; and one frame as Pillow needs it to dither."""
    frame = picture.width * picture.height
    return frame * picture.frames * (picture.image.bands + 1) + (8 * frame if dither else 0)
