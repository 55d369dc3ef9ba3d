"""The image in the colours of a palette, and the report on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyvips
from msgspec import structs
from numpy.typing import NDArray
from PIL import Image

from features.quantize._choice import Choice, Palette, nearest
from features.quantize._pixels import Bytes, Pixels, cells_of, lab_of, middles_of
from imaging.context import Deadline
from imaging.picture import PalettePixels, Picture, Report

_BITS = 6
"""Bits per band of a lookup table: one of its cells is four levels wide, a difference that is not visible."""
_STRIP = 1 << 20
Indices = NDArray[np.uint8]
"""For each pixel, the index of its colour in the palette."""


def map_to_palette(picture: Picture, pixels: Pixels, palette: Palette, *, dither: bool, deadline: Deadline) -> Picture:
    """Return the image in the colours of the palette; unchanged if all pixels are transparent."""
    if not len(palette.rgb):
        return picture.with_image(pixels.image)
    indices = _exact(pixels, palette, deadline)
    if indices is None:
        rgb = palette.rgb
        indices = _dithered(picture, pixels, rgb, deadline) if dither else _nearest(pixels, rgb, deadline)
    bands = pixels.image.bands - pixels.image.hasalpha()
    lookup: Any = pyvips.Image.new_from_array(_padded(palette.rgb)[None, :, :bands])
    plane: Any = pyvips.Image.new_from_memory(indices.data, pixels.image.width, pixels.image.height, 1, "uchar")
    image: Any = plane.maplut(lookup).copy(interpretation=pixels.image.interpretation)
    if pixels.alpha is not None:
        return picture.with_image(image.bandjoin(pixels.image[bands]))
    indexed = PalettePixels(plane.copy(interpretation="b-w"), palette.rgb.tobytes())
    return structs.replace(picture.with_image(image), indexed=indexed)


def report(pixels: Pixels, choice: Choice, deadline: Deadline) -> Report:
    """Report each colour with its share of the image, the largest first; transparent pixels do not count."""
    palette = choice.palette
    if not len(palette.rgb):
        return Report({"colors": 0, "palette": [], "difference": 0.0, "criterion": None, "tried": []})
    indices = _exact(pixels, palette, deadline)
    if indices is None:
        indices = _nearest(pixels, palette.rgb, deadline)
    counts = np.bincount(indices, pixels.alpha, len(palette.rgb))
    covers = [
        {"color": "#" + colour.tobytes().hex(), "share": round(float(share), 4)}
        for colour, share in zip(palette.rgb, counts / counts.sum(), strict=True)
    ]
    return Report(
        {
            "colors": len(palette.rgb),
            "palette": sorted(covers, key=lambda cover: -float(cover["share"])),
            "difference": round(palette.difference, 2),
            "criterion": choice.criterion,
            "tried": [{"colors": count, "score": round(choice.tried[count], 3)} for count in sorted(choice.tried)],
        }
    )


def _exact(pixels: Pixels, palette: Palette, deadline: Deadline) -> Indices | None:
    """Return the indices if every pixel has exactly a colour of the palette, otherwise None.

    Transparent pixels may have any colour.
    """
    if not palette.complete:
        return None
    known, found = cells_of(palette.rgb, bits=8), np.empty(len(pixels.rgb), np.uint8)
    for strip in _strips(pixels, deadline):
        colours = cells_of(pixels.rgb[strip], bits=8)
        found[strip] = np.searchsorted(known, colours).clip(max=len(known) - 1)
        differs = known[found[strip]] != colours
        if (differs if pixels.alpha is None else differs & (pixels.alpha[strip] > 0)).any():
            return None
    return found


def _nearest(pixels: Pixels, palette: Bytes, deadline: Deadline) -> Indices:
    """Return the nearest colour of each pixel in CIELAB, from a lookup table of the cells that occur."""
    occurs = np.zeros(1 << 3 * _BITS, bool)
    for strip in _strips(pixels, deadline):
        occurs[cells_of(pixels.rgb[strip], _BITS)] = True
    table, cells = np.zeros(len(occurs), np.uint8), np.flatnonzero(occurs)
    table[cells] = nearest(lab_of(middles_of(cells, _BITS)), lab_of(palette))
    found = np.empty(len(pixels.rgb), np.uint8)
    for strip in _strips(pixels, deadline):
        found[strip] = table[cells_of(pixels.rgb[strip], _BITS)]
    return found


def _strips(pixels: Pixels, deadline: Deadline) -> Iterator[slice]:
    """Yield slices of all pixels, and check the deadline before each of them."""
    for start in range(0, len(pixels.rgb), _STRIP):
        deadline.check()
        yield slice(start, start + _STRIP)


def _dithered(picture: Picture, pixels: Pixels, palette: Bytes, deadline: Deadline) -> Indices:
    """Return dithered indices; each frame is dithered by itself, so that no error passes into the next frame."""
    known = Image.new("P", (1, 1))
    known.putpalette(_padded(palette).tobytes())
    frames = []
    for rgb, alpha in zip(*(_split(plane, picture) for plane in (pixels.rgb, pixels.alpha)), strict=True):
        deadline.check()
        # A transparent pixel may have a colour outside the palette, whose error would show in its neighbours.
        frame = rgb if alpha is None else np.where(alpha[..., None], rgb, palette[0])
        image = Image.fromarray(np.ascontiguousarray(frame))
        frames.append(np.asarray(image.quantize(palette=known, dither=Image.Dither.FLOYDSTEINBERG)))
    # Pillow may choose any of several equal colours, and the palette is padded with copies of its last colour.
    return np.asarray(np.minimum(np.concatenate(frames), len(palette) - 1), np.uint8)


def _split(plane: NDArray[np.uint8] | None, picture: Picture) -> NDArray[np.uint8] | list[None]:
    """Split a plane into frames with rows and columns."""
    if plane is None:
        return [None] * picture.frames
    return plane.reshape(picture.frames, picture.height, picture.width, *plane.shape[1:])


def _padded(palette: Bytes) -> Bytes:
    """Return the palette with its last colour repeated to 256 colours, which Pillow and libvips need."""
    return np.concatenate([palette, np.repeat(palette[-1:], 256 - len(palette), axis=0)])
