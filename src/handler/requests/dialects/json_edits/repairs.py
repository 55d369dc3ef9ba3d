"""Repairs of JSON edits in lenient mode: spellings that clients write and that AWS's image handler and sharp take.

PHP writes an empty object as `[]`, and some clients write numbers and booleans as text. sharp limits the channels of a
colour (its dependency `color`), and reads null as an absent alpha.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from features import by_name, feature_names
from handler.requests.dialects import aws_rules
from handler.requests.dialects.dialect import Faults
from imaging import InvalidParameter, Output, check, spellings

Params = dict[str, object]
_COLOURS = ("background", "tint")
"""The names under which sharp takes a colour."""
_CHANNELS = {"r": 255.0, "g": 255.0, "b": 255.0, "alpha": 1.0}
"""The highest level of each channel."""


def repair_object(value: object, where: str, faults: Faults) -> object:
    """Return an empty object for `[]`, and every other value as it is."""
    if value == [] and isinstance(value, list):
        faults.tolerate(InvalidParameter(where, "an object", value))
        return {}
    return value


def repair_edits(params: Mapping[str, object], where: str, faults: Faults) -> Params:
    """Return the edits with empty arrays as empty objects, and with colours as sharp takes them."""
    repaired: Params = {}
    for name, value in params.items():
        at = f"{where}.{name}"
        edit = repair_object(value, at, faults)
        if name in _COLOURS:
            edit = _repair_color(edit, at, faults)
        elif isinstance(edit, Mapping):
            edit = _repair_options(edit, at, faults)
        repaired[str(name)] = edit
    return repaired


def drop_unknown(by_feature: Params, where: str, request_names: Mapping[str, str], faults: Faults) -> Params:
    """Return the edits without features and parameters that do not exist.

    `request_names` holds the name of the edit in the request for each feature.
    """
    known: Params = {}
    for name, value in by_feature.items():
        at = f"{where}.{request_names[name]}"
        if name not in feature_names():
            faults.tolerate(InvalidParameter(at, "the name of an edit", value))
            continue
        if isinstance(value, Mapping):
            parameters = spellings(by_name(name).params)
            for option in (each for each in value if each not in parameters):
                expected = f"a known parameter ({', '.join(parameters)})"
                faults.tolerate(InvalidParameter(f"{at}.{option}", expected, value[option]))
            value = {option: part for option, part in value.items() if option in parameters}  # noqa: PLW2901 - the edit
        known[name] = value
    return known


def check_output(options: Params, where: str, faults: Faults) -> Output:
    """Return the checked output options; in lenient mode numbers and booleans may be text. Raise InvalidParameter."""
    try:
        return check(Output, options, where=where)
    except InvalidParameter as error:
        if not faults.is_lenient:
            raise
        output = check(Output, options, where=where, text=True)
        faults.tolerate(error)
        return output


def _repair_options(options: Mapping[str, object], where: str, faults: Faults) -> Params:
    repaired: Params = {}
    for name, value in options.items():
        at = f"{where}.{name}"
        if name in _COLOURS:
            repaired[str(name)] = _repair_color(value, at, faults)
        else:
            repaired[str(name)] = repair_object(value, at, faults) if name == "options" else value
    return repaired


def _repair_color(color: object, where: str, faults: Faults) -> object:
    """Return an object of channels within their limits for an object or an array of numbers, perhaps as text."""
    channels = color
    if isinstance(color, list) and len(color) in (3, 4):
        channels = dict(zip(_CHANNELS, color, strict=False))
    if not isinstance(channels, Mapping) or not channels.keys() <= _CHANNELS.keys():
        return color
    limited: Params = {}
    for name, level in channels.items():
        number = aws_rules.parse_number(level)
        if level is None:
            continue
        if math.isnan(number):
            return color
        limited[name] = min(_CHANNELS[name], max(0.0, number))
    if limited != color:
        faults.tolerate(InvalidParameter(where, "a colour with channels 0 to 255 and alpha 0 to 1", color))
    return limited
