"""Reduce the colours of a picture, or report them; docs/quantize.md tells how they are chosen."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from features._errors import InvalidParameter
from features._feature import Params, feature, hint
from features._picture import Picture, Report
from features._ports import Context


class Quantize(Params):
    """Reduce the picture to a few colours, chosen by k-means, or report in JSON which those would be."""

    colors: (
        Annotated[
            int,
            Meta(
                ge=2,
                le=256,
                description="At most so many colours; nothing: as many as the criterion finds",
                extra=hint(main=True, synonyms={"auto": ""}),
            ),
        ]
        | None
    ) = None
    criterion: Annotated[
        Literal["difference", "silhouette"],
        Meta(
            description="How the number is found: difference takes the fewest colours that stay close enough to the "
            "picture; silhouette those that part its pixels best, which is nearly always the least number"
        ),
    ] = "difference"
    difference: Annotated[
        float,
        Meta(gt=0, le=50, description="Mean colour difference that is close enough, CIEDE2000; 1 is just visible"),
    ] = 4.0
    min_colors: Annotated[int, Meta(ge=2, le=256, description="Least number that the criterion may find")] = 8
    max_colors: Annotated[int, Meta(ge=2, le=256, description="Largest number that the criterion may find")] = 32
    dither: Annotated[
        bool, Meta(description="Mix the colours finely (Floyd-Steinberg): closer to the picture, larger files")
    ] = False
    palette: Annotated[bool, Meta(description="Answer the colours and their shares in JSON, not a picture")] = False

    def check(self) -> None:
        if self.min_colors > self.max_colors:
            raise InvalidParameter("quantize.minColors", f"at most maxColors, {self.max_colors}", self.min_colors)


@feature(Quantize, group="colour", report=lambda wanted: wanted.palette)
def quantize(picture: Picture, wanted: Quantize, context: Context) -> Picture | Report:
    # numpy and Pillow, which most requests never need
    from features.quantize._choice import chosen  # noqa: PLC0415
    from features.quantize._mapping import mapped, report  # noqa: PLC0415
    from features.quantize._pixels import Pixels  # noqa: PLC0415

    picture = picture.taking(_memory(picture, dither=wanted.dither))
    pixels = Pixels.of(picture)
    choice = chosen(pixels, wanted, context.deadline)
    if wanted.palette:
        return report(pixels, choice, context.deadline)
    return mapped(picture, pixels, choice.palette, dither=wanted.dither, deadline=context.deadline)


def _memory(picture: Picture, *, dither: bool) -> int:
    """Bytes: all pixels and their indices; and one frame as Pillow needs it to dither."""
    frame = picture.width * picture.height
    return frame * picture.frames * (picture.image.bands + 1) + (8 * frame if dither else 0)
