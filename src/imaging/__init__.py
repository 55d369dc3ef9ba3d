"""The image engine: parameters, codecs, the pipeline, and the declaration of features."""

from imaging import fast_msgspec_import as fast_msgspec_import  # isort: split

from imaging import vips_errors as vips_errors  # isort: split

from imaging.context import Context, Deadline, Limits, ObjectRef
from imaging.detection import Label, Region, SalientRegion, Vision
from imaging.errors import (
    DamagedSource,
    FeatureError,
    InvalidParameter,
    Rejected,
    TimeExceeded,
    TooLarge,
    Unavailable,
    UnsupportedSource,
)
from imaging.formats import FORMATS, MEDIA_TYPES, NEGOTIATED, SLOW, WRITTEN
from imaging.formats.avif import AVIF
from imaging.formats.gif import GIF
from imaging.formats.heif import HEIF
from imaging.formats.png import PNG
from imaging.formats.svg import SVG
from imaging.formats.webp import WEBP
from imaging.models.saliency import compute_saliency, has_saliency, to_rgb_array
from imaging.models.weights import set_up
from imaging.ops.previews import render_previews
from imaging.params.model import Params
from imaging.params.output import Output
from imaging.params.validation import Field, check, fields, main_field, spellings
from imaging.picture import ImageHeader, Report
from imaging.pipeline.decision import decide_all
from imaging.pipeline.feature import Decision, Feature, Step
from imaging.pipeline.run import Rendered, run
from imaging.pipeline.serialization import describe, describe_steps

__all__ = [
    "AVIF",
    "FORMATS",
    "GIF",
    "HEIF",
    "MEDIA_TYPES",
    "NEGOTIATED",
    "PNG",
    "SLOW",
    "SVG",
    "WEBP",
    "WRITTEN",
    "Context",
    "DamagedSource",
    "Deadline",
    "Decision",
    "Feature",
    "FeatureError",
    "Field",
    "ImageHeader",
    "InvalidParameter",
    "Label",
    "Limits",
    "ObjectRef",
    "Output",
    "Params",
    "Region",
    "Rejected",
    "Rendered",
    "Report",
    "SalientRegion",
    "Step",
    "TimeExceeded",
    "TooLarge",
    "Unavailable",
    "UnsupportedSource",
    "Vision",
    "check",
    "compute_saliency",
    "decide_all",
    "describe",
    "describe_steps",
    "fields",
    "has_saliency",
    "main_field",
    "render_previews",
    "run",
    "set_up",
    "spellings",
    "to_rgb_array",
]
