"""Where imagor places an overlay: `10`, `-10`, `20p`, `0.2`, `center`, `left`, `right-20`, `repeat`."""

from __future__ import annotations

import re
from typing import NamedTuple

from handler.requests.dialects.thumbor.arguments import Arguments
from imaging import suggest

_WORDS = (("left", "center", "right"), ("top", "center", "bottom"))
_OFFSET = re.compile(r"(left|l|right|r|top|t|bottom|b)-([0-9]{1,7})")
_NUMBER = re.compile(r"(-?)(?:([0-9]{1,7})(p?)|(0?\.[0-9]{1,12}))")
_EXPECTED = (
    "positions in pixels, in percent such as 20p, in fractions such as 0.2, center, repeat, or an edge such as left, "
    "with or without an offset beyond it such as left-20"
)


class Along(NamedTuple):
    """A place along one axis."""

    edge: int = -1
    """From where the offset leads inwards: -1 is the left or the top, 0 the middle, 1 the right or the bottom."""
    offset: float = 0.0
    """In pixels, or in fractions of the side of the image; below 0 it leads beyond the edge."""
    is_share: bool = False
    repeats: bool = False

    @property
    def anchor_offset(self) -> float:
        """The offset as an anchor has it, for which a number below 1 is a fraction."""
        return min(0.999999, max(-0.999999, self.offset)) if self.is_share else self.offset

    @property
    def length(self) -> str:
        """The offset as a length towards the right or downwards."""
        offset = -self.offset if self.edge > 0 else self.offset
        return f"{100 * offset:.6f}p" if self.is_share else f"{offset:.0f}"


def read_place(arguments: Arguments, at: int, axis: int) -> Along:
    """Return the place along the axis (0 across, 1 down) that an argument names. Raise InvalidParameter."""
    text = arguments.text(at, "0")
    near, middle, far = _WORDS[axis]
    if text == "repeat":
        return Along(repeats=True)
    if text in (near, near[0], far, far[0]):
        return Along(-1 if text[0] == near[0] else 1)
    if text == middle:
        return Along(0)
    offset = _OFFSET.fullmatch(text)
    if offset is not None and offset[1][0] in (near[0], far[0]):
        return Along(-1 if offset[1][0] == near[0] else 1, -float(offset[2]))
    number = _NUMBER.fullmatch(text)
    if number is None:
        arguments.refuse(_EXPECTED + suggest(text, (near, middle, far, "repeat")))
    share = number[3] or number[4]
    distance = float(number[4]) if number[4] else float(number[2]) / (100 if number[3] else 1)
    return Along(1 if number[1] and distance else -1, distance, bool(share))


def anchor(across: Along, down: Along) -> str:
    """Return both places as an anchor of `watermark`."""
    kind = ("no", "", "so")[down.edge + 1] + ("we", "", "ea")[across.edge + 1]
    return f"{kind or 'ce'}:{across.anchor_offset:.6f}:{down.anchor_offset:.6f}"


def position(across: Along, down: Along) -> str:
    """Return both edges as a position of `text`."""
    words = (("top", "", "bottom")[down.edge + 1], ("left", "", "right")[across.edge + 1])
    return "-".join(filter(None, words)) or "center"
