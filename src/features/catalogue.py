"""The features, in the order in which they apply. The module of a feature is imported when it is first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import overload

from imaging.errors import InvalidParameter
from imaging.params.validation import suggest
from imaging.pipeline.feature import Feature

ORDER = (
    "contentModeration",
    "redact",
    "redEye",
    "smartCropping",
    "trim",
    "crop",
    "removeBackground",
    "cutout",
    "upscale",
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
    "gradient",
    "shape",
    "watermark",
    "text",
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
"""A name is also that of a function and its module: `redEye` is `red_eye` in `features/red_eye.py`."""

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
"""Other names of features, which requests can use as well."""


class _Catalogue(Sequence[Feature]):
    """All features, each imported when it is read, so that a cold start imports only what its request needs."""

    def __len__(self) -> int:
        return len(ORDER)

    @overload
    def __getitem__(self, index: int) -> Feature: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Feature]: ...
    def __getitem__(self, index: int | slice) -> Feature | Sequence[Feature]:
        if isinstance(index, slice):
            return tuple(map(_load, ORDER[index]))
        return _load(ORDER[index])


CATALOGUE: Sequence[Feature] = _Catalogue()


@cache
def _load(name: str) -> Feature:
    module = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
    found: Feature = getattr(import_module(f"features.{module}"), module)
    return found


@cache
def names() -> Mapping[str, str]:
    """Return the name of the feature for each name and alias."""
    return {**{name: name for name in ORDER}, **ALIASES}


def aliases(name: str) -> tuple[str, ...]:
    """Return the aliases of a feature."""
    return tuple(alias for alias, named in ALIASES.items() if named == name)


def by_name(name: str, where: str = "feature") -> Feature:
    """Return the feature with this name or alias. Raises InvalidParameter, which lists all names."""
    found = names().get(name)
    if found is None:
        raise InvalidParameter(where, f"one of {', '.join(ORDER)}{suggest(name, names())}", name)
    return _load(found)
