"""Loads the other image of a feature that combines two, such as `watermark`."""

from __future__ import annotations

from collections.abc import Callable

import pyvips

from imaging.codecs.open_image import open_image
from imaging.context import Context, ObjectRef
from imaging.ops.alpha import premultiplied

Size = tuple[int, int]


def load_overlay(ref: ObjectRef, feature: str, context: Context, size_of: Callable[[Size], Size]) -> pyvips.Image:
    """Return the first frame of an object, stretched to the size that `size_of` computes from its own.

    Raises InvalidParameter for the `key` of `feature` where the object cannot be decoded.
    """

    def shrink_of(full: Size) -> float:
        size = size_of(full)
        return min(full[0] / size[0], full[1] / size[1])

    with open_image(ref, context, shrink_of, name=feature, parameter=f"{feature}.key") as picture:
        return stretch(picture.image, size_of(picture.source.upright)).copy_memory()


def stretch(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Return the image stretched to that size."""
    across, down = size[0] / image.width, size[1] / image.height
    return image if across == down == 1 else premultiplied(image, lambda it: it.resize(across, vscale=down))
