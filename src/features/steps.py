"""What the unordered dialects say, checked and put into the catalogue's order."""

from __future__ import annotations

from collections.abc import Mapping

from features.catalogue import ORDER, by_name, names
from imaging.errors import InvalidParameter
from imaging.params.validation import check, main_field
from imaging.pipeline.feature import Feature, Step

_OFF = {"", "false", "no", "off"}
_ON = {"true", "yes", "on"}


def edits(said: Mapping[str, object], *, text: bool = False, where: str = "") -> tuple[Step, ...]:
    """The steps that `said` asks for: feature name → its parameters, in the catalogue's order.

    The parameters are a mapping, or one value for the feature's main field; true switches a feature on with its
    defaults and false, 0 or nothing leaves it out. With `text` values are strings from a URL. Raises InvalidParameter.
    """
    prefix = f"{where}." if where else ""
    requested: dict[str, Step] = {}
    for name, value in said.items():
        if name not in names():
            raise InvalidParameter(prefix + name, "one of " + ", ".join(ORDER), value)
        feature = by_name(name)
        if feature.name in requested:
            raise InvalidParameter(prefix + name, f"given once, not also as `{prefix}{feature.name}`", value)
        step = _step(feature, value, prefix + name, text=text)
        if step is not None:
            requested[feature.name] = step
    for step in tuple(requested.values()):
        if step.feature.implies is not None:
            name, parameters = step.feature.implies(step.params)
            requested.setdefault(name, Step(by_name(name), check(by_name(name).params, parameters)))
    reports = [name for name, step in requested.items() if step.is_report]
    if len(reports) > 1:
        raise InvalidParameter(prefix + reports[1], f"left out: `{prefix}{reports[0]}` reports already", "a report")
    return in_order(tuple(requested.values()))


def in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same steps, as the catalogue has them."""
    return tuple(sorted(steps, key=lambda step: ORDER.index(step.feature.name)))


def _step(feature: Feature, value: object, where: str, *, text: bool) -> Step | None:
    if isinstance(value, Mapping):
        return Step(feature, check(feature.params, value, where=where, text=text))
    main = main_field(feature.params)
    switched = _switched(value, text=text, number=main is not None)
    if switched is not None:
        return Step(feature, check(feature.params, {}, where=where)) if switched else None
    if main is None:
        raise InvalidParameter(where, "true or false, or its parameters", value)
    return Step(feature, check(feature.params, {main.name: value}, where=where, text=text))


def _switched(value: object, *, text: bool, number: bool) -> bool | None:
    """Whether a value switches on or off; None where it is something else. A `number` may be 0 or 1 itself."""
    word = value.lower() if text and isinstance(value, str) else value
    if word is None or isinstance(word, bool):
        return bool(word)
    if not number and word in (0, 1, "0", "1"):
        return word in (1, "1")
    if text and word in _ON | _OFF:
        return word in _ON
    return None
