"""Where the picture may differ from sharp's by more than 2 of 255 in the mean and 12 in a block of 16 x 16, and why.

The reasons stand in docs/compatibility.md, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from tests.peers.cases import Case

COLOURED = ("tint", "teal", "#f80", '"r":200')
WEIGHED = {"resize", "blur", "convolve", "sharpen"}
"""sharp weighs colours by alpha once for all of these, and whatever else stands between them."""


class Limit(NamedTuple):
    """For which cases, the most that may differ, and the reason."""

    applies: Callable[[Case], bool]
    mean: float
    block: float
    reason: str


def _has(*names: str) -> Callable[[Case], bool]:
    return lambda case: any(name in case.edits for name in names)


def _clear(case: Case) -> bool:
    return case.source == "logo.png" or "roundCrop" in case.edits


def _colour_on_grey(case: Case) -> bool:
    grey = case.source == "grey.png" or _has("greyscale", "grayscale", "toColourspace", "toColorspace")(case)
    return grey and any(word in json.dumps(case.edits, separators=(",", ":")) for word in COLOURED)


def _fractions(case: Case) -> bool:
    makes = {"convolve", "recomb"} & case.edits.keys() or case.edits.get("blur") is True
    return bool(makes) and _has("gamma", "negate")(case)


def _weighed(case: Case) -> bool:
    between = {
        "threshold",
        "unflatten",
        "recomb",
        "modulate",
        "median",
        "affine",
        "extend",
        "bandbool",
        "convolve",
        "gamma",
    }
    return _clear(case) and bool(WEIGHED & case.edits.keys()) and bool(between & case.edits.keys())


def _filled_and_turned(case: Case) -> bool:
    names = list(case.edits)
    resize = case.edits.get("resize", {})
    fills = isinstance(resize, dict) and resize.get("fit") == "contain"
    return fills and "rotate" in names and names.index("resize") < names.index("rotate")


EVERYTHING = 255.0
LIMITS: tuple[Limit, ...] = (
    Limit(_colour_on_grey, EVERYTHING, EVERYTHING, "a colour on a grey image is that colour; sharp makes it grey"),
    Limit(_fractions, EVERYTHING, EVERYTHING,
          "after `convolve`, `recomb` or a mild `blur`, sharp's `gamma` and `negate` get fractions and return black"),
    Limit(_filled_and_turned, EVERYTHING, EVERYTHING,
          "a right angle after a resize with fit `contain` cuts the image off in sharp; here it stays complete"),
    Limit(_weighed, 60, EVERYTHING,
          "with transparency, sharp gives all edits premultiplied colours if it also resizes, blurs or sharpens"),
    Limit(lambda case: _clear(case) and _has("sharpen")(case), 4, 40,
          "beside transparency, sharp's `sharpen` darkens the edge of light colours; here it compares colours alone"),
    Limit(_has("gamma"), 5, 30, "`gamma`: one level of the darkened image is up to 20 levels of the brightened one"),
    Limit(_has("normalise", "normalize"), 6, 20, "`normalise` uses whole steps of CIELAB's lightness"),
    Limit(lambda case: _clear(case) and _has("clahe")(case), 6, 40,
          "`clahe` does not change transparency; sharp equalises it too"),
)  # fmt: skip


def allowed(case: Case) -> tuple[float, float]:
    """The most that may differ in the mean and in a block."""
    met = [limit for limit in LIMITS if limit.applies(case)]
    return (max([2.0, *(limit.mean for limit in met)]), max([12.0, *(limit.block for limit in met)]))
