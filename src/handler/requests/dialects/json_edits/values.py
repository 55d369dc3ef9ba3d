"""The values of JSON edits, converted from sharp's and AWS's parameters to those of this project's features.

sharp's parameters are documented at https://sharp.pixelplumbing.com. AWS's own (`smartCrop`, `overlayWith`, `ratio`)
are those of `source/image-handler/image-handler.ts` in its image handler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from features import by_name, feature_names
from handler.requests.dialects import aws_rules
from handler.requests.dialects.dialect import Faults
from imaging import InvalidParameter, main_field, spellings, suggest

Params = dict[str, object]
FEATURES = {"overlayWith": "watermark", "smartCrop": "smartCropping"}
"""The feature of an edit whose value is converted too. Edits that differ by name only are aliases in the catalogue."""
_CODES = {"resize": aws_rules.RESIZE_ERROR, "overlayWith": aws_rules.OVERLAY_ERROR}
"""The codes that AWS's image handler gives to errors about an edit."""
_OVERLAY_FIELDS = {"width": "wRatio", "height": "hRatio", "opacity": "alpha"}
_GRAVITIES = ("center", "north", "east", "south", "west", "northeast", "southeast", "southwest", "northwest")
_STRATEGIES = {16: "entropy", 17: "attention"}
_CHANNELS = ("red", "green", "blue", "alpha")


def convert_value(name: str, params: object, where: str, faults: Faults) -> object:
    """Return the value of an edit as the feature of that name takes it. Raise InvalidParameter."""
    if name == "joinChannel":
        raise InvalidParameter(where, "left out: sharp would read files of the server", params)
    if name == "overlayWith":
        return _convert_overlay(params, where, faults)
    convert = _CONVERTERS.get(name)
    if convert is not None:
        return convert(params, where)
    # An edit that is a colour alone, such as `tint: {"r": 9, "g": 9, "b": 9}`, sets the feature's main parameter.
    # `alpha` of negate and `b` of linear are parameters of their own and not channels.
    main = main_field(by_name(name).params) if name in feature_names() else None
    if main is None or not isinstance(params, Mapping) or not params or not set(params) <= {"r", "g", "b", "alpha"}:
        return params
    return params if set(params) & set(spellings(by_name(name).params)) else {main.name: params}


def rename_error(error: InvalidParameter, where: str, request_names: Mapping[str, str]) -> InvalidParameter:
    """Return the error with the name of the edit as the request spells it, and with AWS's code.

    `where` is the name of the edits as a whole, and `request_names` the name of the edit for each feature.
    """
    feature, _, field = error.name.removeprefix(f"{where}.").partition(".")
    name = request_names.get(feature, feature)
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
            given = converted[side]
            # Empty text is a side that is not given.
            converted[side] = (
                None if given == "" else aws_rules.round_side(aws_rules.parse_number(given), f"{where}.{side}", given)
            )
    for name in ("position", "gravity", "strategy"):
        if isinstance(converted.get(name), int):
            converted[name] = _convert_position(converted[name], f"{where}.{name}")
    aws_rules.apply_ratio(converted)
    return converted


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
        given = {str(name): part for name, part in params.items() if part is not None}
        return {**aws_rules.SMART_CROP_DEFAULTS, **given}
    return params


def _convert_overlay(params: object, where: str, faults: Faults) -> object:
    """Return parameters of `watermark`: `alpha` 0 is opaque, ratios are percentages, and `options` are sharp's."""
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params, code=_CODES["overlayWith"])
    names = {"bucket": "bucket", "key": "key", "wRatio": "width", "hRatio": "height"}
    converted: Params = {}
    for name, part in params.items():
        if name == "options":
            converted.update(_convert_overlay_options(part, f"{where}.options", faults))
        elif name == "alpha":
            # AWS ignores an alpha or a share that is not a whole number from 0 to 100 (getOverlayImage).
            with faults.leave_out():
                if part not in (None, ""):
                    converted["opacity"] = 100 - aws_rules.parse_percentage(part, f"{where}.alpha")
        elif name not in names:
            known = (*names, "alpha", "options")
            expected = "one of " + ", ".join(known) + suggest(name, known)
            faults.tolerate(InvalidParameter(f"{where}.{name}", expected, part, code=_CODES["overlayWith"]))
        elif part not in (None, ""):
            is_ratio = name.endswith("Ratio")
            with faults.leave_out():
                converted[names[name]] = aws_rules.parse_percentage(part, f"{where}.{name}") if is_ratio else part
    return converted


def _convert_overlay_options(params: object, where: str, faults: Faults) -> Params:
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params, code=_CODES["overlayWith"])
    known = ("left", "top", "gravity", "tile", "blend")
    converted: Params = {}
    for name, part in params.items():
        if name not in known:
            listed = "one of " + ", ".join(known) + suggest(name, known)
            faults.tolerate(InvalidParameter(f"{where}.{name}", listed, part, code=_CODES["overlayWith"]))
            continue
        if part not in (None, ""):
            is_number = name == "gravity" and type(part) is int
            converted[str(name)] = _convert_position(part, f"{where}.gravity") if is_number else part
    return converted


_CONVERTERS: dict[str, Callable[[object, str], object]] = {
    "resize": _convert_resize,
    "rotate": _convert_rotate,
    "convolve": _convert_convolve,
    "extractChannel": _convert_extract_channel,
    "smartCrop": _convert_smart_crop,
}
