"""Requests written as Thumbor's paths; what the language cannot say is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handler.errors import NotFound
from handler.requests.dialects.serialize import Request, address, folded
from imaging import InvalidParameter, Step, describe

Params = dict[str, Any]
_GREY = ",".join(["0.299,0.587,0.114"] * 3)
"""The matrix that Thumbor's grayscale() is."""


def in_path(request: Request) -> str:
    """A path behind `unsafe`; the bucket and what else goes with any path stand in the query."""
    steps = [(step.feature.name, describe(step.params)) for step in _sized_first(folded(request.steps))]
    segments, filters = [], []
    if steps and steps[-1][0] == "info":
        steps.pop()
        segments.append("meta")
    for feature, write in (("trim", _trim), ("crop", _crop)):
        if steps and steps[0][0] == feature and _is_read([written := write(steps.pop(0)[1])], []):
            segments.append(written)
    if steps and steps[0][0] == "resize" and "ratio" not in steps[0][1]:
        before, size, after = _resize(steps.pop(0)[1])
        flop, flip = (_taken(steps, feature) for feature in ("flop", "flip"))
        segments += [*before, ("-" if flop else "") + size[0] + "x" + ("-" if flip else "") + size[1]]
        segments += after[0]
        filters += after[1]
    elif any(_taken_first(steps, feature) for feature in ("flop", "flip")):
        flop, flip = (_taken(steps, feature) for feature in ("flop", "flip"))
        segments.append(("-0" if flop else "0") + "x" + ("-0" if flip else "0"))
    filters += [written for feature, params in steps if (written := _effect(feature, params))]
    if filters := _read_back(segments, filters + _output(request)):
        segments.append("filters:" + ":".join(filters))
    pairs = {"bucket": request.ref.bucket} if request.ref.bucket else {}
    return address("/unsafe/" + "/".join((*filter(None, segments), request.ref.key)), {**pairs, **request.controls})


def _read_back(segments: list[str], filters: list[str]) -> list[str]:
    """Those filters that the reader takes as they are meant: it has not every value that a feature takes."""
    kept: list[str] = []
    for written in filters:
        if _is_read(segments, [*kept, written]):
            kept.append(written)
    return kept


def _is_read(segments: list[str], filters: list[str]) -> bool:
    from handler.requests.dialects.thumbor import grammar, mapping  # noqa: PLC0415 - with the reader alone

    chain = ["filters:" + ":".join(filters)] if filters else []
    text = "/".join((*filter(None, segments), *chain, "key"))
    try:
        return len(grammar.parse_path(text).filters) == len(filters) and mapping.whole(text).key == "key"
    except (InvalidParameter, NotFound):
        return False


def _sized_first(steps: tuple[Step, ...]) -> list[Step]:
    """Trim, crop and size come before all filters; what stood before them is told to be out of order."""
    ahead = [step for feature in ("trim", "crop") for step in steps if step.feature.name == feature][:2]
    resize = next((step for step in steps if step.feature.name == "resize"), None)
    if resize is not None and "ratio" not in describe(resize.params):
        ahead.append(resize)
    return [*ahead, *(step for step in steps if all(step is not one for one in ahead))]


def _taken(steps: list[tuple[str, Params]], feature: str) -> bool:
    """Take that feature off the front."""
    if _taken_first(steps, feature):
        steps.pop(0)
        return True
    return False


def _taken_first(steps: list[tuple[str, Params]], feature: str) -> bool:
    return bool(steps) and steps[0][0] == feature


def _trim(params: Params) -> str:
    from handler.requests.dialects.thumbor.geometry import EUCLIDEAN  # noqa: PLC0415 - with the reader alone

    tolerance = round(params.get("threshold", 10.0) * EUCLIDEAN)
    return f"trim:{params.get('corner', 'top-left')}" + (f":{tolerance}" if tolerance else "")


def _crop(params: Params) -> str:
    edges = [str(params.get(name, "0")) for name in ("left", "top", "width", "height")]
    percent = [edge.endswith("p") for edge in edges]
    try:
        left, top, width, height = (float(edge.removesuffix("p")) for edge in edges)
    except ValueError:
        return ""
    if not width or not height or (any(percent) and not all(percent)):
        return ""
    corners = [left, top, left + width, top + height]
    written = [f"{corner / 100:.6f}" if percent[0] else f"{corner:.0f}" for corner in corners]
    return f"{written[0]}x{written[1]}:{written[2]}x{written[3]}"


def _resize(params: Params) -> tuple[list[str], tuple[str, str], tuple[list[str], list[str]]]:
    """Segments before the size, the size, and segments and filters behind it."""
    keep = params.get("keep")
    width, height = ("orig" if keep == side else str(params.get(side) or 0) for side in ("width", "height"))
    fit, filters = params.get("fit", "cover"), []
    before = ""
    if fit in ("inside", "contain", "outside"):
        before = "full-fit-in" if fit == "outside" else "fit-in"
        before = f"adaptive-{before}" if params.get("adaptive") else before
    if fit in ("inside", "contain") and not params.get("withoutEnlargement"):
        filters.append("upscale()")
    if fit == "contain":
        filters.append(f"fill({params.get('background', '000000')})")
    if fit == "fill":
        filters.append("stretch()")
    if params.get("withoutEnlargement") and fit in ("cover", "fill", "outside"):
        filters.append("no_upscale()")
    if "focalX" in params and "focalY" in params:
        x, y = params["focalX"], params["focalY"]
        filters.append(f"focal({max(0, x - 1)}x{max(0, y - 1)}:{x + 1}x{y + 1})")
    location = str(params.get("position", ""))
    words: list[str] = [side for side in ("left", "right", "top", "bottom") if side in location.split("-")]
    if location == "attention":
        words.append("smart")
    return [before], (width, height), (words, filters)


