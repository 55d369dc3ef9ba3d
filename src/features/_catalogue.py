"""The features, in the order in which they apply where a request gives none."""

from __future__ import annotations

from functools import cache

from features._errors import InvalidParameter
from features._feature import Feature
from features.blur import blur
from features.content_moderation import content_moderation
from features.contrast import contrast
from features.crop import crop
from features.extend import extend
from features.extract import extract
from features.flatten import flatten
from features.flip import flip
from features.flop import flop
from features.grayscale import grayscale
from features.info import info
from features.modulate import modulate
from features.pixelate import pixelate
from features.quantize import quantize
from features.remove_background import remove_background
from features.resize import resize
from features.rotate import rotate
from features.sharpen import sharpen
from features.smart_cropping import smart_cropping
from features.tint import tint
from features.trim import trim
from features.watermark import watermark

CATALOGUE: tuple[Feature, ...] = (
    smart_cropping,
    trim,
    crop,
    remove_background,
    resize,
    flip,
    flop,
    rotate,
    extract,
    grayscale,
    extend,
    pixelate,
    blur,
    modulate,
    sharpen,
    watermark,
    contrast,
    tint,
    flatten,
    content_moderation,
    quantize,
    info,
)  # fmt: skip


@cache
def names() -> dict[str, Feature]:
    """Every name and alias, and the feature that answers to it."""
    return {name: feature for feature in CATALOGUE for name in (feature.name, *feature.aliases)}


def by_name(name: str, where: str = "feature") -> Feature:
    """The feature of that name or alias; InvalidParameter that lists them all."""
    found = names().get(name)
    if found is None:
        raise InvalidParameter(where, "one of " + ", ".join(feature.name for feature in CATALOGUE), name)
    return found
