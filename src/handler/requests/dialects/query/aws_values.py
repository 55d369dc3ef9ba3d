"""Query parameters whose values AWS's image handler reads more loosely: numbers by parseInt, and switches.

The source is `source/image-handler/query-param-mapper.ts` of AWS's Dynamic Image Transformation for Amazon CloudFront.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from features import by_name, edits
from handler.requests.dialects.dialect import Faults
from imaging import Feature, InvalidParameter

_NUMBERS = (("resize", "width"), ("resize", "height"), ("rotate", "angle"))
"""The features and parameters that AWS reads with JavaScript's parseInt."""
_SWITCHES = ("flip", "flop", "grayscale")
_PARSE_INT = re.compile(r"\s*([+-]?[0-9]{1,9})")


def repair_values(requested: Mapping[str, object], faults: Faults) -> dict[str, object]:
    """Return edits with values that AWS reads in its own way as it reads them; valid values stay as they are."""
    repaired = dict(requested)
    for name, field in _NUMBERS:
        value = repaired.get(name)
        if isinstance(value, Mapping):
            number = _repair_number(by_name(name), field, value.get(field), faults)
            repaired[name] = {**value, field: number} if field in value else value
        elif name in repaired:
            repaired[name] = _repair_number(by_name(name), field, value, faults)
    for name in _SWITCHES:
        # AWS's list of values that are off is "0", "false" and "", which are off here too.
        value = repaired.get(name)
        if isinstance(value, str) and _error_of(by_name(name), value) is not None:
            faults.tolerate(InvalidParameter(name, "true or false", value))
            repaired[name] = "true"
    return repaired


def _repair_number(feature: Feature, field: str, value: object, faults: Faults) -> object:
    """Return the whole number at the beginning of an invalid text; without one, or if valid, the value as it is."""
    if not isinstance(value, str):
        return value
    error = _error_of(feature, {field: value})
    number = _PARSE_INT.match(value)
    if error is None or number is None:
        return value
    faults.tolerate(InvalidParameter(field if feature.name == "resize" else feature.name, error.expected, value))
    return str(int(number[1]))


def _error_of(feature: Feature, params: object) -> InvalidParameter | None:
    """Return why a feature refuses its parameters, None if it does not."""
    try:
        edits({feature.name: params}, text=True)
    except InvalidParameter as error:
        return error
    return None
