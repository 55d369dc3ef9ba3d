"""Rules of AWS's image handler that JSON edits and AWS's Thumbor paths share: the order of steps, and some values.

AWS calls sharp once for each edit, but sharp collects the calls and applies them in the order of its own pipeline
(`src/pipeline.cc`). The order of the calls therefore counts in these cases only:

* A rotation before `resize`, a crop of the original or `trim` is applied before them, and flips with it. sharp's calls
  set the flag `rotateBefore` for that (`lib/resize.js`).
* `smartCrop` finds faces in what the calls before it have made (`image-handler.ts`, applySmartCrop).

Other flips and right-angle rotations are applied between the two halves of a resize, scaling and cropping (or filling).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from features import ORDER
from imaging import InvalidParameter, Step

RESIZE_ERROR = "InvalidResizeException"
OVERLAY_ERROR = "OverlayImageException"
"""The codes of errors about a resize and about an overlay."""
SMART_CROP_DEFAULTS = {"faceIndex": 0, "padding": 0}
"""A smart crop without parameters is made around the first face, without padding."""
_MAX_SIDE = 65_535
_TURNS = ("flip", "flop", "rotate")
_FITS_OF_SCALING = {"cover": "outside", "contain": "inside"}
"""The fit with which a resize scales before it crops (cover) or fills (contain)."""


def order_steps(steps: Mapping[str, Step], calls: Sequence[str]) -> list[Step]:
    """Return steps, given by feature, in the order in which sharp applies them.

    `calls`: the names of the edits in the order in which AWS applies them.
    """
    rotate_before = _is_rotated_before(calls, steps)
    # A smart crop that AWS measures in the resized image is made after the resize. Where the edits rotate it stays in
    # its usual place, before all: a crop that is measured in the rotated image is not reproduced.
    resized_later = "resize" in calls and "smartCrop" in calls and calls.index("smartCrop") < calls.index("resize")
    smart_crop_late = "smartCrop" in calls and not resized_later and "rotate" not in steps
    order = _build_order(rotate_before=rotate_before, smart_crop_late=smart_crop_late)
    ordered = sorted(steps.values(), key=lambda step: order.index(step.feature.name))
    return ordered if rotate_before else _move_turns_into_resize(ordered)


def round_side(side: float, where: str, given: object) -> int:
    """Return a side in pixels, rounded. Raise InvalidParameter about `given` where it is out of range."""
    if not 0 <= side <= _MAX_SIDE:
        raise InvalidParameter(where, f"a whole number from 0 to {_MAX_SIDE}", given, code=RESIZE_ERROR)
    # JavaScript's Math.round rounds halves up, Python's round does not.
    return math.floor(side + 0.5)


def apply_ratio(resize: dict[str, object]) -> None:
    """Complete a resize with a `ratio`: AWS multiplies two given sides, else those of the original (applyResize)."""
    if resize.get("ratio") is not None:
        if not (resize.get("width") and resize.get("height")):
            resize.pop("width", None)
            resize.pop("height", None)
        resize.setdefault("fit", "inside")


def parse_number(text: object) -> float:
    """Return a number that is given as a number or as text, and NaN for anything else."""
    try:
        return float(text) if isinstance(text, str | int | float) and not isinstance(text, bool) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def parse_percentage(percentage: object, where: str) -> float:
    """Return a percentage of an overlay, its `alpha` or a ratio. Raise InvalidParameter."""
    number = parse_number(percentage)
    if not 0 <= number <= 100:
        raise InvalidParameter(where, "a number from 0 to 100", percentage, code=OVERLAY_ERROR)
    return number


def _is_rotated_before(calls: Sequence[str], steps: Mapping[str, Step]) -> bool:
    """Tell whether sharp sets `rotateBefore`: a rotation was requested before a resize, a trim or an early crop."""
    if "rotate" not in steps or _angle_of(steps["rotate"]) == 0:
        return False
    after = set(calls[calls.index("rotate") :])
    before = set(calls[: calls.index("rotate")])
    has_crop = bool(after & {"extract", "crop"})
    return bool(after & {"resize", "trim"}) or (has_crop and "resize" not in before)


def _angle_of(rotation: Step) -> float:
    params: Any = rotation.params
    return float(params.angle) % 360


def _build_order(*, rotate_before: bool, smart_crop_late: bool) -> list[str]:
    """Return the names of all features in sharp's order: the catalogue's, with a few features moved."""
    order = list(ORDER)

    def move(names: tuple[str, ...], before: str) -> None:
        for name in names:
            order.remove(name)
        order[order.index(before) : order.index(before)] = names

    # pipeline.cc flattens, then applies gamma, then converts to grey, then resizes.
    move(("flatten",), "gamma")
    move(("grayscale",), "resize")
    if rotate_before:
        move(_TURNS, "trim")
    if smart_crop_late:
        move(("smartCropping",), "fill")
    return order


def _move_turns_into_resize(steps: list[Step]) -> list[Step]:
    """Return the steps with a resize split into scaling and cropping, and flips and right-angle rotations between them.

    pipeline.cc scales, flips, flops and rotates by right angles, and crops or fills (`CROP`, `EMBED`) after that. With
    `cover` it is therefore the rotated image of which a part is kept. The second resize has the original fit and must
    not scale, so that it only crops or fills.
    """
    turns = [step for step in steps if step.feature.name in _TURNS and _is_right_angled(step)]
    resize = next((step for step in steps if step.feature.name == "resize"), None)
    if resize is None or not turns:
        return steps
    params: Any = resize.params
    scaling = _FITS_OF_SCALING.get(params.fit)
    # Other fits neither crop nor fill, and neither does a resize to one side unless a rotation exchanges the sides.
    only_flips = all(step.feature.name != "rotate" for step in turns)
    if scaling is None or (only_flips and not (params.width and params.height)):
        return steps
    scaled = resize._replace(params=msgspec.structs.replace(params, fit=scaling))
    framed = resize._replace(params=msgspec.structs.replace(params, without_enlargement=True, without_reduction=True))
    at = steps.index(resize)
    return [*steps[:at], scaled, *turns, framed, *(step for step in steps[at + 1 :] if step not in turns)]


def _is_right_angled(turn: Step) -> bool:
    return turn.feature.name != "rotate" or (_angle_of(turn) % 90 == 0 and _angle_of(turn) != 0)
