"""Generate the types of the TypeScript client from what demo-ui/features.json holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from features import CATALOGUE
from handler.reference.controls import controls

Control = Mapping[str, Any]

_HEAD = """// Generated from the code of the service: make reference

/** A length: a number of pixels, or text such as `"25p"` for 25 % of the image. */
export type Length = number | string;

/** What a parameter takes; a list is written with commas. */
export type OptionValue = string | number | boolean | readonly (string | number)[];
"""
_GENERAL = """  /** Edits that are applied in this order, behind all others. */
  steps?: readonly object[] | string;
  /** Features without parameters, by name. */
  feature?: string | readonly string[];
  /** Edits that the operator has stored under this name. */
  preset?: string;
  /** Changes nothing; makes a new URL for the caches. */
  v?: string | number;
  /** Another of the configured sources. */
  bucket?: string;
  /** Any parameter by its full name, such as `"watermark.key"`. */
  [parameter: `${string}.${string}`]: OptionValue | undefined;
}
"""
_OF_RESIZE = ("width", "height", "fit")
"""Parameters of resize that a URL may name without the feature."""
_REPEATED = frozenset(feature.name for feature in CATALOGUE if feature.repeats)
"""Features that a list of parameters applies several times."""
_TYPES = {"integer": "number", "number": "number", "switch": "boolean", "length": "Length"}
_LISTS = {"names": "string | readonly string[]", "numbers": "string | readonly number[]"}


def client_types() -> str:
    """Return the TypeScript module: an interface for each feature, and one for all options."""
    described = controls()
    features = described["features"]
    interfaces = [_interface(feature) for feature in features if feature["parameters"]]
    return "\n".join([_HEAD, *interfaces, _options(features, described["output"])])


def _interface(feature: Control) -> str:
    members = [line for parameter in feature["parameters"] for line in _member(parameter)]
    return "\n".join([_comment(feature["help"]), f"export interface {_type_name(feature)} {{", *members, "}", ""])


def _options(features: list[Control], output: list[Control]) -> str:
    lines = [
        "/** What a request may contain: features, and how the result is encoded. */",
        "export interface ImageOptions {",
    ]
    lines += [line for option in output for line in _member(option)]
    for feature in features:
        if feature["name"] == "resize":
            sizes = [parameter for parameter in feature["parameters"] if parameter["name"] in _OF_RESIZE]
            lines += [line for parameter in sizes for line in _member(parameter)]
        for name in (feature["name"], *feature.get("aliases", ())):
            lines += [f"  {_comment(feature['help'])}", f"  {name}?: {_feature_type(feature)};"]
    return "\n".join([*lines, _GENERAL])


def _feature_type(feature: Control) -> str:
    """Return what a feature takes: true, its main parameter, or an object of its parameters."""
    main = [_type_of(parameter) for parameter in feature["parameters"] if parameter.get("main")]
    own = [_type_name(feature)] if feature["parameters"] else []
    own += [f"readonly {name}[]" for name in own if feature["name"] in _REPEATED]
    return " | ".join(dict.fromkeys(["boolean", *main, *own]))


def _member(parameter: Control) -> Iterator[str]:
    """Yield a member for a parameter, and one for each of its aliases; only the first can be required."""
    default = parameter.get("default")
    note = "" if default is None else f" Default: {json.dumps(default, ensure_ascii=False)}."
    mark = "" if parameter.get("required") and not parameter.get("aliases") else "?"
    for name in (parameter["name"], *parameter.get("aliases", ())):
        yield f"  {_comment(parameter['help'].rstrip('.') + '.' + note)}"
        yield f"  {name}{mark}: {_type_of(parameter)};"


def _type_of(parameter: Control) -> str:
    choices = " | ".join(json.dumps(choice) for choice in parameter.get("choices", ()))
    if choices:
        others = {"choice": "", "integer": " | number"}.get(parameter["control"], " | (string & {})")
        return choices + others
    return _TYPES.get(parameter["control"]) or _LISTS.get(parameter["control"]) or "string"


def _type_name(feature: Control) -> str:
    name: str = feature["name"]
    return f"{name[0].upper()}{name[1:]}Options"


def _comment(text: str) -> str:
    return f"/** {text.replace('*/', '* /')} */"
