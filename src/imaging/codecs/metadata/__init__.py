"""Read an original's EXIF, XMP and IPTC, and choose what of it an answer keeps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import msgspec
import pyvips

from imaging.codecs.metadata import exif, iptc, xmp
from imaging.codecs.metadata.blocks import EXIF, IPTC, XMP, read_blocks
from imaging.codecs.metadata.fields import IPTC_DATASETS, IPTC_POSITIONS
from imaging.codecs.metadata.label import find_label, is_generated, label_composite
from imaging.picture import ImageHeader

Image = Any
"""A pyvips image, whose fields hold more kinds of values than its types know."""

Requested = Literal["strip", "keep", "copyright"]
_LONGEST_SEGMENT = 65_000
_LONGEST_CREDIT = 1_000
"""Bytes of each block. XMP, whose names are long, may have twice as many beside white space."""
_STRUCTURE = ("page-height", "n-pages", "delay", "loop", "vips-sequential")


class Metadata(msgspec.Struct, frozen=True):
    """Blocks as files store them; empty if a file has no such block."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: list[iptc.Text] | tuple[()] = ()


def of(
    original: bytes,
    source: ImageHeader,
    requested: Requested,
    overlays: Sequence[tuple[bytes, ImageHeader]] = (),
    *,
    position: bool,
    is_hidden: bool,
) -> Metadata | None:
    """Return what stays of an original's metadata. The GPS position stays only with `position` and `keep`.

    Where something of the image is hidden, only a short credit stays, which cannot show what is hidden. Of stripped
    images the label of generated ones stays, and an image with a generated overlay gets a label of its own.
    """
    kept = _of_original(original, source, requested, position=position, is_hidden=is_hidden)
    if not any(is_generated(find_label(body, header)) for body, header in overlays):
        return kept
    kept = kept or Metadata()
    return msgspec.structs.replace(kept, xmp=label_composite(kept.xmp))


def _of_original(
    original: bytes, source: ImageHeader, requested: Requested, *, position: bool, is_hidden: bool
) -> Metadata | None:
    if requested == "strip":
        label = find_label(original, source)
        return Metadata(xmp=label) if label else None
    block, packet, texts = read_blocks(original, source)
    if is_hidden:
        return _short(_credit(exif.read(block, position=False), packet, texts))
    if requested == "copyright":
        return _credit(exif.read(block, position=False), packet, texts)
    tags = exif.read(block, position=position)
    allowed = IPTC_DATASETS | IPTC_POSITIONS if position else IPTC_DATASETS
    kept = [text for text in texts if (text.record, text.number) in allowed]
    return Metadata(exif.write(tags) if tags else b"", xmp.known(packet, position=position), kept)


def attach_metadata(image: Image, metadata: Metadata, *, writes_iptc: bool) -> Image:
    """Return the same pixels with this metadata and no other."""
    image = image.copy()
    for name in image.get_fields():
        if name not in _STRUCTURE and name not in _basic():
            image.remove(name)
    for name, value in _exif_fields(metadata.exif).items():
        image.set_type(pyvips.GValue.blob_type if name == EXIF else pyvips.GValue.gstr_type, name, value)
    # libvips cuts IPTC short when it writes it into a TIFF, and the other formats have no place for it.
    packet = iptc.write(list(metadata.iptc)) if writes_iptc else b""
    if len(packet) > _LONGEST_SEGMENT:
        packet = b""
    for name, value in ((XMP, metadata.xmp), (IPTC, packet)):
        if value:
            image.set_type(pyvips.GValue.blob_type, name, value)
    return image


def into_tiff(body: bytes, metadata: Metadata) -> bytes:
    """Return the TIFF with the EXIF tags, which libvips does not write there."""
    tags = exif.read(metadata.exif)
    return exif.into_tiff(body, tags) if tags else body


def _credit(tags: exif.Exif, packet: bytes, texts: list[iptc.Text]) -> Metadata:
    tags = tags.only_credit()
    texts = [text for text in texts if iptc.is_credit(text)]
    tags = tags.with_text(exif.ARTIST, iptc.first(texts, iptc.BYLINE))
    tags = tags.with_text(exif.COPYRIGHT, iptc.first(texts, iptc.COPYRIGHT, iptc.CREDIT))
    packet = xmp.only_credit(packet)
    if not packet and tags:
        packet = xmp.make_credit_packet(tags.text(exif.ARTIST), tags.text(exif.COPYRIGHT))
    return Metadata(exif.write(tags) if tags else b"", packet, texts)


def _short(credit: Metadata) -> Metadata:
    """Return the blocks of a credit that have a usual length: a longer one may hold an image."""
    size_of_texts = sum(len(text.value) for text in credit.iptc)
    return Metadata(
        credit.exif if len(credit.exif) <= _LONGEST_CREDIT else b"",
        credit.xmp if len(b"".join(credit.xmp.split())) <= 2 * _LONGEST_CREDIT else b"",
        credit.iptc if size_of_texts <= _LONGEST_CREDIT else (),
    )


@cache
def _carrier() -> bytes:
    black: Image = pyvips.Image.black(8, 8)
    return bytes(black.jpegsave_buffer(keep="none"))


@cache
def _basic() -> frozenset[str]:
    """Return the fields that every image has; they are not metadata and cannot be removed."""
    return frozenset(pyvips.Image.black(1, 1).get_fields())


def _exif_fields(block: bytes) -> dict[str, Any]:
    """Return libvips' fields for an EXIF block. It makes them when it opens a file, so a small one is opened."""
    if not block or len(block) > _LONGEST_SEGMENT:
        return {}
    start = _carrier()
    segment = b"\xff\xe1" + (len(block) + 8).to_bytes(2, "big") + b"Exif\0\0" + block
    image: Image = pyvips.Image.new_from_buffer(start[:2] + segment + start[2:], "")
    return {name: image.get(name) for name in image.get_fields() if name.startswith("exif-")}
