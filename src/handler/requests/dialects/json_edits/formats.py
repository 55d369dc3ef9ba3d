"""The output of JSON edits: which format they request, and with which options (`toFormat`, `jpeg: {…}` and the like).

`toFormat` overrides `outputFormat`, and that overrides a format's own edit. Options of other formats than the chosen
one are ignored. With AUTO_WEBP a client that accepts WebP gets WebP, unless the edits have `toFormat`.

`source/image-handler/image-handler.ts` and `image-request.ts` of AWS's image handler are the source of these rules;
the names and ranges of options are those of sharp (https://sharp.pixelplumbing.com/api-output).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from features import feature_names
from handler.requests.dialects.dialect import Faults
from imaging import InvalidParameter, Output, spellings, suggest

Params = dict[str, object]
_FORMATS = {
    "jpeg": "jpeg", "jpg": "jpeg", "png": "png", "webp": "webp", "gif": "gif", "avif": "avif", "tiff": "tiff",
    "tif": "tiff", "heif": "avif", "heic": "avif",
}  # fmt: skip
"""Names of formats in edits. sharp's default compression in HEIF is AV1, and that is AVIF."""
_OPTIONS = (
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
"""Options of sharp that have an output option here."""
_IGNORED_OPTIONS = frozenset(
    ("adaptiveFiltering", "optimiseScans", "optimizeScans", "optimiseCoding", "optimizeCoding", "trellisQuantisation",
     "overshootDeringing", "quantisationTable", "quantizationTable", "smartSubsample", "smartDeblock", "minSize",
     "mixed", "preset", "reuse", "reoptimise", "reoptimize", "force", "interFrameMaxError", "interPaletteMaxError",
     "predictor", "mozjpeg", "compressionLevel", "alphaQuality", "dither", "tile", "tileWidth", "tileHeight", "pyramid",
     "bigtiff", "miniswhite", "xres", "yres", "resolutionUnit")
)  # fmt: skip
"""Options that change how the file is compressed and hardly what it looks like. This service chooses them itself."""
_ACCEPTED_VALUES: Mapping[tuple[str, str], tuple[object, ...]] = {
    ("avif", "compression"): ("av1",),
    ("tiff", "compression"): ("jpeg", "lzw", "deflate", "none", "packbits", "zstd", "webp"),
    ("avif", "bitdepth"): (8, 10, 12),
    ("tiff", "bitdepth"): (8,),
}
"""Values of options that are ignored because the result looks the same; other values of them are refused."""
_MAX_EFFORTS = {"webp": 6, "avif": 9}
"""sharp's highest effort for a format, where that is not 10."""


def split_edits(
    params: Mapping[str, object], where: str, output_format: object, effort: object, faults: Faults
) -> tuple[Params, Params, Params | None]:
    """Split edits into those of features and the output options. Raise InvalidParameter.

    Return the edits of features, the output options, and the output options for a client that accepts WebP; the latter
    are None where AUTO_WEBP must not change the format.
    """
    options: dict[str, Params] = {}
    output: Params = {}
    edits: Params = {}
    to_format: str | None = None
    format_edit: str | None = None
    for name, value in params.items():
        if name in _FORMATS:
            # Of several formats' edits the last one decides, as each of them is a call of sharp that sets the format.
            format_edit = _FORMATS[name]
            options[format_edit] = _parse_options(format_edit, value, f"{where}.{name}", faults)
        elif name in ("toFormat", "format"):
            to_format = _parse_format(value, f"{where}.{name}")
        elif name in spellings(Output) and name not in feature_names():
            output[spellings(Output)[name].name] = value
        else:
            edits[str(name)] = value
    beside = None if output_format is None else _parse_format(output_format, "outputFormat")
    chosen = to_format or beside or format_edit
    webp_effort = {} if effort is None else _parse_effort_beside(effort, chosen, faults)
    webp = {**output, **webp_effort, **options.get("webp", {}), "format": "webp"}
    # Output options override those of the format's edit: `{"quality": 50, "jpeg": {"quality": 80}}` means 50.
    if chosen is not None:
        output = {**options.get(chosen, {}), **output, "format": chosen}
    if chosen in (None, "webp"):
        output = {**webp_effort, **output}
    return edits, output, webp if chosen is not None and to_format is None else None


def _parse_format(name: object, where: str) -> str:
    """Return the format of that name, or `auto` or `original`. Raise InvalidParameter."""
    if name in ("auto", "best", "original"):
        return str(name)
    known = _FORMATS.get(name.lower()) if isinstance(name, str) else None
    if known is None:
        raise InvalidParameter(where, "one of " + ", ".join(_FORMATS) + suggest(name, _FORMATS), name)
    return known


def _parse_options(format_name: str, params: object, where: str, faults: Faults) -> Params:
    """Return the output options for a format's edit, such as `jpeg: {"quality": 80}`. Raise InvalidParameter."""
    if params is None or params is True:
        params = {}
    if not isinstance(params, Mapping):
        raise InvalidParameter(where, "an object", params)
    options: Params = {}
    for name, value in params.items():
        if name not in _IGNORED_OPTIONS and value is not None:
            options |= _parse_option(format_name, str(name), value, f"{where}.{name}", faults)
    # sharp writes a palette as soon as one of its options is set, and compresses a TIFF as JPEG with quality 80.
    if format_name == "png" and {"quality", "effort", "colors"} & options.keys():
        options.setdefault("palette", True)
    if format_name == "tiff" and "lossless" not in options:
        options.setdefault("quality", 80)
    return options


def _parse_option(format_name: str, name: str, value: object, where: str, faults: Faults) -> Params:
    """Return the output option for one option of sharp, or none where it changes nothing here."""
    if (format_name, name) in _ACCEPTED_VALUES:
        accepted = _ACCEPTED_VALUES[format_name, name]
        if value not in accepted:
            words = [*map(str, accepted)]
            raise InvalidParameter(where, "one of " + ", ".join(words) + suggest(value, words), value)
        return {}
    if name == "effort":
        options: Params = {}
        with faults.leave_out():
            options["effort"] = _parse_effort(format_name, value, where)
        return options
    if (format_name, name) == ("webp", "nearLossless"):
        # Encoded without loss here; beside `nearLossless`, sharp's quality only says how much is lost before that.
        return {"lossless": value} if value is not False else {}
    if name not in _OPTIONS:
        faults.tolerate(InvalidParameter(where, "one of " + ", ".join(_OPTIONS) + suggest(name, _OPTIONS), value))
        return {}
    return {spellings(Output).get(name, spellings(Output)["colors"]).name: value}


def _parse_effort_beside(effort: object, chosen: str | None, faults: Faults) -> Params:
    """Return the option for `effort` beside the edits, which AWS applies to WebP alone.

    AWS accepts text and cuts fractions off. A value that is not valid is refused where the edits choose WebP or no
    format at all, and is ignored where they choose another format.
    """
    number = effort
    if isinstance(effort, str | float):
        with contextlib.suppress(ValueError, OverflowError):  # _parse_effort refuses what is not a number
            number = int(float(effort))
    try:
        return {"effort": _parse_effort("webp", number, "effort")}
    except InvalidParameter as error:
        if chosen in (None, "webp"):
            faults.tolerate(InvalidParameter("effort", error.expected, effort))
        return {}


def _parse_effort(format_name: str, effort: object, where: str) -> int:
    """Convert sharp's effort to the scale from 0 to 10 of the output option."""
    max_effort = _MAX_EFFORTS.get(format_name, 10)
    if not isinstance(effort, int) or isinstance(effort, bool) or not 0 <= effort <= max_effort:
        raise InvalidParameter(where, f"a whole number from 0 to {max_effort}", effort)
    return round(effort * 10 / max_effort)
