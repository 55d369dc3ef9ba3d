"""Query parameters: `/photos/cat.jpg?width=300&blur.sigma=3&format=webp`. Direct invocations use the same names.

A name is assigned in this order:

1. `bucket`, `feature`, `preset`, `v`, `expires` and `signature` are controls, which concern the request as a whole.
   `steps` is a JSON list of edits, which are applied in its order behind all others.
2. A dotted name is a parameter of a feature (`blur.sigma`) or an output option (`output.format`).
   `watermark.0.key` is one of the first of several watermarks.
3. The name of a feature switches it on, or sets its main parameter (`blur=3`).
4. An undotted name is a parameter of that feature, among those in the request, which has it. `width` and `height`
   switch `resize` on, unless a feature listed in `feature=` has them.
5. Any other name is an output option, or a parameter that exactly one feature of the catalogue has.

A name that could belong to two features, or to none, is refused, and so is one that is given twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from features import CATALOGUE, ORDER, by_name, edits, feature_names
from handler.core.errors import BadRequest
from handler.requests.dialects.dialect import STRICT, Dialect, Faults
from handler.requests.parsed_request import KEY_PREFIX, ParsedRequest, Recipe
from imaging import Feature, InvalidParameter, ObjectRef, Output, check, main_field, spellings, suggest

CONTROLS = ("bucket", "feature", "preset", "v", "expires", "signature")
CHAIN = "steps"
_SIZES = ("width", "height")
_KNOWN = "a known parameter (see /_api/docs)"
_FOREIGN_NAMES = {"w": "width", "h": "height", "q": "quality", "f": "format", "fm": "format", "rot": "rotate"}
"""Short names of other image services, for the hint of a message; they are not accepted."""
Params = dict[str, object]


class ParsedQuery(msgspec.Struct):
    """Query parameters by what they concern; their values are not validated yet."""

    controls: dict[str, str] = msgspec.field(default_factory=dict)
    edits: Params = msgspec.field(default_factory=dict)
    output: Params = msgspec.field(default_factory=dict)
    numbered: dict[str, dict[int, Params]] = msgspec.field(default_factory=dict)
    """The parameters of the elements of lists, such as `watermark.0.key`, by feature and number."""
    chain: object = None
    """The value of `steps`: JSON, or the list that a direct invocation has."""

    @property
    def has_edits(self) -> bool:
        """Whether a parameter requests a feature or an output option."""
        return bool(self.edits or self.output or self.numbered) or self.chain is not None


def is_known(name: str) -> bool:
    """Tell whether a query parameter has a meaning here; `IGNORED_PARAMETERS=*` drops all others."""
    head = name.partition(".")[0]
    if head in (*CONTROLS, CHAIN, "output") or head in feature_names() or name in spellings(Output):
        return True
    return any(name in spellings(feature.params) for feature in CATALOGUE)


def parse_query(pairs: Iterable[tuple[str, object]], faults: Faults = STRICT) -> ParsedQuery:
    """Assign decoded names and values to controls, features and output options. Raises InvalidParameter."""
    pairs = list(pairs)
    parsed = ParsedQuery(_parse_controls(pairs))
    listed = [by_name(name) for part in parsed.controls.get("feature", "").split(",") if (name := part.strip())]
    undotted: list[tuple[str, object]] = []
    for name, value in pairs:
        if name in CONTROLS:
            continue
        if name == CHAIN:
            parsed.chain = value
        elif "." in name:
            _assign_dotted(parsed, name, value, faults)
        elif name in feature_names() and not _having(listed, name):
            _switch_on(parsed.edits, by_name(name), name, value)
        else:
            # To which feature these belong is known once all features of the request are.
            undotted.append((name, value))
    for feature in listed:
        parsed.edits.setdefault(feature.name, {})
    has_size = any(name in _SIZES for name, _ in undotted)
    if has_size and not any(_having(listed, side) for side in _SIZES):
        parsed.edits.setdefault("resize", {})
    for name, value in undotted:
        _assign_undotted(parsed, listed, name, value, faults)
    return parsed


def build_recipe(parameters: ParsedQuery, where: str = "", faults: Faults = STRICT) -> Recipe:
    """Return the validated steps and output options. Raises InvalidParameter.

    A feature that is named with a value that leaves it out, such as `flip=0`, is switched off.
    """
    requested = parameters.edits
    if faults.is_lenient:
        from handler.requests.dialects.query.aws_values import repair_values  # noqa: PLC0415 - in lenient mode only

        requested = repair_values(requested, faults)
    if parameters.numbered:
        from handler.requests.dialects.query.numbered import with_lists  # noqa: PLC0415 - few requests have lists

        requested = with_lists(requested, parameters.numbered)
    steps = edits(requested, text=True, where=where)
    off = requested.keys() - {step.feature.name for step in steps}
    recipe = Recipe(steps, check(Output, parameters.output, where=where, text=True), frozenset(off))
    if parameters.chain is None:
        return recipe
    from handler.requests.dialects.query.chain import add_chain  # noqa: PLC0415 - most requests have none

    return add_chain(recipe, parameters.chain, f"{where}.{CHAIN}" if where else CHAIN, faults)


def _parse_preset(preset: object, where: str) -> Recipe | None:
    """Parse a preset that is written as query parameters. Raises InvalidParameter."""
    if not isinstance(preset, str):
        return None
    from handler.auth.canonical import split_query  # noqa: PLC0415 - most presets are JSON

    try:
        parameters = parse_query(split_query(preset))
    except BadRequest:
        raise InvalidParameter(where, "query parameters as a URL has them, each once", preset) from None
    for name in parameters.controls:
        if name != "feature":
            raise InvalidParameter(
                f"{where}.{name}", "left out of a preset: it concerns a request as a whole", parameters.controls[name]
            )
    return build_recipe(parameters, where)


def _serialize(request: ParsedRequest) -> tuple[str, ...]:
    from handler.requests.dialects.query.serialize import to_query  # noqa: PLC0415 - only `translate` writes URLs

    # Behind /_key/ a key that looks like a path of another dialect is read as a key.
    return to_query(request, "/"), to_query(request, KEY_PREFIX)


def _parse_controls(pairs: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Return the controls as text. Direct invocations may have numbers, and a list in `feature`."""
    controls: dict[str, str] = {}
    for name, value in pairs:
        if name in controls:
            raise InvalidParameter(name, "given once", value)
        if name not in CONTROLS:
            continue
        if isinstance(value, list) and name == "feature":
            controls[name] = ",".join(map(str, value))
        elif isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
            controls[name] = str(value)
        else:
            raise InvalidParameter(name, "text", value)
    return controls


