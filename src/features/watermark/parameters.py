"""The parameters of `watermark`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import ADDRESS, ObjectRef
from imaging.errors import InvalidParameter
from imaging.params.model import Params, hint
from imaging.params.types import Color, Gravity, Length, Position


class Watermark(Params):
    """Place another image over the image, on every frame.

    With `width` and `height` the overlay fits inside both. With neither it has its own size, reduced if it is
    larger than the image.
    """

    key: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=1024,
                description="Key of the overlay, unless address is given",
                extra=hint(main=True),
            ),
        ]
        | None
    ) = None
    address: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=8000,
                description="Address of this service to use as the overlay, with edits of its own, such as "
                "/logo.png?width=200&rotate=10: a path with parameters, in any URL language, without output options",
            ),
        ]
        | None
    ) = None
    bucket: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                description="Source that the overlay is read from. Default: the first source",
            ),
        ]
        | None
    ) = None
    position: Annotated[Position, Meta(description="Where the overlay is placed", extra=hint(aliases=("gravity",)))] = (
        Position("center")
    )
    left: Annotated[
        Length | None,
        Meta(
            description="Distance from the left edge or, if negative, from the right edge; replaces the "
            "horizontal position",
            extra=hint(unit="px or %"),
        ),
    ] = None
    top: Annotated[
        Length | None,
        Meta(
            description="Distance from the top edge or, if negative, from the bottom edge; replaces the vertical "
            "position",
            extra=hint(unit="px or %"),
        ),
    ] = None
    width: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=100,
                description="Width relative to the image's; its aspect ratio is kept",
                extra=hint(unit="%"),
            ),
        ]
        | None
    ) = None
    height: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=100,
                description="Height relative to the image's; its aspect ratio is kept",
                extra=hint(unit="%"),
            ),
        ]
        | None
    ) = None
    box_width: Annotated[
        Length | None,
        Meta(
            description="Width of the box that the overlay is resized to, in pixels or relative to the image's width; "
            "replaces width and height",
            extra=hint(unit="px or %"),
        ),
    ] = None
    box_height: Annotated[
        Length | None,
        Meta(
            description="Height of that box, in pixels or relative to the image's height; left out: computed from the "
            "width",
            extra=hint(unit="px or %"),
        ),
    ] = None
    box_fit: Annotated[
        Literal["inside", "contain", "cover", "fill"],
        Meta(
            description="How the overlay fits the box. inside: at most this size, and never enlarged; contain: as "
            "large as fits; cover: fill it and cut off the rest; fill: stretch"
        ),
    ] = "inside"
    anchor: Annotated[
        Gravity | None,
        Meta(
            description="Where the overlay is placed in imgproxy's words, such as soea:10:20, and by its rules: "
            "replaces position, left and top, keeps the size of a larger overlay and enlarges a smaller one to the "
            "width and height"
        ),
    ] = None
    gap_x: Annotated[
        float,
        Meta(ge=0, le=65_535, description="Gap between tiles, horizontally", extra=hint(unit="px", usual=(0, 200))),
    ] = 0.0
    gap_y: Annotated[
        float,
        Meta(ge=0, le=65_535, description="Gap between tiles, vertically", extra=hint(unit="px", usual=(0, 200))),
    ] = 0.0
    dpr: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            description="Device pixel ratio: multiplies gaps and the offsets of the anchor. Behind a resize with "
            "rules=imgproxy the ratio that was applied counts",
            extra=hint(usual=(1, 5)),
        ),
    ] = 1.0
    tile: Annotated[bool, Meta(description="Repeat the overlay over the whole image")] = False
    chessboard: Annotated[
        bool, Meta(description="With tile: leave out every other copy, like the fields of one colour of a chessboard")
    ] = False
    rotate: Annotated[
        float, Meta(ge=-360, le=360, description="Angle of the overlay, clockwise", extra=hint(unit="°"))
    ] = 0.0
    shadow: Annotated[Color | None, Meta(description="Colour of a shadow of the overlay")] = None
    shadow_blur: Annotated[
        float, Meta(ge=0, le=50, description="Blur of the shadow, as the sigma of a Gaussian", extra=hint(unit="px"))
    ] = 3.0
    shadow_x: Annotated[
        float, Meta(ge=-200, le=200, description="Offset of the shadow to the right", extra=hint(unit="px"))
    ] = 2.0
    shadow_y: Annotated[
        float, Meta(ge=-200, le=200, description="Offset of the shadow downwards", extra=hint(unit="px"))
    ] = 2.0
    repeat: (
        Annotated[
            Literal["x", "y"],
            Meta(description="Repeat the overlay from one edge to the other along one axis, in equal distances"),
        ]
        | None
    ) = None
    dense: Annotated[
        bool, Meta(description="With repeat: leave no gap between the copies, and cut off the last one at the edge")
    ] = False
    opacity: Annotated[
        float,
        Meta(ge=0, le=100, description="Opacity of the overlay; 0: invisible, 100: unchanged", extra=hint(unit="%")),
    ] = 100.0
    blend: Annotated[
        Literal[
            "over", "multiply", "screen", "overlay", "darken", "lighten", "colour-dodge", "colour-burn", "hard-light",
            "soft-light", "difference", "exclusion", "add", "saturate", "clear", "source", "in", "out", "atop", "dest",
            "dest-over", "dest-in", "dest-out", "dest-atop", "xor",
        ],
        Meta(
            description="Blend mode of the overlay",
            extra=hint(synonyms={"color-dodge": "colour-dodge", "color-burn": "colour-burn"}),
        ),
    ] = "over"  # fmt: skip

    def check(self) -> None:
        """Raise InvalidParameter for no overlay or two, for gaps without tiles, and for an anchor that searches."""
        if not self.key and not self.address:
            raise InvalidParameter("watermark.key", "given, or watermark.address", None)
        if self.address and (self.key or self.bucket):
            name = "key" if self.key else "bucket"
            raise InvalidParameter(f"watermark.{name}", "left out with watermark.address", getattr(self, name))
        if (self.gap_x or self.gap_y) and not self.tile:
            raise InvalidParameter("watermark.gapX", "left out without tile", self.gap_x)
        if self.chessboard and not self.tile:
            raise InvalidParameter("watermark.chessboard", "left out without tile", self.chessboard)
        if self.anchor and self.anchor.searches:
            raise InvalidParameter("watermark.anchor", "another one than sm", self.anchor)
        for name, length in (("boxWidth", self.box_width), ("boxHeight", self.box_height)):
            if length and length.value <= 0:
                raise InvalidParameter(f"watermark.{name}", "more than 0", length)
            if length and (self.width or self.height):
                raise InvalidParameter(f"watermark.{name}", "left out with width or height", length)

    @property
    def ref(self) -> ObjectRef:
        """The object that holds the overlay."""
        return ObjectRef(ADDRESS, self.address) if self.address else ObjectRef(self.bucket or "", self.key or "")
