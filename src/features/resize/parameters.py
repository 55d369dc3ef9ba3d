"""The parameters of resize."""

# There is no `from __future__ import annotations` here: with it, a cold start would compile each annotation twice.

from typing import Annotated, Literal

from msgspec import Meta

from imaging.errors import InvalidParameter
from imaging.ops.geometry import Size
from imaging.params.model import Params, hint
from imaging.params.types import Color, CropPosition, Gravity, Point, Position, Ratio


class Resize(Params):
    """Resize to a width, a height or both; with only one of them the image keeps its aspect ratio."""

    width: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="Width to resize to; 0 or left out: computed from the height",
                extra=hint(unit="px", usual=(0, 2000)),
            ),
        ]
        | None
    ) = None
    height: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="Height to resize to; 0 or left out: computed from the width",
                extra=hint(unit="px", usual=(0, 2000)),
            ),
        ]
        | None
    ) = None
    fit: Annotated[
        Literal["cover", "contain", "fill", "inside", "outside", "cover-ratio", "auto"],
        Meta(
            description="How the image fits a given width and height. cover: fill this size and crop the rest; "
            "contain: fit inside and fill the rest with the background; fill: stretch; inside: at "
            "most this size; outside: at least this size. With rules=imgproxy also cover-ratio: cover, and an image "
            "that is too small is cropped to the aspect ratio; auto: cover if the image is portrait or landscape as "
            "the size is, else inside"
        ),
    ] = "cover"
    position: Annotated[
        CropPosition,
        Meta(
            description="Part that cover keeps, or place where contain puts the image. attention and entropy find"
            " the most interesting part for cover; with any other fit they mean center",
            extra=hint(aliases=("gravity", "strategy")),
        ),
    ] = CropPosition("center")
    focal_point: Annotated[
        Point | None,
        Meta(description="Point that cover keeps, as fractions of the width and the height; replaces position"),
    ] = None
    focal_x: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=1_000_000,
                description="Distance of the focal point from the left edge; requires focalY",
                extra=hint(unit="px"),
            ),
        ]
        | None
    ) = None
    focal_y: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=1_000_000,
                description="Distance of the focal point from the top edge; requires focalX",
                extra=hint(unit="px"),
            ),
        ]
        | None
    ) = None
    background: Annotated[Color, Meta(description="Colour that contain fills the rest with")] = Color(0, 0, 0)
    kernel: Annotated[
        Literal["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3", "mks2013", "mks2021"],
        Meta(description="Interpolation kernel for reducing; enlarging uses the matching interpolator"),
    ] = "lanczos3"
    dpr: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            description="Device pixel ratio: multiplies width and height; from 1 to 5, with rules=imgproxy up to 100",
            extra=hint(usual=(1, 5)),
        ),
    ] = 1.0
    ratio: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=100,
                description="Scale factor of width and height, or of the image's own size if neither is given",
                extra=hint(usual=(0.1, 4)),
            ),
        ]
        | None
    ) = None
    aspect_ratio: Annotated[
        Ratio | None, Meta(description="Ratio of width to height, such as 16:9; computes the side that is not given")
    ] = None
    keep: Annotated[
        Literal["width", "height"] | None,
        Meta(description="Side whose length is kept; replaces the parameter of that side"),
    ] = None
    adaptive: Annotated[
        bool, Meta(description="Swap width and height if the image has the other orientation (portrait or landscape)")
    ] = False
    centred: Annotated[
        bool,
        Meta(
            description="Align the edges of the image when enlarging, as Pillow does; otherwise it can shift by "
            "up to half a pixel"
        ),
    ] = False
    without_enlargement: Annotated[bool, Meta(description="Do not enlarge the image")] = False
    without_reduction: Annotated[bool, Meta(description="Do not reduce the image")] = False
    rules: Annotated[
        Literal["sharp", "imgproxy"],
        Meta(
            description="Whose rules compute the size. imgproxy: an image that may not be enlarged limits dpr and "
            "keeps its aspect ratio; every fit crops to width and height; later steps that have a dpr use the one "
            "that was applied"
        ),
    ] = "sharp"
    anchor: Annotated[
        Gravity | None, Meta(description="Part that is kept, with offsets; replaces position. Needs rules=imgproxy")
    ] = None
    min_width: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="Width that the image has at least before it is cropped. Needs rules=imgproxy",
                extra=hint(unit="px", usual=(0, 2000)),
            ),
        ]
        | None
    ) = None
    min_height: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="Height that the image has at least before it is cropped. Needs rules=imgproxy",
                extra=hint(unit="px", usual=(0, 2000)),
            ),
        ]
        | None
    ) = None
    zoom_x: Annotated[
        float,
        Meta(
            gt=0,
            le=1000,
            description="Factor of the width, after fitting. Needs rules=imgproxy",
            extra=hint(usual=(0.1, 4)),
        ),
    ] = 1.0
    zoom_y: Annotated[
        float,
        Meta(
            gt=0,
            le=1000,
            description="Factor of the height, after fitting. Needs rules=imgproxy",
            extra=hint(usual=(0.1, 4)),
        ),
    ] = 1.0
    extended: Annotated[
        bool,
        Meta(
            description="A later extend fills width and height, so a dpr below 1 reduces a small image too. Needs "
            "rules=imgproxy"
        ),
    ] = False

    def check(self) -> None:
        """Raise InvalidParameter for parameters that contradict each other.

        An aspect ratio needs exactly one side; a focal point needs `fit=cover` and the default position.
        """
        self._check_rules()
        if (self.focal_x is None) != (self.focal_y is None):
            raise InvalidParameter("resize.focalX", "given together with focalY", self.focal_x)
        if self.focal_point and self.focal_x is not None:
            raise InvalidParameter("resize.focalPoint", "left out with focalX and focalY", self.focal_point)
        if self.keep and getattr(self, self.keep):
            raise InvalidParameter(f"resize.{self.keep}", f"left out with keep={self.keep}", getattr(self, self.keep))
        if self.aspect_ratio and bool(self.width) == bool(self.height):
            raise InvalidParameter("resize.aspectRatio", "given with either width or height", self.aspect_ratio)
        name, focal = ("focalPoint", self.focal_point) if self.focal_point else ("focalX", self.focal_x)
        if focal is not None and self.fit != "cover":
            raise InvalidParameter(f"resize.{name}", f"left out with fit {self.fit}", focal)
        if focal is not None and self.position != "center":
            raise InvalidParameter(f"resize.{name}", "left out with a position", focal)

    def kept_part(self, full: Size) -> Position | Point:
        """Return the position or point that cover keeps of an image of this size."""
        if self.focal_x is not None and self.focal_y is not None:
            return Point(min(1.0, self.focal_x / full[0]), min(1.0, self.focal_y / full[1]))
        return self.focal_point or self.position

    def _check_rules(self) -> None:
        """Raise InvalidParameter for a parameter or a value that only the other rules have."""
        is_imgproxy = self.rules == "imgproxy"
        expected = "left out with rules=imgproxy" if is_imgproxy else "given with rules=imgproxy"
        for name, default in zip(self.__struct_fields__, self.__struct_defaults__, strict=True):
            if name in (_OF_SHARP if is_imgproxy else _OF_IMGPROXY) and (getattr(self, name) or None) != (
                default or None
            ):
                raise InvalidParameter(f"resize.{_PUBLIC[name]}", expected, getattr(self, name))
        if self.fit in (("contain", "outside") if is_imgproxy else ("cover-ratio", "auto")):
            raise InvalidParameter("resize.fit", expected, self.fit)
        if not is_imgproxy and not 1 <= self.dpr <= 5:
            raise InvalidParameter("resize.dpr", "a number from 1 to 5", self.dpr)


_OF_SHARP = frozenset(
    ("focal_point", "focal_x", "focal_y", "ratio", "aspect_ratio", "keep", "adaptive", "without_reduction", "position")
)
_OF_IMGPROXY = frozenset(("anchor", "min_width", "min_height", "zoom_x", "zoom_y", "extended"))
_PUBLIC = dict(zip(Resize.__struct_fields__, Resize.__struct_encode_fields__, strict=True))
