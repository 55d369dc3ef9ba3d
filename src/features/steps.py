"""Validated steps from edits, in the order of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from features.catalogue import ORDER, by_name, names
from imaging.errors import InvalidParameter
from imaging.params.validation import check, fields, main_field, suggest
from imaging.pipeline.feature import Feature, Step

_OFF = {"", "false", "no", "off"}
_ON = {"true", "yes", "on"}
_MAX_LIST = 16
"""The most elements of a list: as many as a request may have overlays."""


def edits(edits_by_name: Mapping[str, object], *, text: bool = False, where: str = "") -> tuple[Step, ...]:
    """Return the steps for edits, a mapping from feature names to parameters, in the order of the catalogue.

    The parameters of a feature are a mapping, or one value for its main field; true stands for its defaults, and false
    or null leaves the feature out. A feature that draws over the image may have a list of them, which is applied in its
    order. With `text`, values are strings from a URL. Raises InvalidParameter.
    """
    prefix = f"{where}." if where else ""
    requested: dict[str, Step] = {}
    lists: list[Step] = []
    for name, value in edits_by_name.items():
        if name not in names():
            raise InvalidParameter(prefix + name, "one of " + ", ".join(ORDER) + suggest(name, names()), value)
        feature = by_name(name)
        if feature.name in requested:
            raise InvalidParameter(prefix + name, f"given once, not also as `{prefix}{feature.name}`", value)
        first, *more = _steps(feature, value, prefix + name, text=text) or (None,)
        if first is not None:
            requested[feature.name] = first
            lists += more
    for step in tuple(requested.values()):
        if step.implied is not None:
            name, parameters = step.implied
            requested.setdefault(name, Step(by_name(name), check(by_name(name).params, parameters)))
    reports = [name for name, step in requested.items() if step.is_report]
    if len(reports) > 1:
        raise InvalidParameter(
            prefix + reports[1], f"left out, because `{prefix}{reports[0]}` is already a report", "a second report"
        )
    return in_order((*requested.values(), *lists))


def in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps in the order of the catalogue."""
    return tuple(sorted(steps, key=lambda step: ORDER.index(step.feature.name)))


def _steps(feature: Feature, value: object, where: str, *, text: bool) -> tuple[Step, ...]:
    """Return the step for the parameters of a feature, or one for each element of a list of them."""
    if not (feature.repeats and isinstance(value, list) and all(isinstance(each, Mapping) for each in value)):
        step = _step(feature, value, where, text=text)
        return () if step is None else (step,)
    if not 1 <= len(value) <= _MAX_LIST:
        raise InvalidParameter(where, f"1 to {_MAX_LIST} objects of parameters", value)
    at = "{}.{}" if text else "{}[{}]"
    found = [_step(feature, each, at.format(where, number), text=text) for number, each in enumerate(value)]
    return tuple(step for step in found if step is not None)


def _step(feature: Feature, value: object, where: str, *, text: bool) -> Step | None:
    if isinstance(value, Mapping):
        return Step(feature, check(feature.params, value, where=where, text=text))
    if text and value == "" and feature.redacts is not None:
        # A page that leaves the value empty by mistake must not publish what it meant to hide.
        raise InvalidParameter(where, "true, false or what to hide", value)
    main = main_field(feature.params)
    switched = _switched(value, text=text, number=main is not None)
    if switched is not None:
        return Step(feature, check(feature.params, {}, where=where)) if switched else None
    if main is None:
        first = next(iter(fields(feature.params)), "")
        more = f", or its parameters by name, such as {where}.{first}" if first else ""
        raise InvalidParameter(where, f"true or false{more}", value)
    return Step(feature, check(feature.params, {main.name: value}, where=where, text=text))


def _switched(value: object, *, text: bool, number: bool) -> bool | None:
    """Return whether a value switches a feature on or off; None if it is neither.

    With `number`, 0 and 1 are values of the main field, not switches.
    """
    word = value.lower() if text and isinstance(value, str) else value
    if word is None or isinstance(word, bool):
        return bool(word)
    if not number and word in (0, 1, "0", "1"):
        return word in (1, "1")
    if text and isinstance(word, str) and word in _ON | _OFF:
        return word in _ON
    return None
