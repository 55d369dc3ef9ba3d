"""Read the color space that a PNG states beside or instead of an ICC profile (third edition, 4.3 and 11.3.2)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from imaging.codecs.decode.chunks import chunks

if TYPE_CHECKING:
    from imaging.codecs.decode.color_space import ColorSpace

_READ = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cLLI", b"mDCV"})
_UNIT, _LUMINANCE_UNIT = 100_000, 10_000
_SRGB_GAMMA, _TOLERANCE = 1 / 2.2, 0.05
"""An exponent that stands alone and is this near means sRGB's curve, as browsers and libpng take it."""
_SIZES = {b"cICP": 4, b"gAMA": 4, b"cHRM": 32, b"cLLI": 8, b"mDCV": 24}


def read_color_space(original: bytes, *, has_profile: bool) -> ColorSpace | None:
    """Return the color space of the chunk that counts; None where that is the profile, or nothing is stated.

    The order of precedence is cICP, iCCP, sRGB, and gAMA with cHRM. Only chunks before palette and pixels count.
    """
    found: dict[bytes, bytes] = {}
    for kind, start, end in chunks(original):
        if kind in (b"PLTE", b"IDAT"):
            break
        if kind in _READ and kind not in found and end - start - 12 == _SIZES.get(kind, end - start - 12):
            found[kind] = original[start + 8 : end - 4]
    if not found:
        return None
    code = found.get(b"cICP", b"")
    # Samples of other colour models or of the limited range have no meaning in a PNG.
    if code[2:] == b"\0\1":
        from imaging.codecs.decode.color_space import color_space_of  # noqa: PLC0415 - most files are in sRGB

        return color_space_of(code[0], code[1], is_video=False, peak=_peak(found))
    if has_profile or b"iCCP" in found or b"sRGB" in found or b"gAMA" not in found:
        return None
    return _by_exponent(found)


def _peak(found: dict[bytes, bytes]) -> float | None:
    """Return the peak luminance in cd/m²: of the content, else of the display that it was made on, if stated."""
    light, display = found.get(b"cLLI", b""), found.get(b"mDCV", b"")
    peaks = [
        struct.unpack_from(">I", light)[0] if light else 0,
        struct.unpack_from(">16xI", display)[0] if display else 0,
    ]
    return next((peak / _LUMINANCE_UNIT for peak in peaks if peak), None)


def _by_exponent(found: dict[bytes, bytes]) -> ColorSpace | None:
    """Return the color space of gAMA and cHRM; None if they mean sRGB or nothing."""
    exponent = int.from_bytes(found[b"gAMA"], "big") / _UNIT
    if not exponent:
        return None
    if b"cHRM" not in found and abs(exponent / _SRGB_GAMMA - 1) < _TOLERANCE:
        return None
    from imaging.codecs.decode.color_space import ColorSpace  # noqa: PLC0415 - most files are in sRGB

    if b"cHRM" not in found:
        return ColorSpace(curve="gamma", gamma=1 / exponent)
    x, y, *primaries = (value / _UNIT for value in struct.unpack(">8I", found[b"cHRM"]))
    space = ColorSpace((*primaries, x, y), "gamma", 1 / exponent)
    return space if space.is_usable else None
