"""Writes a request as a path of imgproxy."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from handler.requests.dialects.serialize import build_url, take_first_of_each
from handler.requests.parsed_request import ParsedRequest
from imaging import describe

Params = dict[str, Any]


def to_paths(request: ParsedRequest) -> tuple[str, str]:
    """Return the path behind `unsafe`, with the controls as query parameters, and behind `insecure`.

    Where another language comes first in DIALECTS, `unsafe` is a word of that one.
    """
    options: list[str] = []
    for step in take_first_of_each(request.recipe.steps):
        options += _WRITERS[step.feature.name](describe(step.params)) if step.feature.name in _WRITERS else []
    options += _write_output(describe(request.recipe.output))
    scheme = f"s3://{request.ref.bucket}/" if request.ref.bucket else ""
    source = scheme + request.ref.key
    rest = "/".join((*options, _write_source(source))) + build_url("", request.controls)
    return f"/unsafe/{rest}", f"/insecure/{rest}"


def _write_source(source: str) -> str:
    """Return a source as it is, or in base64 if a gateway that decodes the path would change its meaning."""
    if "@" in source:
        return base64.urlsafe_b64encode(source.encode()).rstrip(b"=").decode()
    return "plain/" + quote(source, safe="/:")


def _write_resize(params: Params) -> list[str]:
    kinds = {"inside": "fit", "cover": "fill", "fill": "force", "cover-ratio": "fill-down", "auto": "auto"}
    kind = kinds.get(str(params.get("fit", "cover")))
    if kind is None:
        return []
    enlarge = 0 if params.get("withoutEnlargement") else 1
    options = [f"rs:{kind}:{params.get('width', 0)}:{params.get('height', 0)}:{enlarge}"]
    options += [f"g:{params['anchor']}"] if "anchor" in params else _write_position(params)
    for name, option in (("dpr", "dpr"), ("minWidth", "mw"), ("minHeight", "mh")):
        options += [f"{option}:{params[name]}"] if name in params else []
    if "zoomX" in params or "zoomY" in params:
        options.append(f"z:{params.get('zoomX', 1)}:{params.get('zoomY', 1)}")
    return options


_DIRECTIONS = {
    "top-left": "nowe", "top": "no", "top-right": "noea", "left": "we", "right": "ea", "bottom-left": "sowe",
    "bottom": "so", "bottom-right": "soea", "attention": "sm",
}  # fmt: skip


def _write_position(params: Params) -> list[str]:
    if "focalPoint" in params:
        return ["g:fp:" + str(params["focalPoint"]).replace(",", ":")]
    direction = _DIRECTIONS.get(str(params.get("position", "")))
    return [f"g:{direction}"] if direction else []


def _write_padding(params: Params) -> list[str]:
    sides = [str(params.get(side, params.get("all", 0))) for side in ("top", "right", "bottom", "left")]
    if not all(side.isdecimal() for side in sides) or "width" in params or "height" in params:
        return []
    return ["pd:" + ":".join(sides)]


def _write_crop(params: Params) -> list[str]:
    sides = []
    for name in ("width", "height"):
        text = str(params.get(name, "0"))
        sides.append(f"{float(text.removesuffix('p')) / 100:g}" if text.endswith("p") else text)
    left, top = (str(params.get(name, "")) for name in ("left", "top"))
    if left.isdecimal() and top.isdecimal():
        # imgproxy takes an offset below 1 as a part, so 0 is the corner itself.
        return [f"c:{sides[0]}:{sides[1]}:nowe:{left}:{top}"]
    anchor = params.get("anchor", _DIRECTIONS.get(str(params.get("position", "")), "ce"))
    return [] if left or top else [f"c:{sides[0]}:{sides[1]}:{anchor}"]


def _write_trim(params: Params) -> list[str]:
    threshold = params.get("threshold", 10.0)
    color = params.get("background", "")
    equal = [int(bool(params.get(name))) for name in ("equalHorizontal", "equalVertical")]
    tail = f":{color}:{equal[0]}:{equal[1]}" if any(equal) else f":{color}" if color else ""
    return [f"t:{threshold:g}{tail}"]


_WRITERS: Mapping[str, Callable[[Params], list[str]]] = {
    "resize": _write_resize,
    "crop": _write_crop,
    "trim": _write_trim,
    "extend": _write_padding,
    "rotate": lambda params: [f"rot:{params['angle']:g}"] if float(str(params["angle"])) % 90 == 0 else [],
    "flip": lambda _: ["fl:0:1"],
    "flop": lambda _: ["fl:1"],
    "blur": lambda params: [f"bl:{params['sigma']:g}"] if "sigma" in params else [],
    "sharpen": lambda params: [f"sh:{params['sigma']:g}"] if "sigma" in params else [],
    "pixelate": lambda params: [f"pix:{params.get('size', 10)}"],
    "flatten": lambda params: [f"bg:{params.get('background', '000000')}"],
}
"""The options that each feature becomes; what they cannot express is left out."""


def _write_output(params: Params) -> list[str]:
    options = [
        f"{option}:{params[name]}"
        for name, option in (("format", "f"), ("quality", "q"), ("maxBytes", "mb"), ("filename", "fn"))
        if name in params and params[name] not in ("auto", "original")
    ]
    if params.get("quality") == "auto":
        bounds = (str(params.get(name, "")) for name in ("qualityMin", "qualityMax"))
        options.append(":".join(("aq:dssim:", *bounds)))
    options += {"keep": ["sm:0"], "copyright": ["kcr:1"]}.get(str(params.get("metadata", "")), [])
    return options + (["att:1"] if params.get("attachment") else [])