def _having(features: list[Feature], name: str) -> list[Feature]:
    """Return those of the features that have a parameter of this name."""
    return [feature for feature in features if name in spellings(feature.params)]


def _assign_dotted(parsed: ParsedQuery, name: str, value: object, faults: Faults) -> None:
    head, _, rest = name.partition(".")
    if rest[:1].isdigit():
        from handler.requests.dialects.query.numbered import assign_numbered  # noqa: PLC0415 - few requests have lists

        if assign_numbered(parsed.numbered, name, value):
            return
    if faults.is_lenient and not _is_known_dotted(head, rest):
        # Strict mode refuses it when the parameters of the feature are checked, and lists these in its message.
        faults.tolerate(InvalidParameter(name, _KNOWN, value))
    elif head == "output":
        _set_output(parsed, rest, name, value)
    else:
        _set_parameter(parsed.edits, by_name(head, name), rest, value, name)


def _is_known_dotted(head: str, rest: str) -> bool:
    if head == "output":
        return rest in spellings(Output)
    return head in feature_names() and rest in spellings(by_name(head).params)


def _set_output(parsed: ParsedQuery, option: str, name: str, value: object) -> None:
    """Set an output option; `name` is that of the query parameter. Validation refuses unknown options later."""
    known = spellings(Output).get(option)
    _set_once(parsed.output, known.name if known else option, value, name)


