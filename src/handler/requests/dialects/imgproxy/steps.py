"""From the options to the steps of imgproxy's pipeline (processing/processing.go) and to the output options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handler.requests.dialects.imgproxy.colors import adjust_colors, make_step
from handler.requests.dialects.imgproxy.configuration import Configuration
from handler.requests.dialects.imgproxy.options import Anchor, Extension, Mark, Pipeline
from handler.requests.dialects.imgproxy.source import locate_source
from imaging import InvalidParameter, Step

FITS = {"fit": "inside", "fill": "cover", "fill-down": "cover-ratio", "force": "fill", "auto": "auto"}
_MAX_SIDE, _MAX_DPR, _MAX_ZOOM = 65_535, 100.0, 1000.0
_CLEAR, _MAGENTA = "00000000", "ff00ff"
_SMALLEST_BLUR = 0.3
"""The smallest sigma of `blur`; less hardly changes a pixel."""


def build_steps(pipeline: Pipeline, configuration: Configuration) -> Iterator[Step]:
    """Yield the steps of one pipeline in imgproxy's order. Raise InvalidParameter."""
    for redaction in pipeline.redactions.values():
        yield make_step("redact", **redaction)
    yield from _trim(pipeline)
    if pipeline.rotate:
        yield make_step("rotate", angle=float(pipeline.rotate))
    across, down = pipeline.flip
    if across:
        yield make_step("flop")
    if down:
        yield make_step("flip")
    yield from _crop(pipeline)
    yield from _resize(pipeline)
    yield from adjust_colors(pipeline)
    yield from _filters(pipeline)
    yield from _extensions(pipeline)
    if pipeline.background and pipeline.background_alpha < 1:
        alpha = f"{round(pipeline.background_alpha * 255):02x}"
        digits = pipeline.background if len(pipeline.background) == 6 else "".join(c * 2 for c in pipeline.background)
        yield make_step("fill", behind=True, color=digits + alpha)
    elif pipeline.background:
        yield make_step("flatten", background=pipeline.background)
    if pipeline.gradient is not None:
        yield make_step("gradient", **pipeline.gradient)
    yield from _watermark(pipeline, configuration)


def _anchor(gravity: Anchor) -> str:
    kind, x, y = gravity
    return kind if kind == "sm" else f"{kind}:{x:.6f}:{y:.6f}"


def _trim(pipeline: Pipeline) -> Iterator[Step]:
    if pipeline.trim is None:
        return
    params: dict[str, object] = {"threshold": min(255.0, pipeline.trim), "matte": _MAGENTA}
    if pipeline.trim_color:
        params["background"] = pipeline.trim_color
    for name, is_equal in zip(("equalHorizontal", "equalVertical"), pipeline.trim_equal, strict=True):
        params |= {name: True} if is_equal else {}
    yield make_step("trim", **params)


def _subject(classes: tuple[str, ...]) -> dict[str, Any]:
    """Return the parameters of what to crop around: faces, or objects by the names that Rekognition has for them."""
    names = [name for name in classes if name not in ("face", "all")]
    if classes and set(classes) == {"face"}:
        return {"subject": "faces"}
    return {"subject": "auto", **({"labels": ",".join(names)} if names else {})}


def _crop(pipeline: Pipeline) -> Iterator[Step]:
    if pipeline.crop_objects is not None:
        factor, classes = pipeline.crop_objects
        yield make_step("smartCropping", **_subject(classes), padding=f"{50 * (factor - 1):.6f}p")
        return
    width, height = pipeline.crop or (0.0, 0.0)
    ratio, enlarges = pipeline.crop_ratio
    if ratio >= 0.01:
        if not width and not height:
            yield make_step("crop", aspectRatio=ratio, anchor=_anchor(pipeline.crop_gravity or pipeline.gravity))
            return
        if min(width, height) < 1:
            raise InvalidParameter("crop_aspect_ratio", "left out, or beside a crop with both sides in pixels", ratio)
        is_wider = width > height * ratio
        width, height = (height * ratio, height) if is_wider != enlarges else (width, width / ratio)
    if not width and not height:
        return
    params: dict[str, object] = {"clamp": True, "anchor": _anchor(pipeline.crop_gravity or pipeline.gravity)}
    for name, side in (("width", width), ("height", height)):
        if side >= 1:
            params[name] = min(int(side), 10_000_000)
        elif side:
            params[name] = f"{max(side * 100, 0.000001):.6f}p"
    yield make_step("crop", **params)


