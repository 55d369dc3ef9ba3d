"""The facts of an image under the names and in the shape of imgproxy's info endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pyvips

from features.info import hashes
from features.info.colours import find_palette
from imaging.formats import MEDIA_TYPES
from imaging.picture import ImageHeader


class Known(NamedTuple):
    """What the facts are computed from."""

    source: ImageHeader
    small: pyvips.Image
    """The first frame, reduced, in sRGB with 8 bits per band."""


FACTS: dict[str, Callable[[Known], object]] = {
    "size": lambda known: known.source.size,
    "format": lambda known: known.source.format,
    "mime_type": lambda known: MEDIA_TYPES[known.source.format],
    "width": lambda known: known.source.upright[0],
    "height": lambda known: known.source.upright[1],
    "orientation": lambda known: known.source.orientation,
    "colorspace": lambda known: "b-w" if known.source.bands < 3 else "srgb",
    "bands": lambda known: known.source.bands,
    "sample_format": lambda known: "uchar" if known.source.bits <= 8 else "ushort",
    "pages_number": lambda known: known.source.frames,
    "alpha": lambda known: {"has_alpha": known.source.alpha},
    "palette": lambda known: [_channels(colour) for colour, _ in find_palette(known.small)],
    "average": lambda known: _average(known.small),
    "blurhash": lambda known: hashes.blur_hash(known.small),
    "thumb_hash": lambda known: hashes.thumb_hash(known.small),
    "perceptual_hash": lambda known: hashes.perceptual_hash(known.small),
}
"""Each name, and what computes its value."""


def report_facts(names: Sequence[str], known: Known) -> dict[str, object]:
    """Return the facts of these names."""
    return {name: FACTS[name](known) for name in names}


def _channels(colour: str, alpha: int = 255) -> dict[str, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return {"R": red, "G": green, "B": blue, "A": alpha}


def _average(image: pyvips.Image) -> dict[str, int]:
    """Return the mean of the colours; what is transparent counts less."""
    premultiplied = image.premultiply() if image.hasalpha() else image
    means = [float(premultiplied[band].avg()) for band in range(premultiplied.bands)]
    share = max(means.pop() / 255, 1e-9) if image.hasalpha() else 1.0
    levels = [min(255, round(mean / share)) for mean in means]
    red, green, blue = levels if len(levels) == 3 else levels * 3
    return {"R": red, "G": green, "B": blue, "A": 255}
