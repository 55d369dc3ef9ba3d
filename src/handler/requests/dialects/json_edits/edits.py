"""The edits of AWS's image handler: sharp's words, applied in sharp's order, beside this house's own features.

sharp has an order of its own, whatever the keys' order, with these exceptions: a cut before `resize` is early, after
it late; a rotation before `resize`, a cut or `trim` comes before them, and flips with it; `roundCrop` ends what goes
before it. Flips and right-angle rotations stand between the scaling of a resize and its cutting off or filling up.
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


def parse_edits(params: object, where: str, *, output_format: object = None, effort: object = None) -> ParsedRequest:
    """Parse edits as JSON holds them, with `outputFormat` and `effort` beside them. Raises InvalidParameter."""
    if params is None:
        params = {}
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params)
    requested, output, webp = formats.split(params, where, output_format, effort)
    steps = tuple(step for part in _parts(requested) for step in _ordered(part, where))
    return ParsedRequest(
        webp=check(Output, webp, where=where) if webp is not None else None,
        recipe=Recipe(steps, check(Output, output, where=where)),
    )


def _parts(params: Params) -> Iterator[Params]:
    """What is applied together: each `roundCrop` ends a part."""
    part: Params = {}
    for name, value in params.items():
        part[name] = value
        if name == "roundCrop":
            yield part
            part = {}
    if part:
        yield part


def _ordered(params: Params, where: str) -> Iterator[Step]:
    """The steps of one part, as sharp applies them."""
    names = list(params)
    pipeline = params.pop("pipelineColourspace", params.pop("pipelineColorspace", None))
    requested = {step.feature.name: step for step in _steps(params, names, where)}
    turned_first = _turned_first(names, requested)
    # AWS looks for faces in what the keys before have made; what was turned is not followed here.
    resized_later = "resize" in names and "smartCrop" in names and names.index("smartCrop") < names.index("resize")
    cut_late = "smartCrop" in names and not resized_later and "rotate" not in requested
    locations = {name: location for location, name in enumerate(_order(turned_first=turned_first, cut_late=cut_late))}
    steps = sorted(requested.values(), key=lambda step: locations[step.feature.name])
    if pipeline is not None:
        yield _colourspace(pipeline, where)
    yield from steps if turned_first else _around_turns(steps)
    if pipeline is not None and "toColourspace" not in requested:
        yield _colourspace("srgb", where)


def _steps(params: Params, names: list[str], where: str) -> tuple[Step, ...]:
    """The features of a part; refusals name what was said."""
    requested: Params = {}
    spoken: dict[str, str] = {}
    for name, value in params.items():
        feature = _box(names, name) if name in ("extract", "crop") else values.FEATURES.get(name, name)
        if feature in requested:
            raise InvalidParameter(f"{where}.{name}", f"given once, not also as `{where}.{spoken[feature]}`", value)
        requested[feature] = values.value(name, value, f"{where}.{name}")
        spoken[feature] = name
    try:
        return edits(requested, where=where)
    except InvalidParameter as refused:
        raise values.respelled(refused, where, spoken) from None


def _box(names: list[str], name: str) -> str:
    """sharp cuts before the resize where the box is named before it, else after; of two boxes the second after it."""
    before = names[: names.index(name)]
    return "extract" if {"resize", "extract", "crop"} & set(before) else "crop"


def _turned_first(names: list[str], requested: Mapping[str, Step]) -> bool:
    """Whether the rotation was asked for before something that sharp applies to what is turned already."""
    if "rotate" not in requested or _angle(requested["rotate"]) == 0:
        return False
    after = set(names[names.index("rotate") :])
    before = set(names[: names.index("rotate")])
    boxes = after & {"extract", "crop"}
    return bool(after & {"resize", "trim"} or (boxes and "resize" not in before))


def _angle(step: Step) -> float:
    params: Any = step.params
    return float(params.angle) % 360


def _order(*, turned_first: bool, cut_late: bool) -> list[str]:
    """The names of all features in sharp's order, which is the catalogue's with a few that stand elsewhere."""
    order = list(ORDER)

    def put(names: tuple[str, ...], before: str) -> None:
        for name in names:
            order.remove(name)
        order[order.index(before) : order.index(before)] = names

    put(("flatten",), "gamma")
    put(("grayscale",), "resize")
    if turned_first:
        put(_TURNS, "trim")
    if cut_late:
        put(("smartCropping",), "fill")
    return order


def _around_turns(steps: list[Step]) -> list[Step]:
    """The same steps, flips and right-angle rotations within the resize: after the scaling, before the cut."""
    turns = [step for step in steps if step.feature.name in _TURNS and _is_right(step)]
    resize = next((step for step in steps if step.feature.name == "resize"), None)
    if resize is None or not turns:
        return steps
    params: Any = resize.params
    scaling = {"cover": "outside", "contain": "inside"}.get(params.fit)
    is_flipped = all(step.feature.name != "rotate" for step in turns)
    if scaling is None or (is_flipped and not (params.width and params.height)):
        return steps
    scaled = resize._replace(params=msgspec.structs.replace(params, fit=scaling))
    framed = resize._replace(params=msgspec.structs.replace(params, without_enlargement=True, without_reduction=True))
    at = steps.index(resize)
    return [*steps[:at], scaled, *turns, framed, *(step for step in steps[at + 1 :] if step not in turns)]


def _is_right(step: Step) -> bool:
    return step.feature.name != "rotate" or (_angle(step) % 90 == 0 and _angle(step) != 0)


def _colourspace(params: object, where: str) -> Step:
    feature = by_name("toColourspace")
    return Step(feature, check(feature.params, {"colourspace": params}, where=f"{where}.pipelineColourspace"))
