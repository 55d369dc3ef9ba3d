"""Requests written as Thumbor's paths; what the language cannot say is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handler.errors import NotFound
from handler.requests.dialects.serialize import Request, address, folded
from imaging import InvalidParameter, Step, describe

ParsedPath = dict[str, Any]
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
    filters += [written for feature, said in steps if (written := _effect(feature, said))]
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
        return len(grammar.whole(text).filters) == len(filters) and mapping.whole(text).key == "key"
    except (InvalidParameter, NotFound):
        return False


def _sized_first(steps: tuple[Step, ...]) -> list[Step]:
    """Trim, crop and size come before all filters; what stood before them is told to be out of order."""
    ahead = [step for feature in ("trim", "crop") for step in steps if step.feature.name == feature][:2]
    resize = next((step for step in steps if step.feature.name == "resize"), None)
    if resize is not None and "ratio" not in describe(resize.params):
        ahead.append(resize)
    return [*ahead, *(step for step in steps if all(step is not one for one in ahead))]


def _taken(steps: list[tuple[str, ParsedPath]], feature: str) -> bool:
    """Take that feature off the front."""
    if _taken_first(steps, feature):
        steps.pop(0)
        return True
    return False


def _taken_first(steps: list[tuple[str, ParsedPath]], feature: str) -> bool:
    return bool(steps) and steps[0][0] == feature


def _trim(said: ParsedPath) -> str:
    from handler.requests.dialects.thumbor.geometry import EUCLIDEAN  # noqa: PLC0415 - with the reader alone

    tolerance = round(said.get("threshold", 10.0) * EUCLIDEAN)
    return f"trim:{said.get('corner', 'top-left')}" + (f":{tolerance}" if tolerance else "")


def _crop(said: ParsedPath) -> str:
    edges = [str(said.get(name, "0")) for name in ("left", "top", "width", "height")]
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


def _resize(said: ParsedPath) -> tuple[list[str], tuple[str, str], tuple[list[str], list[str]]]:
    """Segments before the size, the size, and segments and filters behind it."""
    keep = said.get("keep")
    width, height = ("orig" if keep == side else str(said.get(side) or 0) for side in ("width", "height"))
    fit, filters = said.get("fit", "cover"), []
    before = ""
    if fit in ("inside", "contain", "outside"):
        before = "full-fit-in" if fit == "outside" else "fit-in"
        before = f"adaptive-{before}" if said.get("adaptive") else before
    if fit in ("inside", "contain") and not said.get("withoutEnlargement"):
        filters.append("upscale()")
    if fit == "contain":
        filters.append(f"fill({said.get('background', '000000')})")
    if fit == "fill":
        filters.append("stretch()")
    if said.get("withoutEnlargement") and fit in ("cover", "fill", "outside"):
        filters.append("no_upscale()")
    if "focalX" in said and "focalY" in said:
        x, y = said["focalX"], said["focalY"]
        filters.append(f"focal({max(0, x - 1)}x{max(0, y - 1)}:{x + 1}x{y + 1})")
    location = str(said.get("position", ""))
    words: list[str] = [side for side in ("left", "right", "top", "bottom") if side in location.split("-")]
    if location == "attention":
        words.append("smart")
    return [before], (width, height), (words, filters)


def _effect(feature: str, said: ParsedPath) -> str:
    write = _EFFECTS.get(feature)
    return write(said) if write else ""


def _numbers(said: Any) -> list[float]:
    return [float(number) for number in str(said).split(",")]


def _linear(said: ParsedPath) -> str:
    if "a" in said:
        return ""
    levels = [round(level * 100 / 255) for level in _numbers(said.get("b", "0"))]
    return f"brightness({levels[0]})" if len(levels) == 1 else f"rgb({','.join(map(str, levels[:3]))})"


def _blur(said: ParsedPath) -> str:
    import math  # noqa: PLC0415 - one filter needs it

    sigma, height = said.get("sigma"), said.get("minAmplitude", 0.2)
    if sigma is None:
        return ""
    radius = max(1, round(sigma * math.sqrt(-2 * math.log(height)) - 0.5)) if height < 1 else 1
    return f"blur({radius},{sigma:g})"


def _curve(said: ParsedPath) -> str:
    curves = []
    for name in ("all", "red", "green", "blue"):
        levels = _numbers(said[name]) if name in said else []
        pairs = zip(levels[::2], levels[1::2], strict=False)
        curves.append("[" + ",".join(f"({x:.0f},{y:.0f})" for x, y in pairs) + "]")
    return f"curve({','.join(curves)})"


def _convolve(said: ParsedPath) -> str:
    weights = _numbers(said["kernel"])
    columns = said.get("width") or round(len(weights) ** 0.5)
    is_normal = abs(said.get("scale", 0.0) - sum(weights)) < 1e-6
    return f"convolution({';'.join(f'{weight:g}' for weight in weights)},{columns},{str(is_normal).lower()})"


def _fill(said: ParsedPath) -> str:
    mode = {"mean": "auto", "blur": "blur"}.get(said.get("mode", ""), said.get("color", "000000"))
    return f"fill({mode}{',true' if said.get('behind') else ''})"


def _round_corners(said: ParsedPath) -> str:
    color = str(said.get("background", "00000000")).ljust(6, "0")
    channels = ",".join(str(int(color[at : at + 2], 16)) for at in (0, 2, 4))
    radii = f"{said.get('radius', '20')}" + (f"|{said['radiusY']}" if "radiusY" in said else "")
    return f"round_corner({radii},{channels}{',true' if color.endswith('00') and len(color) == 8 else ''})"


def _watermark(said: ParsedPath) -> str:
    if said.get("bucket"):
        return ""
    x, y = (_place(said, axis) for axis in (("left", "right"), ("top", "bottom")))
    sides = [f"{said[side]:g}" if side in said else "none" for side in ("width", "height")]
    return f"watermark({_key(said)},{x},{y},{100 - said.get('opacity', 100):g},{','.join(sides)})"


def _key(said: ParsedPath) -> str:
    """In quotes where something in it has a meaning; what is read as another key ends in a bracket, and is dropped."""
    from handler.requests.dialects.thumbor.grammar import FilterCall  # noqa: PLC0415 - with the reader alone

    key = str(said["key"])
    written = f"'{key}'" if set(key) & set(",()[]") else key
    return written if FilterCall("", f"{written},0").arguments == [key, "0"] else ")/"


def _place(said: ParsedPath, axis: tuple[str, str]) -> str:
    """Where an overlay stands on one axis, from its near side to its far one."""
    near, far = axis
    if said.get("tile"):
        return "repeat"
    words = str(said.get("position", "center")).split("-")
    return str(said.get(near, "0" if near in words else "-0" if far in words else "center"))


def _resized(said: ParsedPath) -> str:
    if set(said) == {"ratio"}:
        return f"proportion({said['ratio']:g})"
    return "upscale()" if said.get("fit") == "inside" and said.get("centred") else ""


_EFFECTS: Mapping[str, Callable[[ParsedPath], str]] = {
    "blur": _blur,
    "colorize": lambda said: (
        f"colorize({said.get('red', 50):g},{said.get('green', 50):g},{said.get('blue', 50):g},{said['color']})"
    ),
    "contrast": lambda said: f"contrast({said['amount']:g})",
    "convolve": _convolve,
    "curve": _curve,
    "equalise": lambda _: "equalize()",
    "fill": _fill,
    "flatten": lambda said: f"background_color({said.get('background', '000000')})",
    "frame": lambda said: f"frame({_key(said)})",
    "grayscale": lambda _: "grayscale()",
    "linear": _linear,
    "noise": lambda said: f"noise({said['amount']},{said.get('seed', 0)})",
    "recomb": lambda said: "grayscale()" if said["matrix"] == _GREY else "",
    "redEye": lambda _: "red_eye()",
    "resize": _resized,
    "rotate": lambda said: f"rotate({-said.get('angle', 0) % 360:g})",
    "roundCorners": _round_corners,
    "vividness": lambda said: f"saturation({said['factor']:g})",
    "watermark": _watermark,
    "waveletSharpen": lambda said: (
        f"sharpen({said['amount']:g},{said.get('radius', 0.5):g},{str(said.get('luminance', True)).lower()})"
    ),
}


def _output(request: Request) -> list[str]:
    said = describe(request.output)
    filters = [
        f"{name}({said[option]})"
        for option, name in (("format", "format"), ("quality", "quality"), ("maxBytes", "max_bytes"))
        if option in said
    ]
    filters += ["autojpg()"] if said.get("autoJpeg") else []
    filters += ["cover()"] if said.get("animated") is False else []
    caching = {name.lower(): value for name, value in request.headers.items()}.get("cache-control", "")
    age = caching.removeprefix("public, max-age=")
    return filters + ([f"max_age({age})"] if age != caching and age.isdigit() else [])
