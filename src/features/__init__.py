"""The features: what can be done to an image. This module is the package's public interface."""

from features.catalogue import CATALOGUE, ORDER, by_name
from features.catalogue import aliases as feature_aliases
from features.catalogue import names as feature_names
from features.self_check import check_drawing
from features.steps import edits, in_order

__all__ = [
    "CATALOGUE",
    "ORDER",
    "by_name",
    "check_drawing",
    "edits",
    "feature_aliases",
    "feature_names",
    "in_order",
]
