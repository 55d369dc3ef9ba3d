"""Cut the subject out of its background."""

from features.remove_background.feature import remove_background

__all__ = ["remove_background"]
