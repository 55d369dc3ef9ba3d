"""Resize to a width, a height or both."""

from features.resize.feature import resize

__all__ = ["resize"]
