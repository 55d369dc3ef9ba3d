"""Crop around the most important part, before any other edit: faces, objects or the salient region."""

from features.smart_cropping.feature import smart_cropping
from features.smart_cropping.parameters import SmartCropping

__all__ = ["SmartCropping", "smart_cropping"]
