"""Convert an image to sRGB or grey, 8 bits per band; alpha is kept."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyvips

from imaging.codecs.decode.loaders import load
from imaging.formats import format_by_name
from imaging.picture import ImageHeader, Picture

if TYPE_CHECKING:
    from imaging.codecs.decode.color_space import ColorSpace
    from imaging.codecs.decode.lcms import Conversion
    from imaging.formats.format import Format

Image = Any
"""A pyvips image; its stubs give every field and every figure a union of types."""

_PROFILE = "icc-profile-data"
_HELD_PIXELS = 1_000_000
"""Pixels that are converted in memory. More of them are converted while they are encoded."""
_KEPT_PROFILE = 100_000
"""Bytes of the largest profile whose conversion is kept. A display's has 500 to 20,000, a hostile one megabytes."""
_TIFF = (b"II", b"MM")
# Red, green and blue of sRGB in the profile connection space (D50), as ICC profiles write them.
_COLORANTS = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}
_EQUAL_LEVELS = 1.0
"""By how many levels of 255 a tone curve that means sRGB's may differ: 26 points of it, with lines between, differ by
0.6."""
_LIKE_LEVELS = 9.0
"""By how many levels a curve may differ with which a resize gives about the same pixels: Adobe RGB's differs by 8.5."""


def to_srgb(image: Image, original: bytes = b"", record: Format | None = None, *, keeps_profile: bool = False) -> Image:
    """Return the image in sRGB (3 bands) or grey (1), uchar, perhaps with alpha, and without its profile.

    `record` is that of the file's format. With `keeps_profile`, opaque levels of red, green and blue stay in the color
    space of their ICC profile, which the image then still has: `apply_profile` converts them. That holds only for
    profiles with about sRGB's tone curve, such as Display P3 and Adobe RGB: with another one, a resize before the
    conversion gives other pixels.
    """
    image = _without_odd_bands(_in_range(image, original))
    has_profile = bool(image.get_typeof(_PROFILE))
    read_color_space = record.decoder.read_color_space if record else None
    space: ColorSpace | None = read_color_space(original, has_profile=has_profile) if read_color_space else None
    if space is not None:
        image = image if space.is_srgb else _by_numbers(image, space)
    elif profile := _profile_of(image) if has_profile else b"":
        is_plain = image.format == "uchar" and image.interpretation == "srgb"
        if not (is_plain and is_srgb(profile)):
            if keeps_profile and is_plain and image.bands == 3 and _has_curves(profile, _LIKE_LEVELS):
                return image
            image = _by_profile(image)
    if image.interpretation == "cmyk":
        image = _without_inks(image, is_shown=record is not None and record.shown)
    if image.interpretation not in ("srgb", "b-w"):
        image = image.colourspace("b-w" if image.interpretation == "grey16" else "srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    return _without_profile(image)


def apply_profile(image: Image) -> Image:
    """Return the image in sRGB and without a profile, where it still has one (see `to_srgb`).

    The pixels of a small image are computed at once, and are in memory then.
    """
    if not image.get_typeof(_PROFILE):
        return image
    profile = _profile_of(image)
    is_small = image.width * image.height <= _HELD_PIXELS and len(profile) <= _KEPT_PROFILE
    # Of any other image, lcms would convert bytes beside the pixels.
    is_rgb = image.bands == 3 and image.format == "uchar"
    conversion = _conversion(profile) if is_small and is_rgb else None
    return conversion.apply(image) if conversion else _without_profile(_by_profile(image))


@lru_cache(maxsize=2)
def _conversion(profile: bytes) -> Conversion | None:
    """Return the conversion of a profile; None where libvips must do it."""
    from imaging.codecs.decode.lcms import open_conversion  # noqa: PLC0415 - most pictures are in sRGB

    return open_conversion(profile)


def in_srgb(picture: Picture) -> Picture:
    """Return the picture with its pixels converted to sRGB, where its image still has a profile."""
    return picture.with_image(apply_profile(picture.image)) if picture.image.get_typeof(_PROFILE) else picture


def is_stored_as_shown(original: bytes, source: ImageHeader) -> bool:
    """Return whether the pixels of a file are upright and in sRGB or grey as they are stored, 8 bits per band."""
    is_plain = source.orientation == 1 and source.bits <= 8 and source.bands - source.alpha <= 3
    if not is_plain:
        return False
    read_color_space = format_by_name(source.format).decoder.read_color_space
    space: ColorSpace | None = (
        read_color_space(original, has_profile=source.profile) if read_color_space is not None else None
    )
    if space is not None or not source.profile:
        return space is None or (space.is_srgb and not source.profile)
    header: Image = load(original, source.format)
    return is_srgb(bytes(header.get(_PROFILE)))


def _without_inks(image: Image, *, is_shown: bool) -> Image:
    """Return CMYK without a usable profile in sRGB: as browsers do for a format that they show, else as printed."""
    if not is_shown or image.format != "uchar":
        return image.icc_transform("srgb", input_profile="cmyk", intent="perceptual", depth=8)
    light = image ^ 255
    colours = (light.extract_band(0, n=3) * light[3] / 255).rint().cast("uchar").copy(interpretation="srgb")
    return colours.bandjoin(image[4]) if image.bands > 4 else colours


def _by_numbers(image: Image, space: ColorSpace) -> Image:
    from imaging.codecs.decode.color_space import convert  # noqa: PLC0415 - most files are in sRGB

    return convert(image, space)


def _by_profile(image: Image) -> Image:
    # If lcms cannot use the profile, the samples are taken as they are.
    with contextlib.suppress(pyvips.Error):
        return _transformed(image)
    return image


def _transformed(image: Image) -> Image:
    return image.icc_transform("srgb", embedded=True, intent="perceptual", depth=8)


def _profile_of(image: Image) -> bytes:
    try:
        return bytes(image.get(_PROFILE))
    except RuntimeError:  # pyvips cannot give a field of no bytes
        return b""


def _without_profile(image: Image) -> Image:
    if image.get_typeof(_PROFILE):
        image = image.copy()
        image.remove(_PROFILE)
    return image


def _in_range(image: Image, original: bytes) -> Image:
    """Return samples that are not levels of 8 or 16 bits, which TIFFs have, scaled to 0 to 255."""
    if image.format == "uchar" or image.interpretation in ("scrgb", "lab", "labs", "xyz"):
        return image
    may_be_measured = image.format != "ushort" or (image.bands == 1 and original.startswith(_TIFF))
    if not may_be_measured:
        return image
    from imaging.codecs.decode.measurements import scale  # noqa: PLC0415 - few files hold other numbers
    from imaging.codecs.decode.tiff import is_measured  # noqa: PLC0415 - few files hold other numbers

    measured = is_measured(original)
    return image if image.format == "ushort" and not measured else scale(image, original, is_measured=measured)


def _without_odd_bands(image: Image) -> Image:
    """Return the image without inks and channels beyond colour and alpha."""
    colours = {"b-w": 1, "grey16": 1, "cmyk": 4}.get(str(image.interpretation), 3)
    if image.interpretation == "multiband":
        colours = 1 if image.bands < 3 else 3
        image = image.copy(interpretation="srgb" if colours == 3 else "b-w")
    return image.extract_band(0, n=colours + 1) if image.bands > colours + 1 else image


def is_srgb(profile: bytes) -> bool:
    """Return whether an ICC profile means sRGB, so that there is nothing to convert."""
    try:
        tags = _tags(profile)
        has_primaries = all(_is_near(_xyz(tags[name]), requested) for name, requested in _COLORANTS.items())
    except (KeyError, struct.error):
        return False
    return has_primaries and _has_curves(profile, _EQUAL_LEVELS)


def _has_curves(profile: bytes, levels: float) -> bool:
    """Return whether an ICC profile consists of primaries and a tone curve that is so near to sRGB's."""
    try:
        tags = _tags(profile)
        return (
            profile[16:24] == b"RGB XYZ "
            and b"A2B0" not in tags
            and all(_is_near_srgb_curve(tag, levels) for tag in {tags[name] for name in (b"rTRC", b"gTRC", b"bTRC")})
        )
    except (KeyError, struct.error, ArithmeticError):
        return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(min(count, 100)))
    return {name: profile[start : start + size] for name, start, size in entries}


