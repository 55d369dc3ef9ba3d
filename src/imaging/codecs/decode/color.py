"""Convert an image to sRGB or grey, 8 bits per band; alpha is kept."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING, Any

import pyvips

from imaging.codecs.decode.loaders import load
from imaging.formats import format_by_name
from imaging.picture import ImageHeader

if TYPE_CHECKING:
    from imaging.codecs.decode.color_space import ColorSpace
    from imaging.formats.format import Format

Image = Any
"""A pyvips image; its stubs give every field and every figure a union of types."""

_PROFILE = "icc-profile-data"
_TIFF = (b"II", b"MM")
# Red, green and blue of sRGB in the profile connection space (D50), as ICC profiles write them.
_COLORANTS = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}


def to_srgb(image: Image, original: bytes = b"", record: Format | None = None) -> Image:
    """Return the image in sRGB (3 bands) or grey (1), uchar, perhaps with alpha, and without its profile.

    `record` is that of the file's format.
    """
    image = _without_odd_bands(_in_range(image, original))
    has_profile = bool(image.get_typeof(_PROFILE))
    read_color_space = record.decoder.read_color_space if record else None
    space: ColorSpace | None = read_color_space(original, has_profile=has_profile) if read_color_space else None
    if space is not None:
        image = image if space.is_srgb else _by_numbers(image, space)
    elif has_profile:
        image = _by_profile(image)
    if image.interpretation == "cmyk":
        image = _without_inks(image, is_shown=record is not None and record.shown)
    if image.interpretation not in ("srgb", "b-w"):
        image = image.colourspace("b-w" if image.interpretation == "grey16" else "srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    if image.get_typeof(_PROFILE):
        image = image.copy()
        image.remove(_PROFILE)
    return image


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
    try:
        profile = bytes(image.get(_PROFILE))
    except RuntimeError:  # pyvips cannot give a field of no bytes
        return image
    if not (image.format == "uchar" and image.interpretation == "srgb" and is_srgb(profile)):
        # If lcms cannot use the profile, the samples are taken as they are.
        with contextlib.suppress(pyvips.Error):
            image = image.icc_transform("srgb", embedded=True, intent="perceptual", depth=8)
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
        return (
            profile[16:24] == b"RGB XYZ "
            and b"A2B0" not in tags
            and all(_is_near(_xyz(tags[name]), requested) for name, requested in _COLORANTS.items())
            and all(_is_srgb_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        )
    except (KeyError, struct.error):
        return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(min(count, 100)))
    return {name: profile[start : start + size] for name, start, size in entries}


def _xyz(tag: bytes) -> tuple[float, ...]:
    return tuple(part / 65536 for part in struct.unpack_from(">3i", tag, 8))


def _is_near(got: tuple[float, ...], requested: tuple[float, ...], within: float = 0.002) -> bool:
    return all(abs(one - other) <= within for one, other in zip(got, requested, strict=True))


def _is_srgb_curve(tag: bytes) -> bool:
    kind, number = struct.unpack_from(">4s4xI", tag)
    if kind == b"para":
        requested = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        return number >> 16 == 3 and _is_near(
            tuple(part / 65536 for part in struct.unpack_from(">5i", tag, 12)), requested
        )
    if kind != b"curv" or number < 256:
        return False
    places = [(number - 1) * eighth // 8 for eighth in range(9)]
    values = (struct.unpack_from(">H", tag, 12 + 2 * place)[0] / 65535 for place in places)
    return _is_near(tuple(values), tuple(_linear(place / (number - 1)) for place in places))


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
