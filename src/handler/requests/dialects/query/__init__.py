"""Query parameters: `/photos/cat.jpg?width=300&blur.sigma=3&format=webp`, and console events in the same words.

Names are resolved in this order:

1. `bucket`, `feature`, `preset`, `v`, `expires`, `signature` steer the request.
2. A dotted name is a field of a feature (`blur.sigma`), or of `output`.
3. A feature's own name switches it on, or sets its main field (`blur=3`).
4. An undotted field belongs to the one feature, of those that the request switches on, that has it. `width` and
   `height` switch `resize` on where no feature named by `feature=` has them.
5. What is then left is an option of the output, or a field that one feature of the catalogue alone has.

Whatever is claimed twice, or by nobody, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from features import CATALOGUE, ORDER, by_name, edits, feature_names
from handler.errors import BadRequest
from handler.requests.dialects.dialect import Dialect
from handler.requests.parsed_request import KEY_PREFIX, ParsedRequest, Recipe
from imaging import Feature, InvalidParameter, ObjectRef, Output, check, main_field, spellings

CONTROLS = ("bucket", "feature", "preset", "v", "expires", "signature")
_SIZES = ("width", "height")
Params = dict[str, object]


class ParsedQuery(msgspec.Struct):
    """Query parameters by what they concern; their values are not validated yet."""

    controls: dict[str, str] = msgspec.field(default_factory=dict)
    edits: Params = msgspec.field(default_factory=dict)
    output: Params = msgspec.field(default_factory=dict)

    @property
    def has_edits(self) -> bool:
        """Whether a parameter requests a feature or an output option."""
        return bool(self.edits or self.output)


def is_known(name: str) -> bool:
    """Whether a query name means anything here; `IGNORED_PARAMETERS=*` drops all others."""
    head = name.partition(".")[0]
    if head in CONTROLS or head == "output" or head in feature_names() or name in spellings(Output):
        return True
    return any(name in spellings(feature.params) for feature in CATALOGUE)


def read(pairs: Iterable[tuple[str, object]]) -> ParsedQuery:
    """Sort decoded pairs by whom they concern. Raises InvalidParameter."""
    pairs = list(pairs)
    words = ParsedQuery(_controls(pairs))
    named = [by_name(name) for name in _listed(words.controls.get("feature", ""))]
    undotted: list[tuple[str, object]] = []
    for name, value in pairs:
        if name in CONTROLS:
            continue
        if "." in name:
            _dotted(words, name, value)
        elif name in feature_names() and not _fields_of(named, name):
            _switch(words.edits, by_name(name), name, value)
        else:
            undotted.append((name, value))
    for feature in named:
        words.edits.setdefault(feature.name, {})
    _sizes(words, named, undotted)
    for name, value in undotted:
        _undotted(words, named, name, value)
    return words


def build_recipe(parameters: ParsedQuery, where: str = "") -> Recipe:
    """Return the validated steps and output options. Raises InvalidParameter.

    A feature that is named with a value that leaves it out, such as `flip=0`, is switched off.
    """
    steps = edits(parameters.edits, text=True, where=where)
    off = parameters.edits.keys() - {step.feature.name for step in steps}
    return Recipe(steps, check(Output, parameters.output, where=where, text=True), frozenset(off))


def _parse_preset(preset: object, where: str) -> Recipe | None:
    """Parse a preset that is written as query parameters. Raises InvalidParameter."""
    if not isinstance(preset, str):
        return None
    from handler.auth.canonical import split_query  # noqa: PLC0415 - most presets are JSON

    try:
        parameters = read(split_query(preset))
    except BadRequest:
        raise InvalidParameter(where, "query parameters as a URL has them, each once", preset) from None
    for name in parameters.controls:
        if name != "feature":
            raise InvalidParameter(f"{where}.{name}", "left out: it steers a request", parameters.controls[name])
    return build_recipe(parameters, where)


def _serialize(request: ParsedRequest) -> tuple[str, ...]:
    from handler.requests.dialects.query.serialize import to_query  # noqa: PLC0415 - only `translate` writes URLs

    # Behind the prefix, a key that looks like something else is a key nevertheless.
    return to_query(request, "/"), to_query(request, KEY_PREFIX)


def _controls(pairs: Iterable[tuple[str, object]]) -> dict[str, str]:
    controls: dict[str, str] = {}
    for name, value in pairs:
        if name in controls:
            raise InvalidParameter(name, "given once", value)
        if name in CONTROLS:
            controls[name] = _control(name, value)
    return controls


def _fields_of(named: list[Feature], name: str) -> list[Feature]:
    """Those of the named features that have a field of this name; it goes before a feature's own name."""
    return [feature for feature in named if name in spellings(feature.params)]


