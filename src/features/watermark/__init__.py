"""Place another image over the image, on every frame."""

from features.watermark.feature import watermark
from features.watermark.parameters import Watermark

__all__ = ["Watermark", "watermark"]