def _xyz(tag: bytes) -> tuple[float, ...]:
    return tuple(part / 65536 for part in struct.unpack_from(">3i", tag, 8))


def _is_near(got: tuple[float, ...], requested: tuple[float, ...]) -> bool:
    return all(abs(one - other) <= 0.002 for one, other in zip(got, requested, strict=True))


def _is_near_srgb_curve(tag: bytes, levels: float) -> bool:
    """Return whether a tone curve, of however few points, gives each level nearly the light that sRGB gives it."""
    curve = _curve(tag)
    return curve is not None and all(
        abs(255 * _level(curve(level / 255)) - level) <= levels for level in range(0, 256, 3)
    )


def _curve(tag: bytes) -> Callable[[float], float] | None:
    """Return the function from a level to its light, both from 0 to 1; None for kinds that sRGB is not written in."""
    kind, number = struct.unpack_from(">4s4xI", tag)
    if kind == b"curv" and number > 1:
        points = struct.unpack_from(f">{number}H", tag, 12)
        return lambda level: _between(points, level * (number - 1))
    if kind == b"curv" and number == 1:
        (exponent,) = struct.unpack_from(">H", tag, 12)
        return lambda level: level ** (exponent / 256)
    if kind != b"para" or number >> 16 not in (3, 4):
        return None
    count = 5 if number >> 16 == 3 else 7
    gamma, a, b, c, d, e, f = (*(part / 65536 for part in struct.unpack_from(f">{count}i", tag, 12)), 0.0, 0.0)[:7]
    return lambda level: max(0.0, a * level + b) ** gamma + e if level >= d else c * level + f


def _between(points: Sequence[int], place: float) -> float:
    """Return the light at a place between two points of a table."""
    before = min(int(place), len(points) - 2)
    return (points[before] + (points[before + 1] - points[before]) * (place - before)) / 65535


def _level(light: float) -> float:
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
