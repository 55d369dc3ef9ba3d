"""Ultra HDR files made by libvips and libultrahdr, and the light that they stand for, computed here with numpy."""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
import pyvips
from tests import pictures

Image = Any
"""A pyvips image; pyvips has no types of its own."""
Light = Any
"""An array of red, green and blue in linear light; 1 is the white of an ordinary screen."""

GAIN = 3.0
"""Binary logarithm of the largest gain."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def gain_levels(width: int, height: int, *, channels: int = 1) -> Image:
    """A map without any symmetry: a ramp, and a bright spot in its upper left; each channel has another slope."""
    across, down = pyvips.Image.xyz(width, height).bandsplit()
    spot = (((across / width - 0.3) ** 2 + (down / height - 0.25) ** 2) * -40).exp() * 120
    bands: list[Any] = [spot + across * (90 / width) + down * ((20 + 15 * band) / height) for band in range(channels)]
    image: Image = bands[0].bandjoin(bands[1:]) if channels > 1 else bands[0]
    return image.cast("uchar").copy(interpretation="b-w" if channels == 1 else "srgb").copy_memory()


def ultra_hdr(
    picture: Image = None, gain_map: Image = None, *, orientation: int = 1, icc: bytes | None = None
) -> bytes:
    """A picture (the scene, 320 x 240) with a gain map (a quarter of each side), and a GPS position."""
    picture = pictures.scene(320, 240) if picture is None else picture
    gain_map = gain_levels(picture.width // 4, picture.height // 4) if gain_map is None else gain_map
    stored = pictures.turned(picture, orientation).copy()
    stored.set_type(pyvips.GValue.image_type, "gainmap", pictures.turned(gain_map, orientation))
    doubles = pyvips.GValue.array_double_type
    for name, value in (("max-content-boost", 2**GAIN), ("min-content-boost", 1.0), ("gamma", 1.0)):
        stored.set_type(doubles, f"gainmap-{name}", [value] * 3)
    for name in ("offset-sdr", "offset-hdr"):
        stored.set_type(doubles, f"gainmap-{name}", [1 / 64] * 3)
    for name, number in (("min", 1.0), ("max", 2**GAIN)):
        stored.set_type(pyvips.GValue.gdouble_type, f"gainmap-hdr-capacity-{name}", number)
    stored.set_type(pyvips.GValue.gint_type, "gainmap-use-base-cg", 1)
    stored.set_type(pyvips.GValue.blob_type, "exif-data", pictures.exif(orientation))
    stored.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    if icc:
        stored.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    return bytes(stored.uhdrsave_buffer(Q=95, keep="all"))


def second_image(body: bytes) -> bytes:
    """The second image of a file as its list of images says (CIPA DC-007), big-endian as everybody writes it."""
    at = body.index(b"MPF\0") + 4
    assert body[at : at + 4] == b"MM\0*"
    size, place = struct.unpack_from(">II", body, at + 50 + 16 + 4)
    first = struct.unpack_from(">I", body, at + 50 + 4)[0]
    assert first == at + place
    assert len(body) == first + size
    return body[at + place : at + place + size]


def parameters_in_xmp(body: bytes) -> dict[str, list[float]]:
    """Adobe's parameters of the second image, by their names."""
    packet = second_image(body).partition(b"<x:xmpmeta")[2].partition(b"</x:xmpmeta>")[0].decode()
    single = {name: [float(value)] for name, value in re.findall(r'hdrgm:(\w+)="(-?[\d.]+)"', packet)}
    several = {
        name: [float(each) for each in re.findall(r"<rdf:li>([^<]+)</rdf:li>", items)]
        for name, items in re.findall(r"<hdrgm:(\w+)>(.*?)</hdrgm:\1>", packet)
    }
    return single | several


def light_of(body: bytes) -> Light:
    """The light of an Ultra HDR file on a screen with all the headroom: base image and gain map by Adobe's formula.

    The file is read by libultrahdr; the base image is turned upright and converted to sRGB by its profile, if any.
    """
    base: Image = pyvips.Image.uhdrload_buffer(body)
    levels: Image = base.get_gainmap()

    def numbers(name: str) -> Light:
        return np.array(base.get(f"gainmap-{name}"))

    orientation = base.get("orientation") if base.get_typeof("orientation") else 1
    levels = levels.copy()
    levels.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    recovered = (_enlarged(levels.autorot(), *upright_size(base)) / 255) ** (1 / numbers("gamma"))
    low, high = np.log2(numbers("min-content-boost")), np.log2(numbers("max-content-boost"))
    gain = low + (high - low) * recovered
    light = _linear(base.autorot().numpy()[..., :3] / 255.0)
    return (light + numbers("offset-sdr")) * 2**gain - numbers("offset-hdr")


def upright_size(base: Image) -> tuple[int, int]:
    """Width and height of the base image as it is shown."""
    upright = base.autorot()
    return upright.width, upright.height


def luminance(light: Light) -> Light:
    """The luminance of each pixel."""
    return light @ _LUMINANCE


def reduced(light: Light, width: int, height: int) -> Light:
    """The light in another size: the mean of what each pixel covers."""
    across = np.tensordot(_weights(light.shape[1], width), light, axes=(1, 1)).transpose(1, 0, 2)
    return np.tensordot(_weights(light.shape[0], height), across, axes=(1, 0))


def _weights(size: int, target: int) -> Light:
    """A row for each pixel of the result: which share of it each pixel of the source covers."""
    edges = np.arange(target + 1) * (size / target)
    low, high = edges[:-1, None], edges[1:, None]
    places = np.arange(size)[None, :]
    covered = np.clip(np.minimum(places + 1, high) - np.maximum(places, low), 0, None)
    return covered / covered.sum(axis=1, keepdims=True)


def _enlarged(levels: Image, width: int, height: int) -> Light:
    """The levels of a map at each pixel of its base image, interpolated between the centres of the map's pixels."""
    pixels = levels.numpy().astype(float)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    for axis, size in ((0, height), (1, width)):
        places = (np.arange(size) + 0.5) * pixels.shape[axis] / size - 0.5
        places = np.clip(places, 0, pixels.shape[axis] - 1)
        low = np.minimum(places.astype(int), max(0, pixels.shape[axis] - 2))
        high = np.minimum(low + 1, pixels.shape[axis] - 1)
        share = (places - low).reshape([-1 if each == axis else 1 for each in range(3)])
        pixels = np.take(pixels, low, axis) * (1 - share) + np.take(pixels, high, axis) * share
    return pixels


def _linear(levels: Light) -> Light:
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
