"""Write a text over the image."""

from features.text.feature import text

__all__ = ["text"]