def _effect(feature: str, params: Params) -> str:
    write = _EFFECTS.get(feature)
    return write(params) if write else ""


def _numbers(params: Any) -> list[float]:
    return [float(number) for number in str(params).split(",")]


def _linear(params: Params) -> str:
    if "a" in params:
        return ""
    levels = [round(level * 100 / 255) for level in _numbers(params.get("b", "0"))]
    return f"brightness({levels[0]})" if len(levels) == 1 else f"rgb({','.join(map(str, levels[:3]))})"


def _blur(params: Params) -> str:
    import math  # noqa: PLC0415 - one filter needs it

    sigma, height = params.get("sigma"), params.get("minAmplitude", 0.2)
    if sigma is None:
        return ""
    radius = max(1, round(sigma * math.sqrt(-2 * math.log(height)) - 0.5)) if height < 1 else 1
    return f"blur({radius},{sigma:g})"


def _curve(params: Params) -> str:
    curves = []
    for name in ("all", "red", "green", "blue"):
        levels = _numbers(params[name]) if name in params else []
        pairs = zip(levels[::2], levels[1::2], strict=False)
        curves.append("[" + ",".join(f"({x:.0f},{y:.0f})" for x, y in pairs) + "]")
    return f"curve({','.join(curves)})"


def _convolve(params: Params) -> str:
    weights = _numbers(params["kernel"])
    columns = params.get("width") or round(len(weights) ** 0.5)
    is_normal = abs(params.get("scale", 0.0) - sum(weights)) < 1e-6
    return f"convolution({';'.join(f'{weight:g}' for weight in weights)},{columns},{str(is_normal).lower()})"


def _fill(params: Params) -> str:
    mode = {"mean": "auto", "blur": "blur"}.get(params.get("mode", ""), params.get("color", "000000"))
    return f"fill({mode}{',true' if params.get('behind') else ''})"


def _round_corners(params: Params) -> str:
    color = str(params.get("background", "00000000")).ljust(6, "0")
    channels = ",".join(str(int(color[at : at + 2], 16)) for at in (0, 2, 4))
    radii = f"{params.get('radius', '20')}" + (f"|{params['radiusY']}" if "radiusY" in params else "")
    return f"round_corner({radii},{channels}{',true' if color.endswith('00') and len(color) == 8 else ''})"


def _watermark(params: Params) -> str:
    if params.get("bucket"):
        return ""
    x, y = (_place(params, axis) for axis in (("left", "right"), ("top", "bottom")))
    sides = [f"{params[side]:g}" if side in params else "none" for side in ("width", "height")]
    return f"watermark({_key(params)},{x},{y},{100 - params.get('opacity', 100):g},{','.join(sides)})"


def _key(params: Params) -> str:
    """In quotes where something in it has a meaning; what is read as another key ends in a bracket, and is dropped."""
    from handler.requests.dialects.thumbor.grammar import FilterCall  # noqa: PLC0415 - with the reader alone

    key = str(params["key"])
    written = f"'{key}'" if set(key) & set(",()[]") else key
    return written if FilterCall("", f"{written},0").arguments == [key, "0"] else ")/"


def _place(params: Params, axis: tuple[str, str]) -> str:
    """Where an overlay stands on one axis, from its near side to its far one."""
    near, far = axis
    if params.get("tile"):
        return "repeat"
    words = str(params.get("position", "center")).split("-")
    return str(params.get(near, "0" if near in words else "-0" if far in words else "center"))


def _resized(params: Params) -> str:
    if set(params) == {"ratio"}:
        return f"proportion({params['ratio']:g})"
    return "upscale()" if params.get("fit") == "inside" and params.get("centred") else ""


_EFFECTS: Mapping[str, Callable[[Params], str]] = {
    "blur": _blur,
    "colorize": lambda params: (
        f"colorize({params.get('red', 50):g},{params.get('green', 50):g},{params.get('blue', 50):g},{params['color']})"
    ),
    "contrast": lambda params: f"contrast({params['amount']:g})",
    "convolve": _convolve,
    "curve": _curve,
    "equalise": lambda _: "equalize()",
    "fill": _fill,
    "flatten": lambda params: f"background_color({params.get('background', '000000')})",
    "frame": lambda params: f"frame({_key(params)})",
    "grayscale": lambda _: "grayscale()",
    "linear": _linear,
    "noise": lambda params: f"noise({params['amount']},{params.get('seed', 0)})",
    "recomb": lambda params: "grayscale()" if params["matrix"] == _GREY else "",
    "redEye": lambda _: "red_eye()",
    "resize": _resized,
    "rotate": lambda params: f"rotate({-params.get('angle', 0) % 360:g})",
    "roundCorners": _round_corners,
    "vividness": lambda params: f"saturation({params['factor']:g})",
    "watermark": _watermark,
    "waveletSharpen": lambda params: (
        f"sharpen({params['amount']:g},{params.get('radius', 0.5):g},{str(params.get('luminance', True)).lower()})"
    ),
}


def _output(request: Request) -> list[str]:
    params = describe(request.output)
    filters = [
        f"{name}({params[option]})"
        for option, name in (("format", "format"), ("quality", "quality"), ("maxBytes", "max_bytes"))
        if option in params
    ]
    filters += ["autojpg()"] if params.get("autoJpeg") else []
    filters += ["cover()"] if params.get("animated") is False else []
    caching = {name.lower(): value for name, value in request.headers.items()}.get("cache-control", "")
    age = caching.removeprefix("public, max-age=")
    return filters + ([f"max_age({age})"] if age != caching and age.isdigit() else [])
