"""The values of JSON edits, converted from sharp's and AWS's parameters to those of this project's features.

sharp's parameters are documented at https://sharp.pixelplumbing.com. AWS's own (`smartCrop`, `overlayWith`, `ratio`)
are those of `source/image-handler/image-handler.ts` in its image handler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from features import by_name, feature_names
from imaging import InvalidParameter, main_field, spellings

Params = dict[str, object]
FEATURES = {"overlayWith": "watermark", "smartCrop": "smartCropping"}
"""The feature of an edit whose value is converted too. Edits that differ by name only are aliases in the catalogue."""
_CODES = {"resize": "InvalidResizeException", "overlayWith": "OverlayImageException"}
"""The codes that AWS's image handler gives to errors about an edit."""
_OVERLAY_FIELDS = {"width": "wRatio", "height": "hRatio", "opacity": "alpha"}
_GRAVITIES = ("center", "north", "east", "south", "west", "northeast", "southeast", "southwest", "northwest")
_STRATEGIES = {16: "entropy", 17: "attention"}
_CHANNELS = ("red", "green", "blue", "alpha")
_MAX_SIDE = 65_535


def convert_value(name: str, params: object, where: str) -> object:
    """Return the value of an edit as the feature of that name takes it. Raise InvalidParameter."""
    if name == "joinChannel":
        raise InvalidParameter(where, "left out: sharp would read files of the server", params)
    convert = _CONVERTERS.get(name)
    if convert is not None:
        return convert(params, where)
    # An edit that is a colour alone, such as `tint: {"r": 9, "g": 9, "b": 9}`, sets the feature's main parameter.
    # `alpha` of negate and `b` of linear are parameters of their own and not channels.
    main = main_field(by_name(name).params) if name in feature_names() else None
    if main is None or not isinstance(params, Mapping) or not params or not set(params) <= {"r", "g", "b", "alpha"}:
        return params
    return params if set(params) & set(spellings(by_name(name).params)) else {main.name: params}


def rename_error(error: InvalidParameter, where: str, spoken: Mapping[str, str]) -> InvalidParameter:
    """Return the error with the name of the edit as the request spells it, and with AWS's code.

    `where` is the name of the edits as a whole, and `spoken` the name of the edit for each feature.
    """
    feature, _, field = error.name.removeprefix(f"{where}.").partition(".")
    name = spoken.get(feature, feature)
    if name == "overlayWith":
        field = _OVERLAY_FIELDS.get(field, field)
    # An error with a code of its own, such as that of a padding that leaves the image, keeps it.
    code = _CODES.get(name, error.code) if error.code == InvalidParameter.code else error.code
    return InvalidParameter(f"{where}.{name}" + (f".{field}" if field else ""), error.expected, error.got, code=code)


def _convert_resize(params: object, where: str) -> object:
    """Round sides, name positions, and apply AWS's `ratio` to both sides or to the original's."""
    if not isinstance(params, Mapping):
        return params
    converted = {str(name): part for name, part in params.items() if part is not None and name != "fastShrinkOnLoad"}
    for side in ("width", "height"):
        if side in converted:
            converted[side] = _convert_side(converted[side], f"{where}.{side}")
    for name in ("position", "gravity", "strategy"):
        if isinstance(converted.get(name), int):
            converted[name] = _convert_position(converted[name], f"{where}.{name}")
    if converted.get("ratio") is not None:
        # AWS multiplies the given sides if there are two, else those of the original (applyResize).
        if not (converted.get("width") and converted.get("height")):
            converted.pop("width", None)
            converted.pop("height", None)
        converted.setdefault("fit", "inside")
    return converted


def _convert_side(side: object, where: str) -> int | None:
    """Return a number of pixels, rounded, from a number or from text; None for empty text."""
    if side == "":
        return None
    number = _parse_number(side)
    if not 0 <= number <= _MAX_SIDE:
        raise InvalidParameter(where, f"a whole number from 0 to {_MAX_SIDE}", side, code=_CODES["resize"])
    # JavaScript's Math.round rounds halves up, Python's round does not.
    return math.floor(number + 0.5)


