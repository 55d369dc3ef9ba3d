"""Writes a request as a Thumbor path. What the language cannot express is left out, and the translation reports it.

A value is written as the parser reads it back. Features take values that no filter has (a blur without sigma, a colour
with alpha), so each filter is parsed before it is kept; there is no second list of what Thumbor accepts.
"""

from __future__ import annotations

from typing import NamedTuple

from handler.core.errors import NotFound
from handler.requests.dialects.serialize import SEARCHED, build_url, join_resize
from handler.requests.dialects.thumbor.filter_writers import FILTER_WRITERS, Params
from handler.requests.parsed_request import ParsedRequest
from imaging import InvalidParameter, Step, describe


def to_path(request: ParsedRequest) -> str:
    """Return the path behind `unsafe`, with the bucket and the other controls as query parameters."""
    steps = [(step.feature.name, describe(step.params)) for step in _geometry_first(join_resize(request.recipe.steps))]
    segments: list[str] = []
    filters: list[str] = []
    # A report is the last step, but its segment is the first one.
    if steps and steps[-1][0] == "info":
        steps.pop()
        segments.append("meta")
    for feature, write in (("trim", _write_trim), ("crop", _write_crop)):
        if steps and steps[0][0] == feature:
            segment = write(steps.pop(0)[1])
            segments += [segment] if _can_be_parsed([segment], []) else []
    # The signs of the size segment mirror the image after it was resized, and before any filter. They express flop and
    # flip only where these follow directly; elsewhere no filter does.
    if steps and steps[0][0] == "resize" and "ratio" not in steps[0][1]:
        size = _write_size(steps.pop(0)[1], segments)
        flop, flip = (_pop_first(steps, feature) for feature in ("flop", "flip"))
        segments += [size.fit_in, f"{'-' if flop else ''}{size.width}x{'-' if flip else ''}{size.height}"]
        segments += size.alignment
        filters += size.filters
    elif steps and steps[0][0] in ("flop", "flip"):
        flop, flip = (_pop_first(steps, feature) for feature in ("flop", "flip"))
        segments.append(f"{'-0' if flop else '0'}x{'-0' if flip else '0'}")
    if "no_upscale()" not in filters and any(params.get("withinOriginal") for _, params in steps):
        filters.append("no_upscale()")
    filters += [FILTER_WRITERS[feature](params) for feature, params in steps if feature in FILTER_WRITERS]
    # Keep the filters that the parser accepts, each of them behind those that were kept before it.
    kept: list[str] = []
    for written in filters + _write_output(request):
        if written and _can_be_parsed(segments, [*kept, written]):
            kept.append(written)
    segments += ["filters:" + ":".join(kept)] if kept else []
    bucket = {"bucket": request.ref.bucket} if request.ref.bucket else {}
    return build_url("/unsafe/" + "/".join((*filter(None, segments), request.ref.key)), {**bucket, **request.controls})


def _can_be_parsed(segments: list[str], filters: list[str]) -> bool:
    """Tell whether a path of these segments and filters is valid, and none of them becomes a part of the key."""
    from handler.requests.dialects.thumbor import grammar, mapping  # noqa: PLC0415 - with the parser alone

    chain = ["filters:" + ":".join(filters)] if filters else []
    text = "/".join((*filter(None, segments), *chain, "key"))
    try:
        return len(grammar.parse_path(text).filters) == len(filters) and mapping.interpret_path(text).ref.key == "key"
    except (InvalidParameter, NotFound):
        return False


def _geometry_first(steps: tuple[Step, ...]) -> list[Step]:
    """Return the steps with trim, crop and resize in front, where a path has their segments.

    Where another step stood before them, the path has another order than the request. The translation parses the path
    again and reports that.
    """
    first = [step for feature in ("trim", "crop") for step in steps if step.feature.name == feature][:2]
    resize = next((step for step in steps if step.feature.name == "resize"), None)
    # A ratio has a filter, `proportion`, and no segment.
    if resize is not None and "ratio" not in describe(resize.params):
        first.append(resize)
    return [*first, *(step for step in steps if all(step is not one for one in first))]


def _pop_first(steps: list[tuple[str, Params]], feature: str) -> bool:
    """Remove the first step if it is of that feature, and tell whether it was."""
    if not steps or steps[0][0] != feature:
        return False
    steps.pop(0)
    return True


