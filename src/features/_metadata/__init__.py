"""What an original says about itself in EXIF, XMP and IPTC, and what of it an answer may say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pyvips

from features._metadata import exif, iptc, xmp

Image = Any
"""A pyvips image, whose fields hold more kinds of values than its types know."""

_EXIF, _XMP, _IPTC = "exif-data", "xmp-data", "iptc-data"
_LONGEST_SEGMENT = 65_000
_STRUCTURE = ("page-height", "n-pages", "delay", "loop", "vips-sequential")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Blocks as files hold them; empty where there is none."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: list[iptc.Text] | tuple[()] = ()


def of(image: Image, wanted: Literal["keep", "copyright"], *, position: bool) -> Metadata:
    """What of an original's metadata stays. The GPS position stays only with `position` and `keep`."""
    tags, packet = exif.read(_blob(image, _EXIF)), _blob(image, _XMP)
    texts = iptc.read(_blob(image, _IPTC))
    if wanted == "copyright":
        return _credit(tags, packet, texts)
    if not position:
        tags, packet = tags.without_position(), xmp.without_position(packet)
    return Metadata(exif.write(tags) if tags else b"", packet, texts)


def attached(image: Image, metadata: Metadata, *, for_jpeg: bool) -> Image:
    """The same pixels with this metadata and no other."""
    image = image.copy()
    for name in image.get_fields():
        if name not in _STRUCTURE and name not in _basic():
            image.remove(name)
    for name, value in _exif_fields(metadata.exif).items():
        image.set_type(pyvips.GValue.blob_type if name == _EXIF else pyvips.GValue.gstr_type, name, value)
    for name, value in ((_XMP, metadata.xmp), (_IPTC, iptc.write(list(metadata.iptc), for_jpeg=for_jpeg))):
        if value:
            image.set_type(pyvips.GValue.blob_type, name, value)
    return image


def _credit(tags: exif.Exif, packet: bytes, texts: list[iptc.Text]) -> Metadata:
    tags = tags.only_credit()
    tags = tags.with_text(exif.ARTIST, iptc.first(texts, iptc.BYLINE))
    tags = tags.with_text(exif.COPYRIGHT, iptc.first(texts, iptc.COPYRIGHT, iptc.CREDIT))
    packet = xmp.only_credit(packet)
    if not packet and tags:
        packet = xmp.of_credit(tags.text(exif.ARTIST), tags.text(exif.COPYRIGHT))
    kept = [text for text in texts if text.record == 2 and text.number in iptc.CREDITS]
    return Metadata(exif.write(tags) if tags else b"", packet, kept)


def _blob(image: Image, name: str) -> bytes:
    return bytes(image.get(name)) if image.get_typeof(name) else b""


@cache
def _carrier() -> bytes:
    black: Image = pyvips.Image.black(8, 8)
    return bytes(black.jpegsave_buffer(keep="none"))


@cache
def _basic() -> frozenset[str]:
    """The fields that an image has from its making; they are no metadata and cannot be removed."""
    return frozenset(pyvips.Image.black(1, 1).get_fields())


def _exif_fields(block: bytes) -> dict[str, Any]:
    """The fields by which libvips knows an EXIF block. It makes them when it opens a file, so a small one is opened."""
    if not block or len(block) > _LONGEST_SEGMENT:
        return {}
    start = _carrier()
    segment = b"\xff\xe1" + (len(block) + 8).to_bytes(2, "big") + b"Exif\0\0" + block
    image: Image = pyvips.Image.new_from_buffer(start[:2] + segment + start[2:], "")
    return {name: image.get(name) for name in image.get_fields() if name.startswith("exif-")}
