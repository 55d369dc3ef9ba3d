"""A picture in the colours of a palette, and what there is to say of them."""

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
"""Of each band: a cell of the table is four levels wide, which is less than the eye tells apart."""
_STRIP = 1 << 20
Indices = NDArray[np.uint8]
"""For each pixel the number of its colour in the palette."""


def mapped(picture: Picture, pixels: Pixels, palette: Palette, *, dither: bool, deadline: Deadline) -> Picture:
    """The picture in these colours; one that has no others keeps its own."""
    if not len(palette.rgb):
        return picture.with_image(pixels.image)
    indices = _exact(pixels, palette, deadline)
    if indices is None:
        rgb = palette.rgb
        indices = _dithered(picture, pixels, rgb, deadline) if dither else _nearest(pixels, rgb, deadline)
    bands = pixels.image.bands - pixels.image.hasalpha()
    table: Any = pyvips.Image.new_from_array(_padded(palette.rgb)[None, :, :bands])
    plane: Any = pyvips.Image.new_from_memory(indices.data, pixels.image.width, pixels.image.height, 1, "uchar")
    image: Any = plane.maplut(table).copy(interpretation=pixels.image.interpretation)
    if pixels.alpha is not None:
        return picture.with_image(image.bandjoin(pixels.image[bands]))
    indexed = PalettePixels(plane.copy(interpretation="b-w"), palette.rgb.tobytes())
    return structs.replace(picture.with_image(image), indexed=indexed)


def report(pixels: Pixels, choice: Choice, deadline: Deadline) -> Report:
    """Colours with the share of the picture that each would cover, the largest first; what is clear does not count."""
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
    """Which colour each pixel has, if no pixel has another; what is clear may."""
    if not palette.complete:
        return None
    known, found = cells_of(palette.rgb, bits=8), np.empty(len(pixels.rgb), np.uint8)
    for strip in _strips(pixels, deadline):
        has = cells_of(pixels.rgb[strip], bits=8)
        found[strip] = np.searchsorted(known, has).clip(max=len(known) - 1)
        differs = known[found[strip]] != has
        if (differs if pixels.alpha is None else differs & (pixels.alpha[strip] > 0)).any():
            return None
    return found


def _nearest(pixels: Pixels, palette: Bytes, deadline: Deadline) -> Indices:
    """The nearest colour of each pixel, as CIELAB has it, by a table of the cells that occur."""
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
    """All pixels, as many at a time as may pass between two looks at the clock."""
    for start in range(0, len(pixels.rgb), _STRIP):
        deadline.check()
        yield slice(start, start + _STRIP)


def _dithered(picture: Picture, pixels: Pixels, palette: Bytes, deadline: Deadline) -> Indices:
    """Indices by which errors even out between neighbours; each frame on its own, so that none leaks into the next."""
    known = Image.new("P", (1, 1))
    known.putpalette(_padded(palette).tobytes())
    frames = []
    for rgb, alpha in zip(*(_split(plane, picture) for plane in (pixels.rgb, pixels.alpha)), strict=True):
        deadline.check()
        # What is clear may have any colour; the error of one that is not in the palette would show beside it.
        frame = rgb if alpha is None else np.where(alpha[..., None], rgb, palette[0])
        drawn = Image.fromarray(np.ascontiguousarray(frame))
        frames.append(np.asarray(drawn.quantize(palette=known, dither=Image.Dither.FLOYDSTEINBERG)))
    # Of equal colours, as those are that pad the palette, Pillow may take any.
    return np.asarray(np.minimum(np.concatenate(frames), len(palette) - 1), np.uint8)


def _split(plane: NDArray[np.uint8] | None, picture: Picture) -> NDArray[np.uint8] | list[None]:
    """Each frame of a plane on its own, in rows and columns."""
    if plane is None:
        return [None] * picture.frames
    return plane.reshape(picture.frames, picture.height, picture.width, *plane.shape[1:])


def _padded(palette: Bytes) -> Bytes:
    """The palette with its last colour repeated: 256 colours, as Pillow and libvips want it."""
    return np.concatenate([palette, np.repeat(palette[-1:], 256 - len(palette), axis=0)])
