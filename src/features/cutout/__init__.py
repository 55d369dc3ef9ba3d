"""Finish a cut-out: place it, and give it a shadow, an outline and a background."""

from features.cutout.feature import cutout

__all__ = ["cutout"]