def _write_trim(params: Params) -> str:
    from handler.requests.dialects.thumbor.geometry import EUCLIDEAN  # noqa: PLC0415 - with the parser alone

    tolerance = round(params.get("threshold", 10.0) * EUCLIDEAN)
    return f"trim:{params.get('corner', 'top-left')}" + (f":{tolerance}" if tolerance else "")


def _write_crop(params: Params) -> str:
    """Return the segment, or nothing for edges that it cannot express: pixels beside percent, or no size."""
    edges = [str(params.get(name, "0")) for name in ("left", "top", "width", "height")]
    percent = [edge.endswith("p") for edge in edges]
    try:
        left, top, width, height = (float(edge.removesuffix("p")) for edge in edges)
    except ValueError:
        return ""
    if not width or not height or (any(percent) and not all(percent)):
        return ""
    corners = [left, top, left + width, top + height]
    # A decimal point is what makes them fractions, so all of them have one.
    written = [f"{corner / 100:.6f}" if percent[0] else f"{corner:.0f}" for corner in corners]
    return f"{written[0]}x{written[1]}:{written[2]}x{written[3]}"


class _WrittenSize(NamedTuple):
    """What a resize becomes: segments before the size, its sides, segments after it, and filters."""

    fit_in: str
    width: str
    height: str
    alignment: list[str]
    filters: list[str]


def _write_size(params: Params, segments: list[str]) -> _WrittenSize:
    """Return what a resize becomes behind these segments."""
    width, height = (
        "orig" if params.get("keep") == side else str(params.get(side) or 0) for side in ("width", "height")
    )
    fit, fit_in = params.get("fit", "cover"), ""
    filters: list[str] = []
    if fit in ("inside", "contain", "outside"):
        fit_in = "full-fit-in" if fit == "outside" else "fit-in"
        fit_in = f"adaptive-{fit_in}" if params.get("adaptive") else fit_in
    # Thumbor's fit-in leaves smaller images as they are, and every other size enlarges them.
    if fit in ("inside", "contain") and not params.get("withoutEnlargement"):
        filters.append("upscale()")
    if fit == "contain":
        filters.append(f"fill({params.get('background', '000000')})")
    if fit == "fill":
        filters.append("stretch()")
    if params.get("withoutEnlargement") and fit in ("cover", "fill", "outside"):
        filters.append("no_upscale()")
    if "focalX" in params and "focalY" in params:
        filters.append(_write_focal(params["focalX"], params["focalY"], segments))
    position = str(params.get("position", ""))
    alignment: list[str] = [side for side in ("left", "right", "top", "bottom") if side in position.split("-")]
    if position == "attention":
        alignment.append("smart")
    return _WrittenSize(fit_in, width, height, alignment, filters)


def _write_focal(x: int, y: int, segments: list[str]) -> str:
    """Return the smallest area whose centre is the focal point.

    Areas are measured in the original, as Thumbor reads them before the crop; `resize` measures its focal point in
    what the crop has left. A crop in fractions is refused beside an area, so the filter is then left out.
    """
    from handler.requests.dialects.thumbor.grammar import AREA  # noqa: PLC0415 - with the parser alone

    crop = next(filter(None, map(AREA.fullmatch, segments)), None)
    if crop is not None:
        x, y = x + int(crop[1]), y + int(crop[2])
    return f"focal({max(0, x - 1)}x{max(0, y - 1)}:{x + 1}x{y + 1})"


def _write_output(request: ParsedRequest) -> list[str]:
    params = describe(request.recipe.output)
    filters = [
        f"{name}({params[option]})"
        for option, name in (("format", "format"), ("quality", "quality"), ("maxBytes", "max_bytes"))
        if option in params and (option, params[option]) not in SEARCHED
    ]
    filters += ["autojpg()"] if params.get("autoJpeg") else []
    filters += ["cover()"] if params.get("animated") is False else []
    caching = {name.lower(): value for name, value in request.headers.items()}.get("cache-control", "")
    max_age = caching.removeprefix("public, max-age=")
    return filters + ([f"max_age({max_age})"] if max_age != caching and max_age.isdigit() else [])
