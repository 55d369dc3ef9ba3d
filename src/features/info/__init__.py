"""Report facts about an image as JSON."""

from features.info.feature import info

__all__ = ["info"]
