"""Which format edits ask for, and what its encoder is told: `toFormat`, `outputFormat`, `jpeg: {…}` and their like.

`toFormat` goes before all, `outputFormat` before a format's own edit; of the formats' options those of the format that
comes of it count. With AUTO_WEBP a client that takes WebP gets it unless `toFormat` is there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from features import feature_names
from imaging import InvalidParameter, Output, spellings

Params = dict[str, object]
_FORMATS = {
    "jpeg": "jpeg", "jpg": "jpeg", "png": "png", "webp": "webp", "gif": "gif", "avif": "avif", "tiff": "tiff",
    "tif": "tiff", "heif": "avif", "heic": "avif",
}  # fmt: skip
"""What sharp writes as HEIF is AV1 within it: AVIF."""
_SAME = (
    "quality",
    "progressive",
    "lossless",
    "chromaSubsampling",
    "palette",
    "colors",
    "colours",
    "effort",
    "loop",
    "delay",
)
_PACKING = frozenset(
    ("adaptiveFiltering", "optimiseScans", "optimizeScans", "optimiseCoding", "optimizeCoding", "trellisQuantisation",
     "overshootDeringing", "quantisationTable", "quantizationTable", "smartSubsample", "smartDeblock", "minSize",
     "mixed", "preset", "reuse", "reoptimise", "reoptimize", "force", "interFrameMaxError", "interPaletteMaxError",
     "predictor", "mozjpeg", "compressionLevel", "alphaQuality", "dither", "tile", "tileWidth", "tileHeight", "pyramid",
     "bigtiff", "miniswhite", "xres", "yres", "resolutionUnit")
)  # fmt: skip
"""Options that change how bytes are packed, hardly what is seen: they may stand there, and this house packs its way."""
_ONLY: Mapping[tuple[str, str], tuple[object, ...]] = {
    ("avif", "compression"): ("av1",),
    ("tiff", "compression"): ("jpeg", "lzw", "deflate", "none", "packbits", "zstd", "webp"),
    ("avif", "bitdepth"): (8, 10, 12),
    ("tiff", "bitdepth"): (8,),
}
"""Values with which a picture looks as this house writes it; others of the option would change what is seen."""
_EFFORTS = {"webp": 6, "avif": 9}
"""sharp's highest effort, where it is not 10."""


def split(
    params: Mapping[str, object], where: str, output_format: object, effort: object
) -> tuple[Params, Params, Params | None]:
    """Edits without what concerns the output; the output; and the output if the client takes WebP and may have it."""
    options: dict[str, Params] = {}
    output: Params = {}
    requested: Params = {}
    final: str | None = None
    forced: str | None = None
    for name, value in params.items():
        if name in _FORMATS:
            forced = _FORMATS[name]
            options[forced] = _options(forced, value, f"{where}.{name}")
        elif name in ("toFormat", "format"):
            final = _format(value, f"{where}.{name}")
        elif name in spellings(Output) and name not in feature_names():
            output[spellings(Output)[name].name] = value
        else:
            requested[str(name)] = value
    asked = None if output_format is None else _format(output_format, "outputFormat")
    chosen = final or asked or forced
    of_webp = None if effort is None else _effort_beside(effort, chosen)
    soft = {**output, **(of_webp or {}), **options.get("webp", {}), "format": "webp"}
    if chosen is not None:
        output = {**options.get(chosen, {}), **output, "format": chosen}
    if of_webp and chosen in (None, "webp"):
        output = {**of_webp, **output}
    return requested, output, soft if chosen is not None and final is None else None


def _format(params: object, where: str) -> str | None:
    """The format of that name; None where the client or the original decides."""
    if params in ("auto", "original"):
        return str(params)
    known = _FORMATS.get(params.lower()) if isinstance(params, str) else None
    if known is None:
        raise InvalidParameter(where, "one of " + ", ".join(_FORMATS), params)
    return known


def _options(chosen: str, params: object, where: str) -> Params:
    """A format's options in this house's words."""
    if params is None or params is True:
        params = {}
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params)
    made: Params = {}
    for name, value in params.items():
        if name not in _PACKING and value is not None:
            made |= _option(chosen, str(name), value, f"{where}.{name}")
    if chosen == "png" and {"quality", "effort", "colors"} & made.keys():
        made.setdefault("palette", True)
    if chosen == "tiff" and "lossless" not in made:
        made.setdefault("quality", 80)
    return made


def _option(chosen: str, name: str, params: object, where: str) -> Params:
    """One of them; nothing where this house does what it asks for anyway."""
    if (chosen, name) in _ONLY:
        known = _ONLY[chosen, name]
        if params not in known:
            raise InvalidParameter(where, "one of " + ", ".join(map(str, known)), params)
        return {}
    if name == "effort":
        return {"effort": _effort(chosen, params, where)}
    if (chosen, name) == ("webp", "nearLossless"):
        # Nearly the same is the same here: beside it, quality only says how near.
        return {"lossless": params} if params is not False else {}
    if name not in _SAME:
        raise InvalidParameter(where, "one of " + ", ".join(_SAME), params)
    return {spellings(Output).get(name, spellings(Output)["colors"]).name: params}


def _effort_beside(params: object, chosen: str | None) -> Params | None:
    """AWS cuts fractions off, takes text, and looks at it for WebP alone."""
    number = params
    if isinstance(params, str | float):
        with contextlib.suppress(ValueError, OverflowError):  # refused below, as it came
            number = int(float(params))
    try:
        return {"effort": _effort("webp", number, "effort")}
    except InvalidParameter as refused:
        if chosen in (None, "webp"):
            raise InvalidParameter("effort", refused.expected, params) from None
        return None


def _effort(chosen: str, params: object, where: str) -> int:
    """sharp's effort on the scale from 0 to 10."""
    most = _EFFORTS.get(chosen, 10)
    if not isinstance(params, int) or isinstance(params, bool) or not 0 <= params <= most:
        raise InvalidParameter(where, f"a whole number from 0 to {most}", params)
    return round(params * 10 / most)