def _resize(pipeline: Pipeline) -> Iterator[Step]:
    if pipeline.objects is not None and pipeline.width and pipeline.height and pipeline.resizing_type != "fit":
        width, height = (min(8192, max(1, round(side * pipeline.dpr))) for side in (pipeline.width, pipeline.height))
        place = pipeline.objects_place
        params: dict[str, Any] = {} if place is None else {"placeX": place[0], "placeY": place[1]}
        yield make_step("smartCropping", **_subject(pipeline.objects), width=width, height=height, **params)
        return
    params = {
        "rules": "imgproxy",
        "fit": FITS[pipeline.resizing_type],
        "withoutEnlargement": not pipeline.enlarge,
        "dpr": min(_MAX_DPR, pipeline.dpr),
        "extended": pipeline.extend.enabled,
    }
    sides = ("width", "height", "min_width", "min_height")
    for name, public in zip(sides, ("width", "height", "minWidth", "minHeight"), strict=True):
        if side := getattr(pipeline, name):
            params[public] = min(_MAX_SIDE, side)
    for name, factor in zip(("zoomX", "zoomY"), pipeline.zoom, strict=True):
        params[name] = min(_MAX_ZOOM, factor)
    if pipeline.gravity != ("ce", 0.0, 0.0):
        params["anchor"] = _anchor(pipeline.gravity)
    if pipeline.algorithm != "lanczos3":
        params["kernel"] = pipeline.algorithm
    step = make_step("resize", **params)
    if not step.is_noop:
        yield step


def _filters(pipeline: Pipeline) -> Iterator[Step]:
    if pipeline.blur >= _SMALLEST_BLUR:
        yield make_step("blur", sigma=min(1000.0, pipeline.blur))
    if pipeline.sharpen:
        # The other values are libvips' defaults.
        yield make_step("sharpen", sigma=min(10.0, max(0.000001, pipeline.sharpen)), m1=0.0, m2=3.0)
    if pipeline.pixelate > 1:
        yield make_step("pixelate", size=min(1000, pipeline.pixelate))


def _extensions(pipeline: Pipeline) -> Iterator[Step]:
    width, height = (
        min(1_000_000.0, side * zoom)
        for side, zoom in zip((pipeline.width, pipeline.height), pipeline.zoom, strict=True)
    )
    dpr = min(_MAX_DPR, pipeline.dpr)

    def extend(extension: Extension, **params: object) -> Step:
        place = {"anchor": _anchor(extension.gravity)} if extension.gravity != ("ce", 0.0, 0.0) else {}
        return make_step("extend", width=width, height=height, dpr=dpr, background=_CLEAR, **place, **params)

    if pipeline.extend.enabled and (width or height):
        yield extend(pipeline.extend)
    if pipeline.extend_ratio.enabled and width and height:
        yield extend(pipeline.extend_ratio, onlyRatio=True)
    if any(pipeline.padding):
        names = ("top", "right", "bottom", "left")
        sides = {name: side for name, side in zip(names, pipeline.padding, strict=True) if side}
        yield make_step("extend", dpr=dpr, background=_CLEAR, **{name: min(10_000_000, sides[name]) for name in sides})


_WORDS = {
    "ce": "center", "no": "top", "so": "bottom", "we": "left", "ea": "right", "nowe": "top-left", "noea": "top-right",
    "sowe": "bottom-left", "soea": "bottom-right",
}  # fmt: skip


def _text(mark: Mark) -> Step:
    """Return a text in imgproxy's default font and size, at the position of the watermark without its offsets."""
    kind = mark.position[0]
    if kind == "ch":
        raise InvalidParameter("watermark", "another position than ch for a text", kind)
    place: dict[str, Any] = {"tile": True} if kind == "re" else {"position": _WORDS[kind]}
    return make_step(
        "text", text=mark.text, size="16", color="000000", opacity=100 * mark.opacity, **place, **_finish(mark)
    )


def _watermark(pipeline: Pipeline, configuration: Configuration) -> Iterator[Step]:
    mark = pipeline.mark
    if mark.text and mark.opacity:
        yield _text(mark)
        return
    params = _overlay(mark, configuration)
    if not mark.opacity or not params:
        return
    params |= {
        "opacity": 100 * mark.opacity * configuration.watermark_opacity,
        "dpr": min(_MAX_DPR, pipeline.dpr),
    }
    kind, x, y = mark.position
    if kind in ("re", "ch"):
        params |= {"chessboard": True} if kind == "ch" else {}
        params |= {"tile": True, "anchor": "ce", "gapX": max(0.0, x), "gapY": max(0.0, y)}
    else:
        params["anchor"] = _anchor(mark.position)
    if mark.scale:
        params |= dict.fromkeys(("width", "height"), min(100.0, 100 * mark.scale))
    elif any(mark.size):
        sides = zip(("boxWidth", "boxHeight"), mark.size, strict=True)
        params |= {name: min(_MAX_SIDE, side) for name, side in sides if side} | {"boxFit": "contain"}
    yield make_step("watermark", **params, **_finish(mark))


def _overlay(mark: Mark, configuration: Configuration) -> dict[str, Any]:
    """Return the parameters that name the overlay; none where there is no overlay."""
    if mark.url.startswith("/") and not configuration.base_url:
        # A path of this service, whose edits make the watermark.
        return {"address": mark.url}
    overlay = locate_source(mark.url, configuration) if mark.url else configuration.watermark
    if overlay is None:
        return {}
    return {"key": overlay.key, **({"bucket": overlay.bucket} if overlay.bucket else {})}


def _finish(mark: Mark) -> dict[str, Any]:
    """Return the parameters of the angle and the shadow, which overlays and texts have alike."""
    shadow = {"shadow": "000000", "shadowBlur": mark.shadow, "shadowX": 0.0, "shadowY": 0.0} if mark.shadow else {}
    return {**({"rotate": mark.rotate} if mark.rotate else {}), **shadow}
