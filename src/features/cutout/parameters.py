"""The parameters of `cutout`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import ObjectRef
from imaging.errors import InvalidParameter
from imaging.ops.background import BackgroundBucket, check_background, list_background
from imaging.params.color import Backdrop, Color
from imaging.params.model import Params, hint
from imaging.params.types import Length, Position

_PRODUCT_SIDE = 1000
"""Side in pixels of a product square without a size."""
_USUAL_SHADOWS: dict[str, tuple[float, float, float, float]] = {
    "soft": (90.0, 3.0, 3.0, 35.0),
    "contact": (90.0, 0.0, 1.2, 60.0),
    "cast": (330.0, 70.0, 1.5, 35.0),
}
"""Angle in degrees, distance and blur in percent of the subject's longer side, and opacity in percent."""


class Cutout(Params):
    """Remove the background and finish the cut-out: place it, with shadow, outline and background.

    `cutout=product` is a product picture in one word: the subject centred in a white square with a margin and a soft
    shadow. The background is removed by `removeBackground`, whose parameters can be given as well, unless the image has
    transparency of its own and `useAlpha` says so. Percentages of shadow and outline refer to the longer side of the
    subject, and those of the margin to the shorter side of the canvas.
    """

    layout: Annotated[
        Literal["place", "product"],
        Meta(
            description="place: as the other parameters say; product: a square of 1000 pixels unless width or height "
            "is given, white, with a margin of 8 % and a soft shadow unless they are given",
            extra=hint(main=True),
        ),
    ] = "place"
    use_alpha: Annotated[
        bool, Meta(description="Take the transparency of the image as it is, instead of removing the background")
    ] = False
    width: (
        Annotated[int, Meta(ge=1, le=65_535, description="Width of the canvas", extra=hint(unit="px", usual=(1, 2000)))]
        | None
    ) = None
    height: (
        Annotated[
            int, Meta(ge=1, le=65_535, description="Height of the canvas", extra=hint(unit="px", usual=(1, 2000)))
        ]
        | None
    ) = None
    scale: (
        Annotated[
            float,
            Meta(
                ge=1,
                le=400,
                description="Size of the subject, in percent of the largest that fits inside the margin. Default: 100, "
                "or the size that it has if nothing places it",
                extra=hint(unit="%"),
            ),
        ]
        | None
    ) = None
    position: (
        Annotated[
            Position,
            Meta(description="Where the subject is placed inside the margin. Default: center, or where it is"),
        ]
        | None
    ) = None
    margin: Annotated[
        Length | None, Meta(description="Space around the subject on the canvas", extra=hint(unit="px or %"))
    ] = None
    background: Annotated[
        Backdrop | None,
        Meta(
            description="What to show behind the subject: a colour, or the key of an image, which is scaled and "
            "cropped to cover the canvas. Default: transparent"
        ),
    ] = None
    background_bucket: BackgroundBucket | None = None
    background_blur: Annotated[
        Length | None,
        Meta(
            description="Blur the background image by a Gaussian of this deviation, in pixels or in percent of the "
            "shorter side of the canvas. Without a background, it is the image itself without its subject",
            extra=hint(unit="px or %"),
        ),
    ] = None
    shadow: (
        Annotated[
            Literal["none", "soft", "contact", "cast"],
            Meta(
                description="none; soft: a blurred copy of the subject's shape behind it; contact: a dark line where "
                "the subject stands; cast: the shape lying on the ground, away from the light"
            ),
        ]
        | None
    ) = None
    shadow_color: Annotated[Color, Meta(description="Colour of the shadow")] = Color(0, 0, 0)
    shadow_opacity: (
        Annotated[float, Meta(ge=0, le=100, description="Opacity of the shadow", extra=hint(unit="%"))] | None
    ) = None
    shadow_blur: Annotated[
        Length | None, Meta(description="Softness of the shadow's edge", extra=hint(unit="px or %"))
    ] = None
    shadow_angle: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=360,
                description="Direction in which the shadow falls, clockwise: 0 to the right, 90 downwards, 330 to "
                "the right and back",
                extra=hint(unit="°"),
            ),
        ]
        | None
    ) = None
    shadow_distance: Annotated[
        Length | None,
        Meta(description="How far a soft shadow is moved, or how long a cast one is", extra=hint(unit="px or %")),
    ] = None
    outline: Annotated[
        Length | None,
        Meta(description="Width of a line around the subject, such as a sticker's", extra=hint(unit="px or %")),
    ] = None
    outline_color: Annotated[Color, Meta(description="Colour of the outline")] = Color(255, 255, 255)

    def check(self) -> None:
        """Raise InvalidParameter for parameters that would have no effect, and for negative lengths."""
        lengths = {
            "margin": self.margin, "backgroundBlur": self.background_blur, "shadowBlur": self.shadow_blur,
            "shadowDistance": self.shadow_distance, "outline": self.outline,
        }  # fmt: skip
        for name, length in lengths.items():
            if length is not None and length.value < 0:
                raise InvalidParameter(f"cutout.{name}", "0 or more", length)
        if self.margin is not None and self.margin.percent and self.margin.value >= 50:
            raise InvalidParameter("cutout.margin", "below 50 %", self.margin)
        details = (self.shadow_opacity, self.shadow_blur, self.shadow_angle, self.shadow_distance)
        if self.shadow_kind is None and (
            any(each is not None for each in details) or self.shadow_color.rgb != [0, 0, 0]
        ):
            raise InvalidParameter("cutout.shadow", "soft, contact or cast if one of its details is given", self.shadow)
        if self.shadow_kind == "contact" and (self.shadow_angle is not None or self.shadow_distance is not None):
            raise InvalidParameter("cutout.shadow", "soft or cast with an angle or a distance", self.shadow)
        if self.use_alpha and self.background_blur is not None and self.background is None:
            raise InvalidParameter(
                "cutout.backgroundBlur", "given with a background beside useAlpha", self.background_blur
            )
        check_background("cutout", self.background, self.background_bucket)
        if self.background_blur is not None and self.background is not None and not self.refs:
            raise InvalidParameter("cutout.backgroundBlur", "left out with a colour", self.background_blur)

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """The object that holds the background image, if there is one."""
        return list_background(self.background, self.background_bucket)

    @property
    def has_canvas(self) -> bool:
        """Whether the canvas has a size of its own, instead of that of the image."""
        return self.layout == "product" or self.width is not None or self.height is not None

    @property
    def is_placed(self) -> bool:
        """Whether the subject is moved or scaled."""
        given = (self.width, self.height, self.scale, self.position, self.margin)
        return self.layout == "product" or any(each is not None for each in given)

    @property
    def color(self) -> Color | None:
        """The colour of the background, if it is one."""
        if self.background is not None:
            return self.background.color
        is_white = self.layout == "product" and self.background_blur is None
        return Color(255, 255, 255) if is_white else None

    @property
    def margin_length(self) -> Length:
        """The margin, or the usual one."""
        return self.margin or (Length(8, True) if self.layout == "product" and self.margin is None else Length(0))

    @property
    def shadow_kind(self) -> str | None:
        """The kind of the shadow, if there is one."""
        kind = self.shadow or ("soft" if self.layout == "product" else None)
        return None if kind == "none" else kind

    @property
    def shadow_details(self) -> tuple[float, Length, Length, float]:
        """Angle in degrees, distance, blur and opacity in percent, given or usual."""
        angle, distance, blur, opacity = _USUAL_SHADOWS[self.shadow_kind or "soft"]
        return (
            angle if self.shadow_angle is None else self.shadow_angle,
            self.shadow_distance or Length(distance, True),
            self.shadow_blur if self.shadow_blur is not None else Length(blur, True),
            opacity if self.shadow_opacity is None else self.shadow_opacity,
        )

    def canvas(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return width and height of the canvas for an image of that size."""
        if self.layout == "product":
            side = self.width or self.height or _PRODUCT_SIDE
            return self.width or side, self.height or side
        return self.width or size[0], self.height or size[1]
