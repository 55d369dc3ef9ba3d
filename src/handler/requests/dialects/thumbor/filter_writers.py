"""The filter that each feature becomes in a Thumbor path."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Params = dict[str, Any]
_GRAY_MATRIX = ",".join(["0.299,0.587,0.114"] * 3)
"""The matrix of `recomb` that Thumbor's `grayscale()` becomes (see `effects`)."""


def _parse_numbers(text: Any) -> list[float]:
    return [float(number) for number in str(text).split(",")]


def _write_linear(params: Params) -> str:
    # No filter multiplies.
    if "a" in params:
        return ""
    percentages = [round(level * 100 / 255) for level in _parse_numbers(params.get("b", "0"))]
    if len(percentages) == 1:
        return f"brightness({percentages[0]})"
    return f"rgb({','.join(map(str, percentages[:3]))})"


def _write_blur(params: Params) -> str:
    sigma, height = params.get("sigma"), params.get("minAmplitude", 0.2)
    if sigma is None:
        return ""
    # The inverse of `effects`: height = exp(-(radius + 0.5)² / 2·sigma²).
    radius = max(1, round(sigma * math.sqrt(-2 * math.log(height)) - 0.5)) if height < 1 else 1
    return f"blur({radius},{sigma:g})"


def _write_curve(params: Params) -> str:
    curves = []
    for name in ("all", "red", "green", "blue"):
        levels = _parse_numbers(params[name]) if name in params else []
        points = zip(levels[::2], levels[1::2], strict=False)
        curves.append("[" + ",".join(f"({x:.0f},{y:.0f})" for x, y in points) + "]")
    return f"curve({','.join(curves)})"


def _write_convolution(params: Params) -> str:
    weights = _parse_numbers(params["kernel"])
    columns = params.get("width") or round(len(weights) ** 0.5)
    is_normalised = abs(params.get("scale", 0.0) - sum(weights)) < 1e-6
    return f"convolution({';'.join(f'{weight:g}' for weight in weights)},{columns},{str(is_normalised).lower()})"


def _write_fill(params: Params) -> str:
    mode = {"mean": "auto", "blur": "blur"}.get(params.get("mode", ""), params.get("color", "000000"))
    return f"fill({mode}{',true' if params.get('behind') else ''})"


def _write_round_corners(params: Params) -> str:
    color = str(params.get("background", "00000000")).ljust(6, "0")
    channels = ",".join(str(int(color[at : at + 2], 16)) for at in (0, 2, 4))
    radii = f"{params.get('radius', '20')}" + (f"|{params['radiusY']}" if "radiusY" in params else "")
    is_transparent = color.endswith("00") and len(color) == 8
    return f"round_corner({radii},{channels}{',true' if is_transparent else ''})"


def _write_watermark(params: Params) -> str:
    # Thumbor's filter has no bucket.
    if params.get("bucket"):
        return ""
    x, y = (_write_position(params, axis) for axis in (("left", "right"), ("top", "bottom")))
    sides = [f"{params[side]:g}" if side in params else "none" for side in ("width", "height")]
    return f"watermark({_write_key(params)},{x},{y},{100 - params.get('opacity', 100):g},{','.join(sides)})"


def _write_key(params: Params) -> str:
    """Return the key as an argument, between quotes where it has a character that separates arguments.

    A key that even quotes cannot express (it holds one itself, say) becomes `)/`, which ends the filter too early:
    The parser refuses that, so the filter is left out.
    """
    from handler.requests.dialects.thumbor.grammar import FilterCall  # noqa: PLC0415 - with the parser alone

    key = str(params["key"])
    written = f"'{key}'" if set(key) & set(",()[]") else key
    return written if FilterCall("", f"{written},0").arguments == [key, "0"] else ")/"


def _write_position(params: Params, axis: tuple[str, str]) -> str:
    """Return where an overlay is placed on one axis, which is named by its near and its far edge."""
    near, far = axis
    if params.get("tile"):
        return "repeat"
    words = str(params.get("position", "center")).split("-")
    return str(params.get(near, "0" if near in words else "-0" if far in words else "center"))


def _write_resize(params: Params) -> str:
    """Return the filter for a resize that does not come first, which the size segment cannot express."""
    if set(params) == {"ratio"}:
        return f"proportion({params['ratio']:g})"
    return "upscale()" if params.get("fit") == "inside" and params.get("centred") else ""


FILTER_WRITERS: Mapping[str, Callable[[Params], str]] = {
    "blur": _write_blur,
    "colorize": lambda params: (
        f"colorize({params.get('red', 50):g},{params.get('green', 50):g},{params.get('blue', 50):g},{params['color']})"
    ),
    "contrast": lambda params: f"contrast({params['amount']:g})",
    "convolve": _write_convolution,
    "curve": _write_curve,
    "equalise": lambda _: "equalize()",
    "fill": _write_fill,
    "flatten": lambda params: f"background_color({params.get('background', '000000')})",
    "frame": lambda params: f"frame({_write_key(params)})",
    "grayscale": lambda _: "grayscale()",
    "linear": _write_linear,
    "noise": lambda params: f"noise({params['amount']},{params.get('seed', 0)})",
    "recomb": lambda params: "grayscale()" if params["matrix"] == _GRAY_MATRIX else "",
    "redEye": lambda _: "red_eye()",
    "resize": _write_resize,
    # Thumbor rotates anticlockwise.
    "rotate": lambda params: f"rotate({-params.get('angle', 0) % 360:g})",
    "roundCorners": _write_round_corners,
    "vividness": lambda params: f"saturation({params['factor']:g})",
    "watermark": _write_watermark,
    "waveletSharpen": lambda params: (
        f"sharpen({params['amount']:g},{params.get('radius', 0.5):g},{str(params.get('luminance', True)).lower()})"
    ),
}
"""The filter that each feature becomes; nothing (an empty text) for parameters that it cannot express."""
