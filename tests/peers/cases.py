"""Requests in AWS's JSON, made by a generator that makes the same ones each time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

Edits = dict[str, Any]


class Case(NamedTuple):
    """A request: which source, which edits in which order of keys, which format."""

    source: str
    edits: Edits
    format: str = "png"

    def __str__(self) -> str:
        return f"{self.source}-{self.format}-{json.dumps(self.edits, separators=(',', ':'))}"

    @property
    def request(self) -> Edits:
        """As AWS's handler takes it, without the bucket."""
        return {"key": self.source, "edits": self.edits, "outputFormat": self.format}


STILL = ("photo.jpg", "logo.png", "grey.png", "odd.webp")
RED: Edits = {"r": 200, "g": 30, "b": 60, "alpha": 1}
SINGLES: tuple[Edits, ...] = (
    *({"resize": {"width": 200, "height": 150, "fit": fit}}
      for fit in ("cover", "contain", "fill", "inside", "outside")),
    *({"resize": {"width": 120, "height": 200, "position": at}}
      for at in ("left top", "southeast", "right", "north", 3)),
    *({"resize": {"width": 160, "kernel": kernel}} for kernel in ("nearest", "cubic", "mitchell", "lanczos2")),
    {"resize": {"width": 500, "height": 500, "fit": "contain", "background": RED, "position": "left"}},
    {"resize": {"width": 500, "fit": "inside"}},
    {"resize": {"width": 500, "height": 400, "withoutEnlargement": True}},
    {"resize": {"width": 50, "withoutReduction": True}},
    {"resize": {"ratio": 0.5}},
    {"resize": {"width": 300, "height": 100, "ratio": 0.7}},
    {"resize": {"width": 123.4, "height": 77.5, "fit": "fill"}},
    {"extract": {"left": 20, "top": 10, "width": 100, "height": 80}},
    {"crop": {"left": 0, "top": 30, "width": 64, "height": 64}},
    {"extend": {"top": 10, "left": 5, "bottom": 3, "right": 20, "background": "#f80"}},
    {"extend": {"top": 10, "bottom": 10, "extendWith": "mirror"}},
    {"trim": {"threshold": 30}},
    *({"rotate": angle} for angle in (0, 90, 180, 270, -90, 450)),
    {"rotate": 33.5}, {"rotate": None}, {"flip": True}, {"flop": True},
    {"affine": [[1, 0.3], [0.1, 0.7]]}, {"affine": [0.8, 0.2, -0.2, 0.8]},
    {"tint": RED}, {"tint": "teal"}, {"greyscale": True}, {"grayscale": True},
    {"gamma": 2.2}, {"gamma": 1.4}, {"negate": True}, {"negate": {"alpha": False}},
    {"normalise": True}, {"normalize": {"lower": 5, "upper": 90}},
    {"clahe": {"width": 32, "height": 32}}, {"clahe": {"width": 20, "height": 40, "maxSlope": 5}},
    {"threshold": 100}, {"threshold": True}, {"linear": 0.6}, {"linear": 1.4}, {"linear": [0.5, 1, 1.5]},
    {"recomb": [[0.36, 0.7, 0.14], [0.3, 0.59, 0.11], [0.24, 0.47, 0.09]]},
    {"modulate": {"brightness": 1.2, "saturation": 0.6}}, {"modulate": {"hue": 120, "lightness": 10}},
    {"sharpen": True}, {"sharpen": {"sigma": 2}}, {"sharpen": {"sigma": 1.5, "m1": 0.5, "m2": 3}},
    {"median": 3}, {"median": 7}, {"blur": True}, {"blur": 0.5}, {"blur": 4},
    {"blur": {"sigma": 3, "minAmplitude": 0.05}},
    {"convolve": {"width": 3, "height": 3, "kernel": [-1, 0, 1, -2, 0, 2, -1, 0, 1]}},
    {"convolve": {"width": 3, "height": 3, "kernel": [1, 2, 1, 2, 4, 2, 1, 2, 1], "scale": 20, "offset": 10}},
    {"flatten": {"background": "#80c0ff"}}, {"flatten": True}, {"unflatten": True}, {"removeAlpha": True},
    {"ensureAlpha": 0.5}, {"extractChannel": "green"}, {"extractChannel": 0}, {"bandbool": "and"}, {"bandbool": "eor"},
    {"toColourspace": "b-w"}, {"toColorspace": "srgb"}, {"pipelineColourspace": "rgb16", "blur": 2},
    {"roundCrop": True}, {"roundCrop": {"rx": 40, "ry": 30, "left": 100, "top": 70}}, {"roundCrop": {"rx": 55.5}},
    *(
        {"resize": {"width": 300}, "overlayWith": {"key": "mark.png", **overlay}}
        for overlay in (
            {"wRatio": "30", "options": {"left": "10p", "top": "20p"}},
            {"wRatio": 25, "hRatio": 25, "alpha": 40, "options": {"left": "-10", "top": "-5p"}},
            {"alpha": "70", "options": {"gravity": "southeast"}},
            {"wRatio": 20, "options": {"tile": True, "gravity": "northwest"}},
            {"wRatio": 40, "options": {"blend": "multiply", "gravity": "centre"}},
            {"hRatio": 40, "options": {"blend": "screen", "left": 3, "top": 7}},
        )
    ),
)  # fmt: skip
MOVING: tuple[Edits, ...] = (
    {"resize": {"width": 80}}, {"resize": {"width": 60, "height": 60}},
    {"resize": {"width": 100, "height": 100, "fit": "contain"}},
    {"extract": {"left": 10, "top": 10, "width": 60, "height": 50}}, {"extend": {"top": 5, "left": 5}}, {"flop": True},
    {"grayscale": True}, {"tint": "teal"}, {"negate": {"alpha": False}}, {"modulate": {"hue": 90}}, {"animated": False},
    {"linear": 0.7}, {"gamma": 1.5},
)  # fmt: skip


