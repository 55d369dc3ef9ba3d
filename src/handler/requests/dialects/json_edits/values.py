"""sharp's and AWS's words for the parameters of an edit, as this house's features have them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from features import by_name, feature_names
from imaging import InvalidParameter, main_field, spellings

Params = dict[str, object]
FEATURES = {"overlayWith": "watermark", "smartCrop": "smartCropping"}
"""Edits that are called otherwise here, and not by an alias that means the same."""
_CODES = {"resize": "InvalidResizeException", "overlayWith": "OverlayImageException"}
_OVERLAY_FIELDS = {"width": "wRatio", "height": "hRatio", "opacity": "alpha"}
_GRAVITIES = ("center", "north", "east", "south", "west", "northeast", "southeast", "southwest", "northwest")
_STRATEGIES = {16: "entropy", 17: "attention"}
_CHANNELS = ("red", "green", "blue", "alpha")


def value(name: str, params: object, where: str) -> object:
    """What an edit says, in this house's words. InvalidParameter."""
    if name == "joinChannel":
        raise InvalidParameter(where, "left out: it would read files of the server", params)
    known = _VALUES.get(name)
    if known is not None:
        return known(params, where)
    main = main_field(by_name(name).params) if name in feature_names() else None
    if main is None or not isinstance(params, Mapping) or not params or not set(params) <= {"r", "g", "b", "alpha"}:
        return params
    # `alpha` of negate and `b` of linear are no channels of a colour.
    return params if set(params) & set(spellings(by_name(name).params)) else {main.name: params}


def respelled(refused: InvalidParameter, where: str, spoken: Mapping[str, str]) -> InvalidParameter:
    """The refusal with the name that was said, and AWS's code for it."""
    feature, _, field = refused.name.removeprefix(f"{where}.").partition(".")
    name = spoken.get(feature, feature)
    if name == "overlayWith":
        field = _OVERLAY_FIELDS.get(field, field)
    code = _CODES.get(name, refused.code) if refused.code == InvalidParameter.code else refused.code
    return InvalidParameter(
        f"{where}.{name}" + (f".{field}" if field else ""), refused.expected, refused.got, code=code
    )


def _resize(params: object, where: str) -> object:
    """Sides are rounded, and may be text; with a ratio both sides count or none, and the fit is inside."""
    if not isinstance(params, Mapping):
        return params
    made = {str(name): part for name, part in params.items() if part is not None and name != "fastShrinkOnLoad"}
    for side in ("width", "height"):
        if side in made:
            made[side] = _whole(made[side], f"{where}.{side}")
    for name in ("position", "gravity", "strategy"):
        if isinstance(made.get(name), int):
            made[name] = _position(made[name], f"{where}.{name}")
    if made.get("ratio") is not None:
        if not (made.get("width") and made.get("height")):
            made.pop("width", None)
            made.pop("height", None)
        made.setdefault("fit", "inside")
    return made


def _whole(params: object, where: str) -> int | None:
    """Pixels that JSON gives as a number or as text, rounded; nothing where there are none."""
    if params == "":
        return None
    try:
        number = float(params) if isinstance(params, str | int | float) and not isinstance(params, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= 65_535:
        raise InvalidParameter(where, "a whole number from 0 to 65535", params, code=_CODES["resize"])
    return math.floor(number + 0.5)


def _position(params: object, where: str) -> str:
    """sharp's numbers for points and strategies."""
    if isinstance(params, int) and not isinstance(params, bool):
        if 0 <= params < len(_GRAVITIES):
            return _GRAVITIES[params]
        if params in _STRATEGIES:
            return _STRATEGIES[params]
    raise InvalidParameter(where, "a position by name, or 0 to 8, 16 or 17", params)


def _rotate(params: object, where: str) -> object:  # noqa: ARG001 - one shape for all
    """A number turns; nothing would strip or apply the orientation, which is applied here anyway."""
    if params is None or params == "" or params is True:
        return None
    return params


def _convolve(params: object, where: str) -> object:  # noqa: ARG001 - one shape for all
    """A scale that is no whole number does not count, one below 1 is 1; an offset must be whole."""
    if not isinstance(params, Mapping):
        return params
    made = {str(name): part for name, part in params.items() if part is not None}
    scale = made.get("scale")
    if isinstance(scale, float):
        del made["scale"]
    elif isinstance(scale, int) and not isinstance(scale, bool):
        made["scale"] = max(1, scale)
    if isinstance(made.get("offset"), float):
        del made["offset"]
    return made


def _extract_channel(params: object, where: str) -> object:  # noqa: ARG001 - one shape for all
    """By name or by number."""
    if isinstance(params, int) and not isinstance(params, bool) and 0 <= params < len(_CHANNELS):
        return {"channel": _CHANNELS[params]}
    return params


def _smart_crop(params: object, where: str) -> object:  # noqa: ARG001 - one shape for all
    """AWS crops to the first face and adds no padding unless it is told otherwise."""
    if params is True:
        params = {}
    if isinstance(params, Mapping) and set(params) <= {"faceIndex", "padding"}:
        return {"faceIndex": 0, "padding": 0, **{str(name): part for name, part in params.items() if part is not None}}
    return params


def _overlay(params: object, where: str) -> object:
    """`alpha` 0 is opaque, ratios are percent, and what sharp is told lies a level deeper."""
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params, code=_CODES["overlayWith"])
    names = {"bucket": "bucket", "key": "key", "wRatio": "width", "hRatio": "height"}
    made: Params = {}
    for name, part in params.items():
        if name == "options":
            made.update(_overlay_options(part, f"{where}.options"))
        elif name == "alpha":
            if part not in (None, ""):
                made["opacity"] = 100 - _percent(part, f"{where}.alpha")
        elif name not in names:
            expected = "one of " + ", ".join((*names, "alpha", "options"))
            raise InvalidParameter(f"{where}.{name}", expected, part, code=_CODES["overlayWith"])
        elif part not in (None, ""):
            made[names[name]] = _percent(part, f"{where}.{name}") if name.endswith("Ratio") else part
    return made


def _overlay_options(params: object, where: str) -> Params:
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params, code=_CODES["overlayWith"])
    known = ("left", "top", "gravity", "tile", "blend")
    made: Params = {}
    for name, part in params.items():
        if name not in known:
            raise InvalidParameter(f"{where}.{name}", "one of " + ", ".join(known), part, code=_CODES["overlayWith"])
        if part not in (None, ""):
            made[str(name)] = _position(part, f"{where}.gravity") if name == "gravity" and type(part) is int else part
    return made


def _percent(params: object, where: str) -> float:
    try:
        number = float(params) if isinstance(params, str | int | float) and not isinstance(params, bool) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if not 0 <= number <= 100:
        raise InvalidParameter(where, "a number from 0 to 100", params, code=_CODES["overlayWith"])
    return number


_VALUES: dict[str, Callable[[object, str], object]] = {
    "resize": _resize,
    "rotate": _rotate,
    "convolve": _convolve,
    "extractChannel": _extract_channel,
    "smartCrop": _smart_crop,
    "overlayWith": _overlay,
}
