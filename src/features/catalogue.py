"""The features, in the order in which they apply where a request gives none; each is imported when first asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import overload

from imaging.errors import InvalidParameter
from imaging.pipeline.feature import Feature

ORDER = (
    "contentModeration",
    "redEye",
    "smartCropping",
    "trim",
    "crop",
    "removeBackground",
    "gamma",
    "resize",
    "flip",
    "flop",
    "rotate",
    "extract",
    "fill",
    "grayscale",
    "affine",
    "extend",
    "median",
    "threshold",
    "pixelate",
    "blur",
    "unflatten",
    "convolve",
    "recomb",
    "modulate",
    "vividness",
    "sharpen",
    "waveletSharpen",
    "noise",
    "curve",
    "colorize",
    "watermark",
    "frame",
    "gammaOut",
    "contrast",
    "linear",
    "normalise",
    "equalise",
    "clahe",
    "boolean",
    "bandbool",
    "tint",
    "removeAlpha",
    "ensureAlpha",
    "toColourspace",
    "extractChannel",
    "negate",
    "roundCrop",
    "roundCorners",
    "flatten",
    "quantize",
    "info",
)  # fmt: skip
"""`redEye` is `red_eye` in `features/red_eye.py`."""

ALIASES = {
    "colourise": "colorize",
    "equalize": "equalise",
    "greyscale": "grayscale",
    "normalize": "normalise",
    "padding": "extend",
    "roundCorner": "roundCorners",
    "smartCrop": "smartCropping",
    "toColorspace": "toColourspace",
}
"""Other names that features answer to."""


class _Catalogue(Sequence[Feature]):
    """Every feature. A cold start that asks for one shall not read fifty files: who goes through it all imports all."""

    def __len__(self) -> int:
        return len(ORDER)

    @overload
    def __getitem__(self, place: int) -> Feature: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Feature]: ...
    def __getitem__(self, place: int | slice) -> Feature | Sequence[Feature]:
        if isinstance(place, slice):
            return tuple(map(_loaded, ORDER[place]))
        return _loaded(ORDER[place])


CATALOGUE: Sequence[Feature] = _Catalogue()


@cache
def _loaded(name: str) -> Feature:
    module = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
    found: Feature = getattr(import_module(f"features.{module}"), module)
    return found


@cache
def names() -> Mapping[str, str]:
    """Every name and alias, and the name of the feature that answers to it."""
    return {**{name: name for name in ORDER}, **ALIASES}


def aliases(name: str) -> tuple[str, ...]:
    """What else a feature is called."""
    return tuple(alias for alias, named in ALIASES.items() if named == name)


def by_name(name: str, where: str = "feature") -> Feature:
    """The feature of that name or alias; InvalidParameter that lists them all."""
    found = names().get(name)
    if found is None:
        raise InvalidParameter(where, "one of " + ", ".join(ORDER), name)
    return _loaded(found)
