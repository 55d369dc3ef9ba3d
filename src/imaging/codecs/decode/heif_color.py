"""Read the color space that an AVIF or a HEIC states by numbers: its property nclx (ISO/IEC 23008-12, 6.5.5)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from imaging.codecs.decode.boxes import Box, boxes

if TYPE_CHECKING:
    from imaging.codecs.decode.color_space import ColorSpace

_SRGB_PRIMARIES = frozenset({0, 1, 2, 3})
_SRGB_TRANSFERS = frozenset({0, 1, 2, 3, 6, 13, 14, 15})
"""Numbers of H.273 that mean sRGB in a HEIF, or nothing."""
_MAX_BOXES, _MAX_ASSOCIATIONS = 1_000, 100_000


def read_color_space(original: bytes, *, has_profile: bool) -> ColorSpace | None:
    """Return the color space of the primary image's nclx; None if there is not one, or if there is a profile."""
    meta = None if has_profile else _find(original, b"meta", (b"", 0, len(original)))
    if meta is None:
        return None
    inside = (meta[0], meta[1] + 4, meta[2])
    properties = _properties(original, inside)
    code = next((value[4:] for kind, value in properties if kind == b"colr" and value.startswith(b"nclx")), b"")
    if len(code) < 4:
        return None
    primaries, transfer = int.from_bytes(code[:2], "big"), int.from_bytes(code[2:4], "big")
    if primaries in _SRGB_PRIMARIES and transfer in _SRGB_TRANSFERS:
        return None
    from imaging.codecs.decode.color_space import color_space_of  # noqa: PLC0415 - most files are in sRGB

    return color_space_of(primaries, transfer, is_video=True, peak=_peak(properties))


def _peak(properties: list[tuple[bytes, bytes]]) -> float | None:
    """Return the peak luminance in cd/m²: of the content, else of the display that it was made on, if stated."""
    light = next((int.from_bytes(value[:2], "big") for kind, value in properties if kind == b"clli"), 0)
    display = next((int.from_bytes(value[16:20], "big") for kind, value in properties if kind == b"mdcv"), 0)
    return light or display / 10_000 or None


def _properties(content: bytes, meta: Box) -> list[tuple[bytes, bytes]]:
    """Return the primary image's properties; all of the file's where none of its own is a color (a grid's tiles)."""
    iprp = _find(content, b"iprp", meta)
    container = iprp and _find(content, b"ipco", iprp)
    if not (iprp and container):
        return []
    every = [(kind, content[start:end]) for kind, start, end in islice(boxes(content, *container[1:]), _MAX_BOXES)]
    primary = _find(content, b"pitm", meta)
    indexes: list[int] = []
    if primary:
        number = content[primary[1] + 4 : primary[2]]
        for kind, start, end in islice(boxes(content, *iprp[1:]), _MAX_BOXES):
            indexes += _associated(content[start:end], int.from_bytes(number, "big")) if kind == b"ipma" else []
    own = [every[index - 1] for index in indexes if 0 < index <= len(every)]
    return own if any(kind == b"colr" for kind, _ in own) else every


def _associated(ipma: bytes, item: int) -> list[int]:
    """Return the numbers, from 1, of the properties of an item (23008-12, 9.3.1)."""
    wide_item, wide_index = (4 if ipma[:1] > b"\0" else 2), (2 if ipma[3:4] and ipma[3] & 1 else 1)
    at = 8
    for _ in range(min(int.from_bytes(ipma[4:8], "big"), _MAX_ASSOCIATIONS)):
        number, count = (
            int.from_bytes(ipma[at : at + wide_item], "big"),
            int.from_bytes(ipma[at + wide_item : at + wide_item + 1], "big"),
        )
        start = at + wide_item + 1
        at = start + count * wide_index
        if at > len(ipma):
            break
        if number == item:
            # The first bit says that the property is essential.
            mask = (1 << (8 * wide_index - 1)) - 1
            return [
                int.from_bytes(ipma[each : each + wide_index], "big") & mask for each in range(start, at, wide_index)
            ]
    return []


def _find(content: bytes, kind: bytes, parent: Box) -> Box | None:
    return next((box for box in islice(boxes(content, *parent[1:]), _MAX_BOXES) if box[0] == kind), None)
