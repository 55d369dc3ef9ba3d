"""The edits of AWS's image handler: sharp's parameters in sharp's order, and the features of this project beside them.

The order of the keys counts where that of sharp's calls does (`dialects/aws_rules.py`), and in these cases:

* `extract` or `crop` before `resize` crops the original, behind it the result.
* `roundCrop` ends a pipeline: AWS renders it and begins another with the result (`image-handler.ts`, applyRoundCrop).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from features import by_name, edits, in_order
from handler.requests.dialects.aws_rules import order_steps
from handler.requests.dialects.dialect import STRICT, Faults
from handler.requests.dialects.json_edits import formats, repairs, values
from handler.requests.parsed_request import Insert, ParsedRequest, Recipe
from imaging import InvalidParameter, Limits, Step, check, describe

Params = dict[str, object]
CHAIN = "steps"
"""The name of the list of edits that are applied in its order, behind the edits that stand beside it."""
MAX_CHAIN = Limits().steps


def parse_edits(
    params: object, where: str, *, output_format: object = None, effort: object = None, faults: Faults = STRICT
) -> ParsedRequest:
    """Parse edits as JSON holds them, with `outputFormat` and `effort` beside them. Raises InvalidParameter."""
    params = repairs.repair_object({} if params is None else params, where, faults)
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params)
    chain = params.get(CHAIN)
    params = {name: value for name, value in params.items() if name != CHAIN}
    if faults.is_lenient:
        params = repairs.repair_edits(params, where, faults)
    requested, output, webp = formats.split_edits(params, where, output_format, effort, faults)
    steps = tuple(step for part in _split_at_round_crop(requested) for step in _order_part(part, where, faults))
    recipe = Recipe(steps, repairs.check_output(output, where, faults))
    return ParsedRequest(
        webp=repairs.check_output(webp, where, faults) if webp is not None else None,
        recipe=recipe if chain is None else followed_by(recipe, parse_chain(chain, f"{where}.{CHAIN}", faults)),
    )


def parse_chain(chain: object, where: str, faults: Faults) -> Recipe:
    """Return the recipe of `steps`: a list of edits, each applied to the result of those before it.

    An element holds edits as a request does, or the name of a preset alone. Raise InvalidParameter, which names the
    element.
    """
    if not isinstance(chain, list) or not 1 <= len(chain) <= MAX_CHAIN:
        raise InvalidParameter(
            where, f'a list of 1 to {MAX_CHAIN} edits, such as [{{"blur": 3}}, {{"resize": …}}]', chain
        )
    recipe = Recipe()
    for number, element in enumerate(chain):
        at = f"{where}[{number}]"
        if (report := next((step for step in recipe.steps if step.is_report), None)) is not None:
            raise InvalidParameter(at, f"left out behind `{report.feature.name}`, which is a report", element)
        recipe = followed_by(recipe, _parse_element(element, at, faults))
    return recipe


def followed_by(recipe: Recipe, chain: Recipe) -> Recipe:
    """Return a recipe with the steps of a chain behind its own."""
    count = len(recipe.steps)
    inserts = tuple(msgspec.structs.replace(insert, at=insert.at + count) for insert in chain.inserts)
    return msgspec.structs.replace(recipe, steps=recipe.steps + chain.steps, inserts=recipe.inserts + inserts)


def _parse_element(element: object, at: str, faults: Faults) -> Recipe:
    if not isinstance(element, Mapping) or not element:
        raise InvalidParameter(at, 'an object of edits, such as {"blur": 3}, or {"preset": name}', element)
    if CHAIN in element:
        raise InvalidParameter(f"{at}.{CHAIN}", "left out: steps hold edits and presets", element[CHAIN])
    if "preset" in element:
        name = element["preset"]
        if len(element) > 1 or not isinstance(name, str):
            raise InvalidParameter(f"{at}.preset", "the name of a preset, and alone in its step", name)
        return Recipe(inserts=(Insert(0, name, f"{at}.preset"),))
    recipe = parse_edits(element, at, faults=faults).recipe
    if options := describe(recipe.output):
        name = next(iter(options))
        raise InvalidParameter(f"{at}.{name}", "left out: output options stand beside `steps`", options[name])
    return recipe


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


def _order_part(part: Params, where: str, faults: Faults) -> Iterator[Step]:
    """Return the steps of one part in the order in which sharp applies them. Raise InvalidParameter."""
    names = list(part)
    pipeline = part.pop("pipelineColourspace", part.pop("pipelineColorspace", None))
    lists: dict[str, list[Step]] = {}
    for step in _parse_steps(part, names, where, faults):
        lists.setdefault(step.feature.name, []).append(step)
    steps = {name: parsed[0] for name, parsed in lists.items()}
    # sharp converts to the pipeline's colour space first and, unless another is requested, back to sRGB at last.
    first: list[Step] = []
    if pipeline is not None:
        with faults.leave_out():
            first.append(_convert_colourspace(pipeline, where))
    yield from first
    for step in order_steps(steps, names):
        # A resize may come in two halves; only what repeats has further steps.
        yield step
        yield from lists[step.feature.name][1:]
    if first and "toColourspace" not in steps:
        yield _convert_colourspace("srgb", where)


def _parse_steps(part: Params, names: list[str], where: str, faults: Faults) -> tuple[Step, ...]:
    """Return the steps of a part, in no particular order. Raise InvalidParameter with the names of the request.

    `names`: all keys of the part in their order.
    """
    by_feature: Params = {}
    request_names: dict[str, str] = {}
    for name, value in part.items():
        feature = _crop_feature(names, name) if name in ("extract", "crop") else values.FEATURES.get(name, name)
        if feature in by_feature:
            expected = f"given once, not also as `{where}.{request_names[feature]}`"
            faults.tolerate(InvalidParameter(f"{where}.{name}", expected, value))
        by_feature[feature] = values.convert_value(name, value, f"{where}.{name}", faults)
        request_names[feature] = name
    if faults.is_lenient:
        by_feature = repairs.drop_unknown(by_feature, where, request_names, faults)
    try:
        return edits(by_feature, where=where)
    except InvalidParameter as error:
        if not faults.is_lenient:
            raise values.rename_error(error, where, request_names) from None
        return _parse_text(by_feature, where, request_names, faults)


def _parse_text(by_feature: Params, where: str, request_names: Mapping[str, str], faults: Faults) -> tuple[Step, ...]:
    """Return the steps of edits of which some hold numbers or booleans as text. Raise InvalidParameter."""
    steps: list[Step] = []
    for feature, value in by_feature.items():
        try:
            steps += edits({feature: value}, where=where)
        except InvalidParameter as error:
            renamed = values.rename_error(error, where, request_names)
            try:
                steps += edits({feature: value}, where=where, text=True)
            except InvalidParameter:
                raise renamed from None
            faults.tolerate(renamed)
    return in_order(tuple(steps))


def _crop_feature(names: list[str], name: str) -> str:
    """Return the feature of `extract` or `crop`: `crop` applies before a resize, `extract` after it.

    sharp's `extract()` is the one or the other by whether `resize()` was called before. Without a resize, a second box
    is applied to what the first one has left.
    """
    before = names[: names.index(name)]
    return "extract" if {"resize", "extract", "crop"} & set(before) else "crop"


def _convert_colourspace(colourspace: object, where: str) -> Step:
    feature = by_name("toColourspace")
    params = check(feature.params, {"colourspace": colourspace}, where=f"{where}.pipelineColourspace")
    return Step(feature, params)