def _switch_on(edits: Params, feature: Feature, name: str, value: object) -> None:
    """Switch a feature on, or set its main parameter: `flip=true`, `blur=3`.

    Parameters of the same feature may stand before it (`rotate.background=red&rotate=30`) or behind it.
    """
    params = edits.get(feature.name)
    if params is None:
        edits[feature.name] = value
        return
    main = main_field(feature.params)
    if not isinstance(params, dict) or isinstance(value, Mapping) or (main is None and not _is_on(value)):
        raise InvalidParameter(name, f"given once, not also as `{feature.name}.…`", value)
    if main is not None and not _is_on(value):
        _set_once(params, main.name, value, name)


def _set_parameter(edits: Params, feature: Feature, parameter: str, value: object, name: str) -> None:
    """Set one parameter of a feature; `name` is that of the query parameter."""
    known = spellings(feature.params).get(parameter)
    params = edits.setdefault(feature.name, {})
    if not isinstance(params, dict):
        # `blur=3` came before: its value becomes one parameter among others.
        main = main_field(feature.params)
        if isinstance(params, Mapping) or (main is None and not _is_on(params)):
            raise InvalidParameter(name, f"given once, not also as `{feature.name}=`", value)
        params = edits[feature.name] = {} if main is None or _is_on(params) else {main.name: params}
    _set_once(params, known.name if known else parameter, value, name)


def _is_on(value: object) -> bool:
    """Tell whether a value only switches a feature on, as in `blur=true`, instead of setting its main parameter."""
    return value is True or (isinstance(value, str) and value.lower() in {"true", "yes", "on"})


def _set_once(params: Params, parameter: str, value: object, name: str) -> None:
    if parameter in params:
        raise InvalidParameter(name, "given once", value)
    params[parameter] = value


def _assign_undotted(parsed: ParsedQuery, listed: list[Feature], name: str, value: object, faults: Faults) -> None:
    candidates = _find_candidates(parsed, listed, name)
    if len(candidates) == 1:
        _set_parameter(parsed.edits, candidates[0], name, value, name)
    elif candidates:
        dotted = " or ".join(f"`{feature.name}.{name}`" for feature in candidates)
        expected = f"written as {dotted}, because {len(candidates)} features have it"
        faults.tolerate(InvalidParameter(name, expected, value))
    elif name in spellings(Output):
        _set_output(parsed, name, name, value)
    else:
        faults.tolerate(InvalidParameter(name, _KNOWN if faults.is_lenient else _known_or_similar(name), value))


def _known_or_similar(name: str) -> str:
    """Return what an undotted name must be, with the most similar known one if the name may be a typing error."""
    known = [*CONTROLS, *feature_names(), *spellings(Output), *spellings(by_name("resize").params)]
    known_as = _FOREIGN_NAMES.get(name)
    similar = f", perhaps `{known_as}`" if known_as else suggest(name, known)
    return f"a known parameter{similar} (see /_api/docs)"


def _find_candidates(parsed: ParsedQuery, listed: list[Feature], name: str) -> list[Feature]:
    """Return the features to which an undotted name may belong.

    They are searched among those listed in `feature=`, then among those in the request, then, unless it is an output
    option, in the whole catalogue.
    """
    if having := _having(listed, name):
        return having
    if name in _SIZES:
        return [by_name("resize")]
    requested = _having([by_name(feature) for feature in ORDER if feature in parsed.edits], name)
    if requested or name in spellings(Output):
        return requested
    return _having(list(CATALOGUE), name)


DIALECT = Dialect(
    name="query",
    title="URL",
    parse=lambda path, _: ParsedRequest(ref=ObjectRef("", path.lstrip("/"))),
    serialize=_serialize,
    parse_preset=_parse_preset,
    reads_query=True,
)
