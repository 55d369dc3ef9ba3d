"""`watermark.0.key=a.png&watermark.1.key=b.png`: a list of the same feature in query parameters."""

from __future__ import annotations

import re

from features import by_name
from imaging import InvalidParameter, spellings

_NUMBERED = re.compile(r"(0|[1-9][0-9]?)\.(.+)", re.DOTALL)
Numbered = dict[str, dict[int, dict[str, object]]]
"""The parameters of each element, by the feature's name and the number of the element."""


def assign_numbered(numbered: Numbered, name: str, value: object) -> bool:
    """Assign a parameter to its element; return False if the name has no number. Raise InvalidParameter."""
    head, _, rest = name.partition(".")
    match = _NUMBERED.fullmatch(rest)
    if match is None:
        return False
    feature = by_name(head, name)
    if not feature.repeats:
        raise InvalidParameter(name, f"written without a number: `{feature.name}` is applied once", value)
    element = numbered.setdefault(feature.name, {}).setdefault(int(match[1]), {})
    known = spellings(feature.params).get(match[2])
    parameter = known.name if known else match[2]
    if parameter in element:
        raise InvalidParameter(name, "given once", value)
    element[parameter] = value
    return True


def with_lists(edits: dict[str, object], numbered: Numbered) -> dict[str, object]:
    """Return the edits with the lists of features among them. Raise InvalidParameter."""
    for name, elements in numbered.items():
        if name in edits:
            raise InvalidParameter(name, f"given with numbers alone, such as `{name}.0`", edits[name])
        gap = next((number for number in range(len(elements)) if number not in elements), None)
        if gap is not None:
            raise InvalidParameter(f"{name}.{gap}", "given, because numbers count from 0 without gaps", None)
    return {**edits, **{name: [elements[at] for at in sorted(elements)] for name, elements in numbered.items()}}
