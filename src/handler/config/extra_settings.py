"""EXTRA_SETTINGS: settings in one JSON object, for those that a stack has no parameter for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

VARIABLE = "EXTRA_SETTINGS"
_OF_LAMBDA = ("AWS_", "DEMO_", VARIABLE)
"""Beginnings of names that the stack or Lambda itself sets."""


def with_extra_settings(environment: Mapping[str, str], known: Collection[str]) -> Mapping[str, str]:
    """Return the environment with the settings in EXTRA_SETTINGS. Raise ValueError with a line for each fault."""
    try:
        extra = msgspec.json.decode(environment[VARIABLE], type=dict[str, str | int | float | bool])
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{VARIABLE} must be a JSON object of names and texts, numbers or true and false: {error}"
        ) from None
    faults = []
    for name in extra:
        if name.startswith(_OF_LAMBDA) or not (name in known or name.startswith("IMGPROXY_")):
            faults.append(f"{VARIABLE} must name settings of docs/configuration.md, got `{name[:60]}`")
        elif name in environment:
            faults.append(
                f"{VARIABLE} must not name `{name}`, which the environment, or a parameter of the stack, sets"
            )
    if faults:
        raise ValueError("\n".join(faults))
    return {**environment, **{name: _text(value) for name, value in extra.items()}}


def _text(value: str | float | bool) -> str:
    """Return a value as an environment variable has it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value)