def cases(number: int = 180) -> Iterator[Case]:
    """Every single edit on every kind of still, animations, other formats, and so many mixtures."""
    for edits in SINGLES:
        for source in STILL:
            yield Case(source, edits)
    for edits in MOVING:
        for source, kind in (("film.gif", "gif"), ("film.webp", "webp"), ("film.gif", "png")):
            yield Case(source, edits, kind)
    for kind in ("jpeg", "webp", "avif", "tiff", "gif"):
        for source in (*STILL, "turned.jpg", "deep.png", "drawing.svg"):
            yield Case(source, {"resize": {"width": 90}}, kind)
    draw = random.Random(20_260_101)
    yield from (_mixture(draw) for _ in range(number))


def _mixture(draw: random.Random) -> Case:
    """Two to five edits, their keys in any order that AWS's handler gives the same meaning to."""
    chosen: Edits = {}
    for one in draw.sample([each for each in SINGLES if len(each) == 1], draw.randint(2, 5)):
        if all(name not in chosen and _goes(name, {**chosen, **one}) for name in one):
            chosen.update(one)
    names = list(chosen)
    draw.shuffle(names)
    return Case(draw.choice((*STILL, "turned.jpg")), {name: chosen[name] for name in names})


_EXCLUSIVE = (
    {"extract", "crop", "trim", "roundCrop", "affine"},
    {"greyscale", "grayscale", "toColourspace", "toColorspace", "extractChannel", "bandbool", "tint", "recomb"},
    {"normalise", "normalize"},
    {"removeAlpha", "ensureAlpha", "flatten", "unflatten"},
)
"""Of each set a mixture has one at most: together they mean nothing that a page would ask for."""


def _goes(name: str, chosen: Edits) -> bool:
    """A ratio is of what a cut or rotation left; in AWS's handler of the original, whatever was done before."""
    if "ratio" in chosen.get("resize", {}) and {"extract", "crop", "trim", "rotate", "roundCrop"} & chosen.keys():
        return False
    return not any(name in each and each & chosen.keys() - {name} for each in _EXCLUSIVE)
