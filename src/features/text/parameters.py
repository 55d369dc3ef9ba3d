"""The parameters of `text`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta

from imaging.errors import InvalidParameter
from imaging.params.model import Params, hint
from imaging.params.types import Color, Length, Position

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Text(Params):
    """Write a text over the image, on every frame.

    Lines break at `width`. The included fonts cover Latin (with Vietnamese), Greek, Cyrillic, Arabic, Hebrew, the
    scripts of India and South-East Asia, and emoji; a character without a font is a box with its number. Lengths in
    percent refer to the width of the image.
    """

    text: Annotated[
        str, Meta(min_length=1, max_length=1000, description="The text; line breaks are kept", extra=hint(main=True))
    ]
    font: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            pattern=r"^[\w][\w .-]*$",
            description="sans, serif or mono, or the name of a family in FONTS",
        ),
    ] = "sans"
    size: Annotated[
        Length, Meta(description="Height of the letters with their line, 4 to 2000 px", extra=hint(unit="px or %"))
    ] = Length(5, True)
    weight: Annotated[int, Meta(ge=100, le=900, description="Weight of the font: 400 is regular, 700 is bold")] = 400
    italic: Annotated[bool, Meta(description="Use the italic font")] = False
    color: Annotated[Color, Meta(description="Colour of the letters", extra=hint(aliases=("colour",)))] = Color(
        255, 255, 255
    )
    opacity: Annotated[float, Meta(ge=0, le=100, description="Opacity of the whole text", extra=hint(unit="%"))] = 100.0
    align: Annotated[
        Literal["left", "center", "right", "justify"],
        Meta(description="How lines are aligned with each other", extra=hint(synonyms={"centre": "center"})),
    ] = "left"
    width: Annotated[
        Length | None,
        Meta(description="Width at which lines break. Default: 90 % of the image's", extra=hint(unit="px or %")),
    ] = None
    height: Annotated[
        Length | None,
        Meta(
            description="Maximum height of the text: its size is reduced until it fits",
            extra=hint(unit="px or %"),
        ),
    ] = None
    line_height: Annotated[
        float, Meta(ge=0.5, le=4, description="Distance between lines, as a multiple of the font's own")
    ] = 1.0
    background: Annotated[Color | None, Meta(description="Colour of a box behind the text")] = None
    padding: Annotated[Length, Meta(description="Distance of the box from the text", extra=hint(unit="px or %"))] = (
        Length(0)
    )
    radius: Annotated[Length, Meta(description="Radius of the corners of the box", extra=hint(unit="px or %"))] = (
        Length(0)
    )
    stroke: Annotated[Color | None, Meta(description="Colour of the outline of the letters")] = None
    stroke_width: Annotated[float, Meta(gt=0, le=16, description="Width of the outline", extra=hint(unit="px"))] = 2.0
    shadow: Annotated[Color | None, Meta(description="Colour of a shadow of the text, or of its box")] = None
    shadow_blur: Annotated[
        float, Meta(ge=0, le=50, description="Blur of the shadow, as the sigma of a Gaussian", extra=hint(unit="px"))
    ] = 3.0
    shadow_x: Annotated[
        float, Meta(ge=-200, le=200, description="Offset of the shadow to the right", extra=hint(unit="px"))
    ] = 2.0
    shadow_y: Annotated[
        float, Meta(ge=-200, le=200, description="Offset of the shadow downwards", extra=hint(unit="px"))
    ] = 2.0
    rotate: Annotated[float, Meta(ge=-360, le=360, description="Angle, clockwise", extra=hint(unit="°"))] = 0.0
    position: Annotated[Position, Meta(description="Where the text is placed", extra=hint(aliases=("gravity",)))] = (
        Position("bottom")
    )
    x: Annotated[
        Length, Meta(description="Distance from that position, towards the right", extra=hint(unit="px or %"))
    ] = Length(0)
    y: Annotated[
        Length,
        Meta(description="Distance from that position, downwards; percent of the height", extra=hint(unit="px or %")),
    ] = Length(0)
    tile: Annotated[bool, Meta(description="Repeat the text over the whole image")] = False
    gap: Annotated[
        Length, Meta(description="Distance between repetitions, in both directions", extra=hint(unit="px or %"))
    ] = Length(5, True)
    tight: Annotated[
        bool, Meta(description="Place the text by the edges of its letters, without the room of a line above and below")
    ] = False
    markup: Annotated[
        bool, Meta(description="Read Pango markup, such as <b>bold</b> and <span foreground='red'>red</span>")
    ] = False

    def check(self) -> None:
        """Raise InvalidParameter for control characters, and for lengths that must not be negative."""
        if _CONTROL.search(self.text):
            raise InvalidParameter("text.text", "a text without control characters", self.text)
        for name in ("size", "width", "height", "padding", "radius", "gap"):
            length = getattr(self, name)
            if length is not None and (length.value < 0 or (name in ("size", "width", "height") and not length.value)):
                raise InvalidParameter(f"text.{name}", "more than 0", length)
