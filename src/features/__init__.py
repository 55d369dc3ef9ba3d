"""The features: what can be done to an image. This module is the package's public interface."""

from typing import TYPE_CHECKING

from features.catalogue import CATALOGUE, ORDER, by_name
from features.catalogue import aliases as feature_aliases
from features.catalogue import names as feature_names
from features.steps import edits, in_order

if TYPE_CHECKING:
    from features.self_check import check_drawing

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


def __getattr__(name: str) -> object:
    """Import the self-check when it is first read (PEP 562), because no image needs it."""
    if name != "check_drawing":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from features.self_check import check_drawing  # noqa: PLC0415 - no image needs it

    return check_drawing
