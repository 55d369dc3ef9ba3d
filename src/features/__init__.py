"""What can be done to a picture: the public face of the features."""

from features import _startup as _startup  # isort: split

from features import _pyvips_text as _pyvips_text  # isort: split

from features._catalogue import CATALOGUE, ORDER, by_name
from features._catalogue import names as feature_names
from features._check import Field, check, fields, main_field, spellings
from features._describe import describe, describe_steps
from features._edits import edits, in_order
from features._errors import (
    DamagedSource,
    FeatureError,
    InvalidParameter,
    Rejected,
    TimeExceeded,
    TooLarge,
    Unavailable,
    UnsupportedSource,
)
from features._feature import Feature, Params, Step
from features._output import MEDIA_TYPES, Output
from features._picture import Report, Source
from features._ports import Context, Deadline, Limits, ObjectRef
from features._run import Rendered, run
from features._saliency import has_saliency, reduced, saliency
from features._self_check import check_drawing
from features._verdict import Verdict, decided
from features._views import views
from features._vision import Figure, Label, Region, Vision
from features._weights import set_up

__all__ = [
    "CATALOGUE",
    "MEDIA_TYPES",
    "ORDER",
    "Context",
    "DamagedSource",
    "Deadline",
    "Feature",
    "FeatureError",
    "Field",
    "Figure",
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
    "Source",
    "Step",
    "TimeExceeded",
    "TooLarge",
    "Unavailable",
    "UnsupportedSource",
    "Verdict",
    "Vision",
    "by_name",
    "check",
    "check_drawing",
    "decided",
    "describe",
    "describe_steps",
    "edits",
    "feature_names",
    "fields",
    "has_saliency",
    "in_order",
    "main_field",
    "reduced",
    "run",
    "saliency",
    "set_up",
    "spellings",
    "views",
]
