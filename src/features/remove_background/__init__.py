"""Remove the background of the subject."""

from features.remove_background.feature import remove_background

__all__ = ["remove_background"]
