"""The features, in the order in which they apply where a request gives none."""

from __future__ import annotations

from functools import cache

from features._errors import InvalidParameter
from features._feature import Feature
from features.affine import affine
from features.bandbool import bandbool
from features.blur import blur
from features.boolean import boolean
from features.clahe import clahe
from features.colorize import colorize
from features.content_moderation import content_moderation
from features.contrast import contrast
from features.convolve import convolve
from features.crop import crop
from features.curve import curve
from features.ensure_alpha import ensure_alpha
from features.equalise import equalise
from features.extend import extend
from features.extract import extract
from features.extract_channel import extract_channel
from features.fill import fill
from features.flatten import flatten
from features.flip import flip
from features.flop import flop
from features.frame import frame
from features.gamma import gamma
from features.gamma_out import gamma_out
from features.grayscale import grayscale
from features.info import info
from features.linear import linear
from features.median import median
from features.modulate import modulate
from features.negate import negate
from features.noise import noise
from features.normalise import normalise
from features.pixelate import pixelate
from features.quantize import quantize
from features.recomb import recomb
from features.red_eye import red_eye
from features.remove_alpha import remove_alpha
from features.remove_background import remove_background
from features.resize import resize
from features.rotate import rotate
from features.round_corners import round_corners
from features.round_crop import round_crop
from features.sharpen import sharpen
from features.smart_cropping import smart_cropping
from features.threshold import threshold
from features.tint import tint
from features.to_colourspace import to_colourspace
from features.trim import trim
from features.unflatten import unflatten
from features.vividness import vividness
from features.watermark import watermark
from features.wavelet_sharpen import wavelet_sharpen

CATALOGUE: tuple[Feature, ...] = (
    red_eye,
    smart_cropping,
    trim,
    crop,
    remove_background,
    gamma,
    resize,
    flip,
    flop,
    rotate,
    extract,
    fill,
    grayscale,
    affine,
    extend,
    median,
    threshold,
    pixelate,
    blur,
    unflatten,
    convolve,
    recomb,
    modulate,
    vividness,
    sharpen,
    wavelet_sharpen,
    noise,
    curve,
    colorize,
    watermark,
    frame,
    gamma_out,
    contrast,
    linear,
    normalise,
    equalise,
    clahe,
    boolean,
    bandbool,
    tint,
    remove_alpha,
    ensure_alpha,
    to_colourspace,
    extract_channel,
    negate,
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
