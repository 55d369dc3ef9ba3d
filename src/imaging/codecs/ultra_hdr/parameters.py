"""Read and write the parameters of a gain map: ISO 21496-1 (annex C) in binary, and Adobe's namespace in XMP.

Sources: https://developer.android.com/media/platform/hdr-image-format and
https://helpx.adobe.com/camera-raw/using/gain-map.html
"""

from __future__ import annotations

import math
import re
import struct
from fractions import Fraction

from imaging.codecs.metadata.reader import Malformed, Reader
from imaging.gain_map import GainMapParameters, Numbers

_MULTI_CHANNEL, _BASE_COLORS, _COMMON_DENOMINATOR = 0x80, 0x40, 0x08
_DENOMINATOR = 1 << 20
_LARGEST = 2047
"""Of a number with that denominator in 32 bits."""
_MAX_GAIN, _MAX_GAMMA = 64.0, 100.0
"""Binary logarithms beyond any screen, and exponents beyond any map."""
_ATTRIBUTE = re.compile(r'\bhdrgm:(\w+)\s*=\s*["\']\s*([^"\']{0,200}?)\s*["\']')
_ELEMENT = re.compile(r"<hdrgm:(\w+)\s*>\s*<rdf:Seq\s*>(.{0,2000}?)</rdf:Seq\s*>", re.DOTALL)
_ITEM = re.compile(r"<rdf:li\s*>\s*([^<]{0,100}?)\s*</rdf:li\s*>")
_DEFAULTS = {
    "GainMapMin": (0.0,), "Gamma": (1.0,), "OffsetSDR": (1 / 64,), "OffsetHDR": (1 / 64,), "HDRCapacityMin": (0.0,),
}  # fmt: skip
"""Adobe's defaults; GainMapMax and HDRCapacityMax have none."""


def read_binary(payload: bytes) -> GainMapParameters:
    """Return the parameters from ISO 21496-1's block. Raises Malformed, also where the base image is the HDR one."""
    reader = Reader(payload)
    if reader.big(2):
        raise Malformed("a gain map of a later version")
    reader.skip(2)
    flags = reader.big(1)
    common = reader.big(4) if flags & _COMMON_DENOMINATOR else None

    def number(*, signed: bool = False) -> float:
        numerator = int.from_bytes(reader.take(4), "big", signed=signed)
        denominator = reader.big(4) if common is None else common
        if not denominator:
            raise Malformed("a fraction without a denominator")
        return float(Fraction(numerator, denominator))

    base, alternate = number(), number()
    channels = [
        (number(signed=True), number(signed=True), number(), number(signed=True), number(signed=True))
        for _ in range(3 if flags & _MULTI_CHANNEL else 1)
    ]
    low, high, gamma, offset_sdr, offset_hdr = zip(*channels, strict=True)
    uses_base_colors = bool(flags & _BASE_COLORS)
    return _checked(
        GainMapParameters(low, high, gamma, offset_sdr, offset_hdr, base, alternate, uses_base_colors=uses_base_colors)
    )


def write_binary(parameters: GainMapParameters) -> bytes:
    """Return ISO 21496-1's block."""
    channels = len(parameters.gain_min)
    flags = _COMMON_DENOMINATOR | (_MULTI_CHANNEL if channels == 3 else 0)
    flags |= _BASE_COLORS if parameters.uses_base_colors else 0
    parts = [
        struct.pack(">HHBI", 0, 0, flags, _DENOMINATOR),
        struct.pack(">II", _scaled(parameters.headroom_min), _scaled(parameters.headroom_max)),
    ]
    for channel in _channels(parameters):
        low, high, gamma, offset_sdr, offset_hdr = map(_scaled, channel)
        parts.append(struct.pack(">iiIii", low, high, gamma, offset_sdr, offset_hdr))
    return b"".join(parts)


def read_xmp(packet: bytes) -> GainMapParameters:
    """Return the parameters from an XMP packet with Adobe's namespace. Raises Malformed."""
    text = packet.decode("utf-8", "replace")
    found: dict[str, Numbers] = dict(_DEFAULTS)
    for name, value in _ATTRIBUTE.findall(text):
        if name == "BaseRenditionIsHDR":
            if value.lower() == "true":
                raise Malformed("the base image is the HDR one")
        elif name != "Version":
            found[name] = _numbers([value])
    found |= {name: _numbers(_ITEM.findall(items)) for name, items in _ELEMENT.findall(text)}
    names = ("GainMapMin", "GainMapMax", "Gamma", "OffsetSDR", "OffsetHDR")
    if not found.keys() >= {*names, "HDRCapacityMax"}:
        raise Malformed("a gain map without its largest gain")
    channels = max(len(found[name]) for name in names)
    if channels not in (1, 3) or any(len(found[name]) not in (1, channels) for name in names):
        raise Malformed(f"a gain map of {channels} channels")
    values = [found[name] * channels if len(found[name]) == 1 else found[name] for name in names]
    low, high, gamma, offset_sdr, offset_hdr = values
    headrooms = found["HDRCapacityMin"][0], found["HDRCapacityMax"][0]
    return _checked(GainMapParameters(low, high, gamma, offset_sdr, offset_hdr, *headrooms))


def write_xmp(parameters: GainMapParameters) -> bytes:
    """Return an XMP packet with Adobe's namespace."""
    names = ("GainMapMin", "GainMapMax", "Gamma", "OffsetSDR", "OffsetHDR")
    values = dict(zip(names, zip(*_channels(parameters), strict=True), strict=True))
    items = {name: "".join(f"<rdf:li>{_text(each)}</rdf:li>" for each in several) for name, several in values.items()}
    elements = "".join(
        f"<hdrgm:{name}><rdf:Seq>{items[name]}</rdf:Seq></hdrgm:{name}>"
        for name, several in values.items()
        if len(several) > 1
    )
    single = {name: several[0] for name, several in values.items() if len(several) == 1}
    single |= {"HDRCapacityMin": parameters.headroom_min, "HDRCapacityMax": parameters.headroom_max}
    attributes = "".join(f' hdrgm:{name}="{_text(value)}"' for name, value in single.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" '
        f'hdrgm:BaseRenditionIsHDR="False"{attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def _channels(parameters: GainMapParameters) -> list[tuple[float, ...]]:
    several = (
        parameters.gain_min, parameters.gain_max, parameters.gamma, parameters.offset_sdr, parameters.offset_hdr,
    )  # fmt: skip
    return list(zip(*several, strict=True))


def _checked(parameters: GainMapParameters) -> GainMapParameters:
    """Return the parameters; Malformed where they are outside what any image needs, or contradict each other."""
    for low, high, gamma, *offsets in _channels(parameters):
        is_sound = -_MAX_GAIN <= low <= high <= _MAX_GAIN and 0 < gamma <= _MAX_GAMMA
        if not is_sound or not all(abs(offset) <= 1 for offset in offsets):
            raise Malformed("a gain map whose gains are not plausible")
    if not 0 <= parameters.headroom_min < parameters.headroom_max <= _MAX_GAIN:
        raise Malformed("a gain map whose base image is the HDR one, or without a headroom")
    return parameters


def _numbers(texts: list[str]) -> Numbers:
    try:
        numbers = tuple(map(float, texts))
    except ValueError as error:
        raise Malformed(str(error)) from None
    if not numbers or not all(map(math.isfinite, numbers)):
        raise Malformed("a gain map without finite numbers")
    return numbers


def _scaled(value: float) -> int:
    return round(min(_LARGEST, max(-_LARGEST, value)) * _DENOMINATOR)


def _text(value: float) -> str:
    return f"{value:.7g}"
