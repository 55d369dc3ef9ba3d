"""Writes a request as a path of imagor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handler.core.errors import NotFound
from handler.requests.dialects.serialize import SEARCHED, build_url, join_resize
from handler.requests.parsed_request import ParsedRequest
from imaging import InvalidParameter, describe

Params = dict[str, Any]


def to_path(request: ParsedRequest) -> str:
    """Return the path behind `unsafe`, with the bucket and the other controls as query parameters."""
    steps = [(step.feature.name, describe(step.params)) for step in join_resize(request.recipe.steps)]
    segments: list[str] = []
    filters: list[str] = []
    if steps and steps[-1][0] == "info":
        steps.pop()
        segments.append("meta")
    for name, write in (("trim", _write_trim), ("crop", _write_crop)):
        params = _pop(steps, name)
        segments += write(params) if params is not None else []
    resize = (
        _pop(steps, "resize") if any("ratio" in params for name, params in steps if name == "resize") is False else None
    )
    size = _write_size(resize or {}, filters)
    flop, flip = (_pop(steps, name) is not None for name in ("flop", "flip"))
    if resize is not None or flop or flip:
        segments += [*size[:-1], f"{'-' if flop else ''}{size[-1][0]}x{'-' if flip else ''}{size[-1][1]}"]
    if resize is not None:
        position = str(resize.get("position", ""))
        segments += [side for side in ("left", "right", "top", "bottom") if side in position.split("-")]
        segments += ["smart"] if position == "attention" else []
    filters += [_WRITERS[name](params) for name, params in steps if name in _WRITERS]
    kept: list[str] = []
    for written in filters + _write_output(describe(request.recipe.output)):
        if written and _can_be_parsed([*kept, written]):
            kept.append(written)
    segments += ["filters:" + ":".join(kept)] if kept else []
    bucket = {"bucket": request.ref.bucket} if request.ref.bucket else {}
    return build_url("/unsafe/" + "/".join((*segments, request.ref.key)), {**bucket, **request.controls})


def _can_be_parsed(filters: list[str]) -> bool:
    from handler.requests.dialects.imagor.interpret import interpret_path  # noqa: PLC0415 - with the parser alone

    try:
        return interpret_path("filters:" + ":".join(filters) + "/key").ref.key == "key"
    except (InvalidParameter, NotFound):
        return False


def _pop(steps: list[tuple[str, Params]], name: str) -> Params | None:
    """Remove the first step of a feature, and return its parameters; None without one."""
    at = next((at for at, step in enumerate(steps) if step[0] == name), None)
    return steps.pop(at)[1] if at is not None else None


def _write_trim(params: Params) -> list[str]:
    corner = params.get("corner", "top-left")
    return [f"trim:{corner}:{params.get('threshold', 10.0):.0f}"] if corner in ("top-left", "bottom-right") else []


def _write_crop(params: Params) -> list[str]:
    texts = [str(params.get(name, "0")) for name in ("left", "top", "width", "height")]
    shares = {text.endswith("p") for text in texts if text != "0"}
    try:
        left, top, width, height = (float(text.removesuffix("p")) for text in texts)
    except ValueError:
        return []
    if len(shares) != 1 or not width or not height:
        return []
    corners = [left, top, left + width, top + height]
    written = [f"{corner / 100:.6f}" if shares == {True} else f"{corner:.0f}" for corner in corners]
    return [f"{written[0]}x{written[1]}:{written[2]}x{written[3]}"]


def _write_size(params: Params, filters: list[str]) -> list[Any]:
    """Return the segments before the size, and the sides as a pair; add the filters that belong to it."""
    segments: list[Any] = []
    fit, enlarges = params.get("fit", "cover"), not params.get("withoutEnlargement")
    if fit in ("inside", "contain", "outside"):
        full = "full-" if fit == "outside" else ""
        segments.append(("adaptive-" if params.get("adaptive") else "") + full + "fit-in")
    elif fit == "fill":
        segments.append("stretch")
    if fit in ("inside", "contain") and enlarges and params:
        filters.append("upscale()")
    if fit in ("cover", "outside") and not enlarges:
        filters.append("no_upscale()")
    if fit == "contain":
        filters.append(f"fill({params.get('background', '000000')})")
    if "focalPoint" in params:
        filters.append(f"focal({params['focalPoint']})")
    elif "focalX" in params:
        filters.append(f"focal({params['focalX']}x{params['focalY']})")
    return [*segments, (str(params.get("width", 0)), str(params.get("height", 0)))]


def _write_linear(params: Params) -> str:
    levels = [float(level) for level in str(params.get("b", "0")).split(",")]
    if "a" in params:
        return ""
    shares = [f"{level / 2.55:.4g}" for level in levels]
    return f"brightness({shares[0]})" if len(shares) == 1 else f"rgb({','.join(shares[:3])})"


def _write_modulation(params: Params) -> str:
    shares = [f"{100 * (params.get(name, 1.0) - 1):.4g}" for name in ("brightness", "saturation")]
    return f"modulate({','.join(shares)},{params.get('hue', 0)})" if "lightness" not in params else ""


def _write_fill(params: Params) -> str:
    if params.get("mode") == "mean":
        return ""
    word = {"blur": "blur", "corner": "auto"}.get(params.get("mode", ""), str(params.get("color", "000000")))
    return f"fill({'none' if len(word) == 8 and word.endswith('00') else word})"


def _write_extend(params: Params) -> str:
    sides = [str(params.get(side, params.get("all", 0))) for side in ("left", "top", "right", "bottom")]
    return f"padding({params.get('background', '000000')},{','.join(sides)})"


def _write_region(params: Params) -> str:
    texts = [str(params.get(name, "0")) for name in ("left", "top", "width", "height")]
    return "crop(" + ",".join(f"{float(t[:-1]) / 100:.6f}" if t.endswith("p") else t for t in texts) + ")"


def _write_watermark(params: Params) -> str:
    if params.get("bucket"):
        return ""
    places = ["repeat" if params.get("tile") else str(params.get(side, "center")) for side in ("left", "top")]
    ratios = [f"{params[side]:.0f}" if side in params else "none" for side in ("width", "height")]
    tail = "," + ",".join(ratios) if ratios != ["none", "none"] else ""
    return f"watermark({params['key']},{','.join(places)},{100 - params.get('opacity', 100):g}{tail})"


_WRITERS: Mapping[str, Callable[[Params], str]] = {
    "blur": lambda params: f"blur({2 * params['sigma']:g})" if "sigma" in params else "",
    "extend": _write_extend,
    "extract": _write_region,
    "fill": _write_fill,
    "flatten": lambda params: f"background_color({params.get('background', '000000')})",
    "grayscale": lambda _: "grayscale()",
    "linear": _write_linear,
    "modulate": _write_modulation,
    "pixelate": lambda params: f"pixelate({params.get('size', 10)})",
    "resize": lambda params: f"proportion({100 * params['ratio']:g})" if set(params) == {"ratio"} else "",
    "rotate": lambda params: f"rotate({params.get('angle', 0) % 360:g})",
    "roundCorners": lambda params: f"round_corner({params.get('radius', 20)})",
    "sharpen": lambda params: f"sharpen({(params['sigma'] - 1) / 2:g})" if "sigma" in params else "",
    "watermark": _write_watermark,
}
"""The filter that each feature becomes; an empty text for parameters that it cannot express."""


def _write_output(params: Params) -> list[str]:
    names = (("format", "format"), ("quality", "quality"), ("maxBytes", "max_bytes"))
    written = [
        f"{name}({params[option]})"
        for option, name in names
        if option in params and (option, params[option]) not in SEARCHED
    ]
    written += [f"page({params['page'] + 1})"] if "page" in params else []
    return written + (["lossless()"] if params.get("lossless") else [])
