"""Set a text: from characters to the coverage of each pixel, by Pango."""

from __future__ import annotations

import math
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pyvips

from features.text.parameters import Text
from imaging.errors import InvalidParameter, TooLarge
from imaging.fonts import FAMILIES, has_family, use_shipped_fonts

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""

_ALIGN = {"left": "low", "center": "centre", "right": "high", "justify": "low"}
MIN_SIZE = 4.0
"""Pixels. Smaller letters have no shape; those of one pixel have no pixels."""
_TRIES = 7
"""Steps of the search for the size that fits a height; each halves what is left."""
_TAGS = frozenset(["b", "i", "u", "s", "sub", "sup", "small", "tt", "span"])
_ATTRIBUTES = frozenset(
    ["foreground", "color", "background", "weight", "style", "underline", "strikethrough", "alpha", "bgalpha"]
)
"""What markup may contain. Attributes that change the size would let a short text take any memory."""


class Letters(NamedTuple):
    """A text as pixels, and its place in the box of its lines."""

    image: Image
    """Coverage from 0 to 255 in one band; with markup sRGB and alpha, because markup may contain colours."""
    top: int
    """Where the image begins in the box. Lines are equally high, whichever letters they have, so that texts align."""
    box: tuple[int, int]
    """Width and height of the box."""


def set_text(requested: Text, size: float, width: int, height: int | None) -> Letters:
    """Return the text with lines of at most `width` pixels, in letters of `size` pixels or as small as `height` needs.

    Raises InvalidParameter for markup that Pango cannot read and if no size fits, TooLarge for a text that is too high.
    """
    use_shipped_fonts()
    content = _checked_markup(requested.text) if requested.markup else escape(requested.text, quote=False)
    letters = _set(content, requested, size, width)
    if height is None and letters is None:
        raise TooLarge("a text may be 32767 pixels high, this one would be higher")
    if letters is not None and (height is None or _fits(letters, width, height)):
        return letters
    best, smallest, largest = None, min(MIN_SIZE, size), size
    for _ in range(_TRIES):
        middle = (smallest + largest) / 2
        letters = _set(content, requested, middle, width)
        if letters is not None and _fits(letters, width, height or 0):
            best, smallest = letters, middle
        else:
            largest = middle
    if best is None:
        raise InvalidParameter("text.height", "enough for the text", requested.height)
    return best


def _fits(letters: Letters, width: int, height: int) -> bool:
    return letters.box[0] <= width and letters.box[1] <= height


def _set(content: str, requested: Text, size: float, width: int) -> Letters | None:
    """Return the text in this size; None if it is higher than Cairo can draw."""
    family = FAMILIES.get(requested.font, requested.font)
    if not has_family(family):
        raise InvalidParameter("text.font", "sans, serif, mono or a family in FONTS", requested.font)
    slant = ' style="italic"' if requested.italic else ""
    color = f' foreground="#{bytes(requested.color.rgb).hex()}"' if requested.markup else ""
    look = f'weight="{requested.weight}" line_height="{requested.line_height}"{slant}{color}'
    # The comma ends the name of the family, so that a word such as Bold in it counts as part of the name.
    font = f"{family}, {size:.2f}px"
    try:
        image: Image = pyvips.Image.text(
            f"<span {look}>{content}</span>",
            font=font,
            dpi=72,
            width=width,
            wrap="word-char",
            align=_ALIGN[requested.align],
            justify=requested.align == "justify",
            rgba=requested.markup,
        )
    except pyvips.Error as error:
        if "too big" in str(error):
            return None
        raise InvalidParameter(
            "text.text", "a text with visible letters, and markup as Pango reads it", requested.text
        ) from error
    advance = _line_advance(font, look)
    top = max(0, image.yoffset)
    lines = max(1, math.ceil((top + image.height) / advance - 0.02))
    return Letters(image, top, (image.width, max(top + image.height, round(lines * advance))))


@lru_cache(maxsize=64)
def _line_advance(font: str, look: str) -> float:
    """Return the distance between two lines in pixels."""
    one, four = (
        pyvips.Image.text(f"<span {look}>{content}</span>", font=font, dpi=72) for content in ("x", "x\nx\nx\nx")
    )
    return (four.height - one.height) / 3


def _checked_markup(markup: str) -> str:
    """Return markup that holds only known tags and attributes. Raises InvalidParameter."""
    expected = f"markup with the tags {', '.join(sorted(_TAGS))} and the attributes {', '.join(sorted(_ATTRIBUTES))}"
    try:
        root = ElementTree.fromstring(f"<markup>{markup}</markup>")  # noqa: S314 - no document type fits into an element
    except ElementTree.ParseError as error:
        raise InvalidParameter("text.text", expected, markup) from error
    for element in list(root.iter())[1:]:
        if element.tag not in _TAGS or not _ATTRIBUTES.issuperset(element.attrib):
            raise InvalidParameter("text.text", expected, markup)
    return markup
