"""The image engine: parameters, codecs, the pipeline, and the declaration of features.

What a plain resize does not need is imported when it is first read from this module.
"""

from typing import TYPE_CHECKING

from imaging import fast_msgspec_import as fast_msgspec_import  # isort: split

from imaging import vips_errors as vips_errors  # isort: split

from imaging.context import Context, Deadline, Limits, ObjectRef
from imaging.detection import Found, Kind, Label, Region, SalientRegion, SubjectMasks, Vision
from imaging.errors import (
    DamagedSource,
    FeatureError,
    InvalidParameter,
    Rejected,
    TimeExceeded,
    TooLarge,
    Unavailable,
    UnreadableByDetector,
    UnsupportedSource,
)
from imaging.formats import (
    AVIF,
    FORMATS,
    GIF,
    HEIF,
    MEDIA_TYPES,
    NEGOTIATED,
    PNG,
    SCRIPTED,
    SLOW,
    SVG,
    WEBP,
    WRITTEN,
    format_by_name,
)
from imaging.params.model import Params, describe
from imaging.params.output import Output
from imaging.params.validation import Field, check, fields, main_field, spellings, suggest
from imaging.picture import ImageHeader, Report
from imaging.pipeline.apply import Rendered
from imaging.pipeline.feature import Decision, Feature, Step, decide_all, describe_steps
from imaging.pipeline.run import run

if TYPE_CHECKING:
    from imaging.codecs.canvas import MAX_CANVAS_SIDE, Canvas
    from imaging.codecs.decode.original_stream import OriginalStream
    from imaging.fonts import add_font_folder, add_font_source, is_font_file
    from imaging.models.saliency import compute_saliency, has_saliency, open_saliency, to_rgb_array
    from imaging.models.upscaling import UPSCALING, has_upscaling
    from imaging.models.weights import installed_models, set_up, set_up_upscaling
    from imaging.ops.previews import render_preview, render_previews
    from imaging.pipeline.pixel_cache import PixelCache
    from imaging.pipeline.run_each import Job, run_each

__all__ = [
    "AVIF",
    "FORMATS",
    "GIF",
    "HEIF",
    "MAX_CANVAS_SIDE",
    "MEDIA_TYPES",
    "NEGOTIATED",
    "PNG",
    "SCRIPTED",
    "SLOW",
    "SVG",
    "UPSCALING",
    "WEBP",
    "WRITTEN",
    "Canvas",
    "Context",
    "DamagedSource",
    "Deadline",
    "Decision",
    "Feature",
    "FeatureError",
    "Field",
    "Found",
    "ImageHeader",
    "InvalidParameter",
    "Job",
    "Kind",
    "Label",
    "Limits",
    "ObjectRef",
    "OriginalStream",
    "Output",
    "Params",
    "PixelCache",
    "Region",
    "Rejected",
    "Rendered",
    "Report",
    "SalientRegion",
    "Step",
    "SubjectMasks",
    "TimeExceeded",
    "TooLarge",
    "Unavailable",
    "UnreadableByDetector",
    "UnsupportedSource",
    "Vision",
    "add_font_folder",
    "add_font_source",
    "check",
    "compute_saliency",
    "decide_all",
    "describe",
    "describe_steps",
    "fields",
    "format_by_name",
    "has_saliency",
    "has_upscaling",
    "installed_models",
    "is_font_file",
    "main_field",
    "open_saliency",
    "render_preview",
    "render_previews",
    "run",
    "run_each",
    "set_up",
    "set_up_upscaling",
    "spellings",
    "suggest",
    "to_rgb_array",
]

_LAZY = {
    "MAX_CANVAS_SIDE": "imaging.codecs.canvas",
    "Canvas": "imaging.codecs.canvas",
    "Job": "imaging.pipeline.run_each",
    "UPSCALING": "imaging.models.upscaling",
    "OriginalStream": "imaging.codecs.decode.original_stream",
    "PixelCache": "imaging.pipeline.pixel_cache",
    "add_font_folder": "imaging.fonts",
    "add_font_source": "imaging.fonts",
    "is_font_file": "imaging.fonts",
    "compute_saliency": "imaging.models.saliency",
    "has_saliency": "imaging.models.saliency",
    "has_upscaling": "imaging.models.upscaling",
    "installed_models": "imaging.models.weights",
    "open_saliency": "imaging.models.saliency",
    "render_preview": "imaging.ops.previews",
    "render_previews": "imaging.ops.previews",
    "run_each": "imaging.pipeline.run_each",
    "set_up": "imaging.models.weights",
    "set_up_upscaling": "imaging.models.weights",
    "to_rgb_array": "imaging.models.saliency",
}
"""The modules of the names that are imported when they are first read."""


def __getattr__(name: str) -> object:
    """Import a name of _LAZY (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - a plain resize reads no such name

    return getattr(import_module(_LAZY[name]), name)
