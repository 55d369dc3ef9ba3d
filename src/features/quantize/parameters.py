"""The parameters of `quantize`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.errors import InvalidParameter
from imaging.params.model import Params, hint

_DIFFERENCE, _MIN_COLORS, _MAX_COLORS = 4.0, 8, 32
"""Defaults; docs/quantize.md explains them."""


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
        """The mean CIEDE2000 difference at which the search ends."""
        return self.difference or _DIFFERENCE

    @property
    def fewest(self) -> int:
        """The smallest number of colours that the criterion may find."""
        return self.min_colors or _MIN_COLORS

    @property
    def largest(self) -> int:
        """The largest number of colours that the criterion may find."""
        return self.max_colors or _MAX_COLORS

    def check(self) -> None:
        """Raise InvalidParameter for parameters that would have no effect, or for contradictory ones."""
        found_by = {"difference": self.difference, "minColors": self.min_colors, "maxColors": self.max_colors}
        if self.colors is not None:
            _refuse_given({"criterion": self.criterion, **found_by}, f"colors={self.colors}")
        if self.criterion == "silhouette":
            _refuse_given({"difference": self.difference}, "criterion=silhouette")
        if self.fewest > self.largest:
            raise InvalidParameter("quantize.minColors", f"at most maxColors, {self.largest}", self.fewest)


def _refuse_given(parameters: dict[str, object], other: str) -> None:
    """Raise InvalidParameter if one of the parameters is given, which `other` excludes."""
    for field, got in parameters.items():
        if got is not None:
            raise InvalidParameter(f"quantize.{field}", f"left out with {other}", got)
