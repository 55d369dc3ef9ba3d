"""Return facts about the file (format, size, frames, …), its dominant colours and its BlurHash, as JSON."""

from __future__ import annotations

import pyvips

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.formats import MEDIA_TYPES
from imaging.params.model import Params
from imaging.picture import ImageHeader, Picture, Report
from imaging.pipeline.feature import feature

_SIDE = 100
"""Longer side in pixels of the thumbnail that the colours are computed from."""
_HASH_SIDE = 32
_COLOURS = 5
_SAME = 16
"""Two colours that differ by less than this in every channel count as one, because soft edges add near duplicates."""


class Info(Params):
    """Return facts about the file (format, size, frames, …), its dominant colours and its BlurHash, as JSON."""


@feature(
    Info,
    group="report",
    cost=each_pixel(0.007, 2),
    reads="neighbours",
    preshrink=lambda _requested, size: max(size) / _SIDE,
)
def info(picture: Picture, requested: Info, context: Context) -> Report:  # noqa: ARG001 - every feature has one shape
    small = _thumbnail(picture)
    palette = _palette(small)
    return Report(
        {
            **_facts(picture.source),
            "dominantColor": palette[0] if palette else None,
            "palette": palette,
            "blurHash": _blurhash(small),
        }
    )


def _facts(source: ImageHeader) -> dict[str, object]:
    """Return facts about the file, but none of its metadata, which can contain a position."""
    width, height = source.upright
    return {
        "format": source.format,
        "mediaType": MEDIA_TYPES[source.format],
        "bytes": source.size,
        "width": width,
        "height": height,
        "storedWidth": source.width,
        "storedHeight": source.height,
        "orientation": source.orientation,
        "frames": source.frames if source.delays else 1,
        "pages": source.frames,
        "alpha": source.alpha,
        "bits": source.bits,
        "profile": source.profile,
    }


def _thumbnail(picture: Picture) -> pyvips.Image:
    """Return the first frame in sRGB, 8 bits per band, at most `_SIDE` pixels wide and high, in memory."""
    frame = picture.image.crop(0, 0, picture.width, picture.height)
    return frame.thumbnail_image(_SIDE, height=_SIDE, size="down").colourspace("srgb").copy_memory()


def _palette(image: pyvips.Image) -> list[str]:
    """Return at most five colours as #rrggbb, the most frequent first; mostly transparent pixels do not count."""
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
    return ["#" + colour.hex() for _, colour in _merge_similar(found)]


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


def _blurhash(image: pyvips.Image) -> str:
    """Return the BlurHash (blurha.sh) of the image on a white background."""
    import blurhash  # noqa: PLC0415 - most requests never need it

    opaque = image.flatten(background=[255]) if image.hasalpha() else image
    tiny = opaque.thumbnail_image(_HASH_SIDE, height=_HASH_SIDE, size="down")
    pixels, stride = bytes(tiny.write_to_memory()), 3 * tiny.width
    rows = [[pixels[at : at + 3] for at in range(start, start + stride, 3)] for start in range(0, len(pixels), stride)]
    components = (4, 3) if tiny.width >= tiny.height else (3, 4)
    return str(blurhash.encode(rows, *components))
