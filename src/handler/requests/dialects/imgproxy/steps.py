"""From the options to the steps of imgproxy's pipeline (processing/processing.go) and to the output options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from features import by_name
from handler.requests.dialects.imgproxy.configuration import Configuration
from handler.requests.dialects.imgproxy.options import Anchor, Collected, Extension, Pipeline, Saving
from imaging import FORMATS, WRITTEN, InvalidParameter, Output, Step, check

FITS = {"fit": "inside", "fill": "cover", "fill-down": "cover-ratio", "force": "fill", "auto": "auto"}
_MAX_SIDE, _MAX_DPR, _MAX_ZOOM = 65_535, 100.0, 1000.0
_CLEAR, _MAGENTA = "00000000", "ff00ff"
_SMALLEST_BLUR = 0.3
"""The smallest sigma of `blur`; less hardly changes a pixel."""
_MIN_BYTES, _MAX_BYTES = 200, 100_000_000


def build_steps(pipeline: Pipeline, configuration: Configuration) -> Iterator[Step]:
    """Yield the steps of one pipeline in imgproxy's order. Raise InvalidParameter."""
    yield from _trim(pipeline)
    if pipeline.rotate:
        yield _step("rotate", angle=float(pipeline.rotate))
    across, down = pipeline.flip
    if across:
        yield _step("flop")
    if down:
        yield _step("flip")
    yield from _crop(pipeline)
    yield from _resize(pipeline)
    yield from _filters(pipeline)
    yield from _extensions(pipeline)
    if pipeline.background:
        yield _step("flatten", background=pipeline.background)
    yield from _watermark(pipeline, configuration)


def _step(feature: str, **params: object) -> Step:
    known = by_name(feature)
    return Step(known, check(known.params, params, where=feature))


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
    yield _step("trim", **params)


def _crop(pipeline: Pipeline) -> Iterator[Step]:
    width, height = pipeline.crop or (0.0, 0.0)
    if not width and not height:
        return
    params: dict[str, object] = {"clamp": True, "anchor": _anchor(pipeline.crop_gravity or pipeline.gravity)}
    for name, side in (("width", width), ("height", height)):
        if side >= 1:
            params[name] = min(int(side), 10_000_000)
        elif side:
            params[name] = f"{max(side * 100, 0.000001):.6f}p"
    yield _step("crop", **params)


