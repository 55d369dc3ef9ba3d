"""The features, in the order in which they apply where a request gives none."""

from __future__ import annotations

from functools import cache

from features._errors import InvalidParameter
from features._feature import Feature
from features.blur import blur
from features.colorize import colorize
from features.content_moderation import content_moderation
from features.contrast import contrast
from features.convolve import convolve
from features.crop import crop
from features.curve import curve
from features.equalise import equalise
from features.extend import extend
from features.extract import extract
from features.fill import fill
from features.flatten import flatten
from features.flip import flip
from features.flop import flop
from features.frame import frame
from features.grayscale import grayscale
from features.info import info
from features.linear import linear
from features.modulate import modulate
from features.noise import noise
from features.pixelate import pixelate
from features.quantize import quantize
from features.red_eye import red_eye
from features.remove_background import remove_background
from features.resize import resize
from features.rotate import rotate
from features.round_corners import round_corners
from features.round_crop import round_crop
from features.sharpen import sharpen
from features.smart_cropping import smart_cropping
from features.tint import tint
from features.trim import trim
from features.watermark import watermark

CATALOGUE: tuple[Feature, ...] = (
    red_eye,
    smart_cropping,
    trim,
    crop,
    remove_background,
    resize,
    flip,
    flop,
    rotate,
    extract,
    fill,
    grayscale,
    extend,
    pixelate,
    blur,
    convolve,
    modulate,
    sharpen,
    noise,
    curve,
    colorize,
    watermark,
    frame,
    contrast,
    linear,
    equalise,
    tint,
    round_crop,
    round_corners,
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