def _control(name: str, value: object) -> str:
    if isinstance(value, list) and name == "feature":
        return ",".join(map(str, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InvalidParameter(name, "text", value)
    return value


def _listed(value: str) -> list[str]:
    return [name for name in (part.strip() for part in value.split(",")) if name]


def _dotted(words: ParsedQuery, name: str, value: object) -> None:
    head, _, rest = name.partition(".")
    if head == "output":
        _once(words.output, _output_name(rest), value, name)
    else:
        _field(words.edits, by_name(head, name), rest, value, name)


def _output_name(name: str) -> str:
    known = spellings(Output).get(name)
    return known.name if known else name


def _switch(edits: Params, feature: Feature, name: str, value: object) -> None:
    """`blur=3`, `flip=true`; also beside other fields, whichever of them stands first."""
    params = edits.get(feature.name)
    if params is None:
        edits[feature.name] = value
        return
    main = main_field(feature.params)
    if not isinstance(params, dict) or isinstance(value, Mapping) or (main is None and not _is_on(value)):
        raise InvalidParameter(name, f"given once, not also as `{feature.name}.…`", value)
    if main is not None and not _is_on(value):
        _once(params, main.name, value, name)


def _field(edits: Params, feature: Feature, name: str, value: object, where: str) -> None:
    known = spellings(feature.params).get(name)
    params = edits.setdefault(feature.name, {})
    if not isinstance(params, dict):
        main = main_field(feature.params)
        if isinstance(params, Mapping) or (main is None and not _is_on(params)):
            raise InvalidParameter(where, f"given once, not also as `{feature.name}=`", value)
        params = edits[feature.name] = {} if main is None or _is_on(params) else {main.name: params}
    _once(params, known.name if known else name, value, where)


def _is_on(value: object) -> bool:
    """`blur=true` only switches on; `blur=3` sets the main field."""
    return value is True or (isinstance(value, str) and value.lower() in {"true", "yes", "on"})


def _once(params: Params, name: str, value: object, where: str) -> None:
    if name in params:
        raise InvalidParameter(where, "given once", value)
    params[name] = value


def _sizes(words: ParsedQuery, named: list[Feature], undotted: list[tuple[str, object]]) -> None:
    sizes = any(name in _SIZES for name, _ in undotted)
    if sizes and not any(size in spellings(feature.params) for feature in named for size in _SIZES):
        words.edits.setdefault("resize", {})


def _undotted(words: ParsedQuery, named: list[Feature], name: str, value: object) -> None:
    claims = _claims(words, named, name)
    if len(claims) == 1:
        _field(words.edits, claims[0], name, value, name)
    elif claims:
        dotted = " or ".join(f"`{feature.name}.{name}`" for feature in claims)
        raise InvalidParameter(name, f"written as {dotted}: {len(claims)} features have it", value)
    elif name in spellings(Output):
        _once(words.output, _output_name(name), value, name)
    else:
        raise InvalidParameter(name, "a known parameter (see /_api/openapi.json)", value)


def _claims(words: ParsedQuery, named: list[Feature], name: str) -> list[Feature]:
    """The features that an undotted name may belong to: of those named, else of those switched on, else of all."""
    if by_feature := _fields_of(named, name):
        return by_feature
    if name in _SIZES:
        return [by_name("resize")]
    switched = [by_name(switch) for switch in ORDER if switch in words.edits]
    switched = [feature for feature in switched if name in spellings(feature.params)]
    if switched or name in spellings(Output):
        return switched
    return [feature for feature in CATALOGUE if name in spellings(feature.params)]


DIALECT = Dialect(
    name="query",
    parse=lambda path: ParsedRequest(ref=ObjectRef("", path)),
    serialize=_serialize,
    parse_preset=_parse_preset,
    reads_query=True,
)
