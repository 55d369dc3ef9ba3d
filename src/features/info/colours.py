"""The dominant colours of a small image."""

from __future__ import annotations

import pyvips

_COLOURS = 5
_SAME = 16
"""Two colours that differ by less than this in every channel count as one, because soft edges add near duplicates."""


def find_palette(image: pyvips.Image) -> list[tuple[str, float]]:
    """Return at most five colours as #rrggbb with their shares from 0 to 1, the most frequent first.

    Mostly transparent pixels do not count. `image` is in sRGB with 8 bits per band.
    """
    from PIL import Image  # noqa: PLC0415 - most requests never need it

    pixels = bytes(image.write_to_memory())
    if image.hasalpha():
        pixels = b"".join(pixels[at : at + 3] for at in range(0, len(pixels), 4) if pixels[at + 3] >= 128)
    if not pixels:
        return []
    row = Image.frombytes("RGB", (len(pixels) // 3, 1), pixels)
    # MAXCOVERAGE also finds accents that cover little; k-means then moves each colour to the centre of its cluster.
    reduced = row.quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=10)
    shades, counts = reduced.getpalette() or [], reduced.histogram()
    present = [index for index in range(len(shades) // 3) if counts[index]]
    found = [(counts[index], bytes(shades[3 * index : 3 * index + 3])) for index in present]
    total = sum(count for count, _ in found)
    return [("#" + colour.hex(), round(count / total, 3)) for count, colour in _merge_similar(found)]


def _merge_similar(found: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Return counts and colours, the most frequent first, with similar colours merged into the most frequent one."""
    merged: list[tuple[int, bytes]] = []
    for count, colour in sorted(found, key=lambda shade: -shade[0]):
        for index, (larger, other) in enumerate(merged):
            if max(abs(one - two) for one, two in zip(colour, other, strict=True)) < _SAME:
                merged[index] = (larger + count, other)
                break
        else:
            merged.append((count, colour))
    return sorted(merged, key=lambda shade: -shade[0])