def _parse_number(text: object) -> float:
    """Return a number that JSON has as a number or as text, and NaN for anything else."""
    try:
        return float(text) if isinstance(text, str | int | float) and not isinstance(text, bool) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _convert_position(position: object, where: str) -> str:
    """Return the name of a position that sharp numbers: 0 to 8 are gravities, 16 and 17 strategies."""
    if isinstance(position, int) and not isinstance(position, bool):
        if 0 <= position < len(_GRAVITIES):
            return _GRAVITIES[position]
        if position in _STRATEGIES:
            return _STRATEGIES[position]
    raise InvalidParameter(where, "the name of a position, or its number: 0 to 8, 16 or 17", position)


def _convert_rotate(params: object, where: str) -> object:  # noqa: ARG001 - every converter has one signature
    """Return an angle. Without one sharp applies the orientation of the original, which happens here anyway."""
    return None if params is None or params == "" or params is True else params


def _convert_convolve(params: object, where: str) -> object:  # noqa: ARG001 - see above
    """Apply sharp's rules for `scale` and `offset`: fractions are ignored, and a scale is at least 1."""
    if not isinstance(params, Mapping):
        return params
    converted = {str(name): part for name, part in params.items() if part is not None}
    scale = converted.get("scale")
    if isinstance(scale, float):
        del converted["scale"]
    elif isinstance(scale, int) and not isinstance(scale, bool):
        converted["scale"] = max(1, scale)
    if isinstance(converted.get("offset"), float):
        del converted["offset"]
    return converted


def _convert_extract_channel(params: object, where: str) -> object:  # noqa: ARG001 - see above
    """Return a channel by name, which sharp also takes by number."""
    if isinstance(params, int) and not isinstance(params, bool) and 0 <= params < len(_CHANNELS):
        return {"channel": _CHANNELS[params]}
    return params


def _convert_smart_crop(params: object, where: str) -> object:  # noqa: ARG001 - see above
    """Set AWS's defaults: the first face, without padding. Parameters of `smartCropping` itself stay as they are."""
    if params is True:
        params = {}
    if isinstance(params, Mapping) and set(params) <= {"faceIndex", "padding"}:
        return {"faceIndex": 0, "padding": 0, **{str(name): part for name, part in params.items() if part is not None}}
    return params


def _convert_overlay(params: object, where: str) -> object:
    """Return parameters of `watermark`: `alpha` 0 is opaque, ratios are percentages, and `options` are sharp's."""
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params, code=_CODES["overlayWith"])
    names = {"bucket": "bucket", "key": "key", "wRatio": "width", "hRatio": "height"}
    converted: Params = {}
    for name, part in params.items():
        if name == "options":
            converted.update(_convert_overlay_options(part, f"{where}.options"))
        elif name == "alpha":
            if part not in (None, ""):
                converted["opacity"] = 100 - _convert_percentage(part, f"{where}.alpha")
        elif name not in names:
            expected = "one of " + ", ".join((*names, "alpha", "options"))
            raise InvalidParameter(f"{where}.{name}", expected, part, code=_CODES["overlayWith"])
        elif part not in (None, ""):
            is_ratio = name.endswith("Ratio")
            converted[names[name]] = _convert_percentage(part, f"{where}.{name}") if is_ratio else part
    return converted


def _convert_overlay_options(params: object, where: str) -> Params:
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params, code=_CODES["overlayWith"])
    known = ("left", "top", "gravity", "tile", "blend")
    converted: Params = {}
    for name, part in params.items():
        if name not in known:
            raise InvalidParameter(f"{where}.{name}", "one of " + ", ".join(known), part, code=_CODES["overlayWith"])
        if part not in (None, ""):
            is_number = name == "gravity" and type(part) is int
            converted[str(name)] = _convert_position(part, f"{where}.gravity") if is_number else part
    return converted


def _convert_percentage(percentage: object, where: str) -> float:
    number = _parse_number(percentage)
    if not 0 <= number <= 100:
        raise InvalidParameter(where, "a number from 0 to 100", percentage, code=_CODES["overlayWith"])
    return number


_CONVERTERS: dict[str, Callable[[object, str], object]] = {
    "resize": _convert_resize,
    "rotate": _convert_rotate,
    "convolve": _convert_convolve,
    "extractChannel": _convert_extract_channel,
    "smartCrop": _convert_smart_crop,
    "overlayWith": _convert_overlay,
}