def _resize(pipeline: Pipeline) -> Iterator[Step]:
    params: dict[str, Any] = {
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
    step = _step("resize", **params)
    if not step.is_noop:
        yield step


def _filters(pipeline: Pipeline) -> Iterator[Step]:
    if pipeline.blur >= _SMALLEST_BLUR:
        yield _step("blur", sigma=min(1000.0, pipeline.blur))
    if pipeline.sharpen:
        # The other values are libvips' defaults.
        yield _step("sharpen", sigma=min(10.0, max(0.000001, pipeline.sharpen)), m1=0.0, m2=3.0)
    if pipeline.pixelate > 1:
        yield _step("pixelate", size=min(1000, pipeline.pixelate))


def _extensions(pipeline: Pipeline) -> Iterator[Step]:
    width, height = (
        min(1_000_000.0, side * zoom)
        for side, zoom in zip((pipeline.width, pipeline.height), pipeline.zoom, strict=True)
    )
    dpr = min(_MAX_DPR, pipeline.dpr)

    def extend(extension: Extension, **params: object) -> Step:
        place = {"anchor": _anchor(extension.gravity)} if extension.gravity != ("ce", 0.0, 0.0) else {}
        return _step("extend", width=width, height=height, dpr=dpr, background=_CLEAR, **place, **params)

    if pipeline.extend.enabled and (width or height):
        yield extend(pipeline.extend)
    if pipeline.extend_ratio.enabled and width and height:
        yield extend(pipeline.extend_ratio, onlyRatio=True)
    if any(pipeline.padding):
        names = ("top", "right", "bottom", "left")
        sides = {name: side for name, side in zip(names, pipeline.padding, strict=True) if side}
        yield _step("extend", dpr=dpr, background=_CLEAR, **{name: min(10_000_000, sides[name]) for name in sides})


def _watermark(pipeline: Pipeline, configuration: Configuration) -> Iterator[Step]:
    mark, overlay = pipeline.mark, configuration.watermark
    if not mark.opacity or overlay is None:
        return
    params: dict[str, object] = {
        "key": overlay.key,
        "opacity": 100 * mark.opacity * configuration.watermark_opacity,
        "dpr": min(_MAX_DPR, pipeline.dpr),
    }
    if overlay.bucket:
        params["bucket"] = overlay.bucket
    kind, x, y = mark.position
    if kind == "re":
        params |= {"tile": True, "anchor": "ce", "gapX": max(0.0, x), "gapY": max(0.0, y)}
    else:
        params["anchor"] = _anchor(mark.position)
    if mark.scale:
        params |= dict.fromkeys(("width", "height"), min(100.0, 100 * mark.scale))
    yield _step("watermark", **params)


def build_output(collected: Collected, configuration: Configuration) -> Output:
    """Return the output options. Raise InvalidParameter."""
    saving = collected.saving
    options: dict[str, object] = {**saving.output}
    if saving.raw:
        return check(
            Output, {"unchanged": ",".join(record.name for record in FORMATS)} | _file_name(saving), where="raw"
        )
    if saving.format:
        options["format"] = _written(saving.format)
    else:
        options["preferred"] = ",".join(configuration.preferred)
    qualities = {**configuration.format_quality, **saving.format_quality}
    if saving.quality:
        options["quality"] = saving.quality
    else:
        if configuration.quality:
            qualities = {"jpeg": configuration.quality, **qualities}
        qualities = {name: quality for name, quality in qualities.items() if quality}
        options |= {"formatQuality": _qualities(qualities)} if qualities else {}
    if saving.max_bytes:
        options["maxBytes"] = min(_MAX_BYTES, max(_MIN_BYTES, saving.max_bytes))
    if not configuration.keeps_animations or saving.disable_animation:
        options["animated"] = False
    if saving.page is not None:
        options["page"] = saving.page
    strips = configuration.strips_metadata if saving.strip_metadata is None else saving.strip_metadata
    keeps = configuration.keeps_copyright if saving.keep_copyright is None else saving.keep_copyright
    options["metadata"] = "keep" if not strips else "copyright" if keeps else "strip"
    skipped = [*configuration.skipped, *saving.skipped]
    if saving.format in ("", "svg") and not configuration.draws_svg:
        skipped.append("svg")
    options["unchanged"] = ",".join(dict.fromkeys(_FORMAT_NAMES.get(name, name) for name in skipped))
    if not options["unchanged"]:
        del options["unchanged"]
    return check(Output, options | _file_name(saving), where="output")


_FORMAT_NAMES = {"jpg": "jpeg", "heic": "heif"}


def _qualities(qualities: dict[str, int]) -> str:
    pairs = {_written_or_none(name): quality for name, quality in qualities.items()}
    return ",".join(f"{name}:{quality}" for name, quality in pairs.items() if name)


def _written_or_none(name: str) -> str:
    name = _FORMAT_NAMES.get(name, name)
    return name if name in WRITTEN else ""


def _written(name: str) -> str:
    """Return the format as the output options name it. Raise InvalidParameter for one that cannot be written."""
    if name == "heic":
        return "avif"
    if name == "svg":
        return "original"
    if not _written_or_none(name):
        raise InvalidParameter("format", "one of " + ", ".join(WRITTEN), name)
    return _written_or_none(name)


def _file_name(saving: Saving) -> dict[str, object]:
    if not saving.filename and not saving.attachment:
        return {}
    return {"filename": saving.filename or "image", "attachment": saving.attachment}
