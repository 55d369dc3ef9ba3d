"""Pixel operations that several features share."""
