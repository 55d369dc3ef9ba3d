"""The edits of AWS's image handler: sharp's parameters in sharp's order, and the features of this project beside them.

AWS calls sharp once for each key, but sharp collects the calls and applies them in the order of its own pipeline
(`src/pipeline.cc`). The order of the keys therefore counts in these cases only:

* `extract` or `crop` before `resize` crops the original, behind it the result.
* A rotation before `resize`, a crop of the original or `trim` is applied before them, and flips with it. sharp's calls
  set the flag `rotateBefore` for that (`lib/resize.js`).
* `roundCrop` ends a pipeline: AWS renders it and begins another with the result (`image-handler.ts`, applyRoundCrop).
* `smartCrop` finds faces in what the keys before it have made (applySmartCrop).

Other flips and right-angle rotations are applied between the two halves of a resize, scaling and cropping (or filling).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from features import ORDER, by_name, edits
from handler.requests.dialects.json_edits import formats, values
from handler.requests.parsed_request import ParsedRequest, Recipe
from imaging import InvalidParameter, Output, Step, check

Params = dict[str, object]
_TURNS = ("flip", "flop", "rotate")
_FITS_OF_SCALING = {"cover": "outside", "contain": "inside"}
"""The fit with which a resize scales before it crops (cover) or fills (contain)."""


def parse_edits(params: object, where: str, *, output_format: object = None, effort: object = None) -> ParsedRequest:
    """Parse edits as JSON holds them, with `outputFormat` and `effort` beside them. Raises InvalidParameter."""
    if params is None:
        params = {}
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params)
    requested, output, webp = formats.split_edits(params, where, output_format, effort)
    steps = tuple(step for part in _split_at_round_crop(requested) for step in _order_part(part, where))
    return ParsedRequest(
        webp=check(Output, webp, where=where) if webp is not None else None,
        recipe=Recipe(steps, check(Output, output, where=where)),
    )


def _split_at_round_crop(params: Params) -> Iterator[Params]:
    """Split edits into the parts that sharp renders one after the other: each `roundCrop` ends one."""
    part: Params = {}
    for name, value in params.items():
        part[name] = value
        if name == "roundCrop":
            yield part
            part = {}
    if part:
        yield part


def _order_part(part: Params, where: str) -> Iterator[Step]:
    """Return the steps of one part in the order in which sharp applies them. Raise InvalidParameter."""
    names = list(part)
    pipeline = part.pop("pipelineColourspace", part.pop("pipelineColorspace", None))
    steps = {step.feature.name: step for step in _parse_steps(part, names, where)}
    rotate_before = _is_rotated_before(names, steps)
    # A smart crop that AWS measures in the resized image is made after the resize. Where the edits rotate it stays in
    # its usual place, before all: a crop that is measured in the rotated image is not reproduced.
    resized_later = "resize" in names and "smartCrop" in names and names.index("smartCrop") < names.index("resize")
    smart_crop_late = "smartCrop" in names and not resized_later and "rotate" not in steps
    order = _build_order(rotate_before=rotate_before, smart_crop_late=smart_crop_late)
    ordered = sorted(steps.values(), key=lambda step: order.index(step.feature.name))
    # sharp converts to the pipeline's colour space first and, unless another is requested, back to sRGB at last.
    if pipeline is not None:
        yield _convert_colourspace(pipeline, where)
    yield from ordered if rotate_before else _move_turns_into_resize(ordered)
    if pipeline is not None and "toColourspace" not in steps:
        yield _convert_colourspace("srgb", where)


def _parse_steps(part: Params, names: list[str], where: str) -> tuple[Step, ...]:
    """Return the steps of a part, in no particular order. Raise InvalidParameter with the names of the request.

    `names`: all keys of the part in their order.
    """
    by_feature: Params = {}
    spoken: dict[str, str] = {}
    for name, value in part.items():
        feature = _crop_feature(names, name) if name in ("extract", "crop") else values.FEATURES.get(name, name)
        if feature in by_feature:
            raise InvalidParameter(f"{where}.{name}", f"given once, not also as `{where}.{spoken[feature]}`", value)
        by_feature[feature] = values.convert_value(name, value, f"{where}.{name}")
        spoken[feature] = name
    try:
        return edits(by_feature, where=where)
    except InvalidParameter as error:
        raise values.rename_error(error, where, spoken) from None


def _crop_feature(names: list[str], name: str) -> str:
    """Return the feature of `extract` or `crop`: `crop` applies before a resize, `extract` after it.

    sharp's `extract()` is the one or the other by whether `resize()` was called before. Without a resize, a second box
    is applied to what the first one has left.
    """
    before = names[: names.index(name)]
    return "extract" if {"resize", "extract", "crop"} & set(before) else "crop"


def _is_rotated_before(names: list[str], steps: Mapping[str, Step]) -> bool:
    """Tell whether sharp sets `rotateBefore`: a rotation was requested before a resize, a trim or an early crop."""
    if "rotate" not in steps or _angle_of(steps["rotate"]) == 0:
        return False
    after = set(names[names.index("rotate") :])
    before = set(names[: names.index("rotate")])
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


def _convert_colourspace(colourspace: object, where: str) -> Step:
    feature = by_name("toColourspace")
    params = check(feature.params, {"colourspace": colourspace}, where=f"{where}.pipelineColourspace")
    return Step(feature, params)
