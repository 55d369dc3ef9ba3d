"""Remove metadata from a GIF89a, which consists of blocks of sub-blocks, and read and write its XMP packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.codecs.containers.kept import Kept
from imaging.codecs.metadata.reader import Malformed, Reader, Walk
from imaging.context import NO_DEADLINE

if TYPE_CHECKING:
    from imaging.codecs.metadata import Metadata

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_XMP = b"XMP DataXMP"
_XMP_END = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
"""Leads a reader of sub-blocks out of the packet, from any byte that it takes for a length (XMP, part 3, 1.1.2)."""


def strip(original: bytes, kept: Kept, walk: Walk) -> bytes:
    """Return palettes, frames, their delays, the loop and what is kept.

    Comments, texts and application data are removed.
    """
    reader = Reader(original)
    parts: list[bytes | memoryview] = [_head(reader)]
    control = b""
    while (kind := reader.big(1)) != _TRAILER:
        if kind == _IMAGE:
            parts += [control, _image(reader, walk)]
            control = b""
        elif kind == _EXTENSION:
            control, loop = _extension(reader, control, walk)
            parts.append(loop)
        else:
            raise Malformed(f"block {kind:02x}")
    stripped = b"".join([*parts, bytes((_TRAILER,))])
    return _with_xmp(stripped, kept.xmp) if kept.xmp else stripped


def read_xmp(original: bytes) -> bytes:
    """Return the XMP packet; empty without one, or if the file cannot be read."""
    reader, walk = Reader(original), Walk(len(original), NO_DEADLINE)
    try:
        _head(reader)
        while (kind := reader.big(1)) != _TRAILER:
            if kind == _IMAGE:
                _image(reader, walk)
            elif kind != _EXTENSION:
                break
            elif packet := _packet(original, reader, walk):
                return packet
    except Malformed:
        pass
    return b""


def add_metadata(body: bytes, metadata: Metadata) -> bytes:
    """Return the file with the XMP packet, the only metadata that a GIF can hold."""
    return _with_xmp(body, metadata.xmp) if metadata.xmp else body


def _head(reader: Reader) -> bytes:
    """Return the signature, the screen and its palette."""
    signature = reader.take(6)
    if signature not in (b"GIF87a", b"GIF89a"):
        raise Malformed("no GIF signature")
    screen = reader.take(7)
    return signature + screen + reader.take(_palette_size(screen[4]))


def _with_xmp(body: bytes, packet: bytes) -> bytes:
    reader = Reader(body)
    head = _head(reader)
    extension = bytes((_EXTENSION, _APPLICATION, len(_XMP))) + _XMP + packet + _XMP_END
    return b"GIF89a" + head[6:] + extension + body[reader.at :]


def _packet(original: bytes, reader: Reader, walk: Walk) -> bytes:
    """Return the XMP packet of an extension; empty if it has another content. The packet is not in sub-blocks."""
    label, start = reader.big(1), reader.at
    blocks = _sub_blocks(reader, walk)
    if label != _APPLICATION or not blocks or blocks[0] != _XMP:
        return b""
    return original[start + 1 + len(_XMP) : reader.at].partition(_XMP_END)[0]


def _palette_size(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _image(reader: Reader, walk: Walk) -> memoryview:
    start = reader.at - 1
    descriptor = reader.take(9)
    reader.skip(_palette_size(descriptor[8]) + 1)
    while length := reader.big(1):
        walk.step()
        reader.skip(length)
    walk.step()
    return reader.view(start)


def _extension(reader: Reader, control: bytes, walk: Walk) -> tuple[bytes, bytes]:
    """Return the graphic control that belongs to the next image, and the extension itself if it is the loop."""
    label = reader.big(1)
    blocks = _sub_blocks(reader, walk)
    if label == _GRAPHIC_CONTROL and len(blocks) == 1 and len(blocks[0]) == 4:
        return _block(label, blocks), b""
    if label == _APPLICATION and len(blocks) > 1 and blocks[0] in _LOOPS and blocks[1][:1] == b"\x01":
        return control, _block(label, [blocks[0], blocks[1][:3]])
    return control, b""


def _block(label: int, blocks: list[bytes]) -> bytes:
    return bytes((_EXTENSION, label)) + b"".join(bytes((len(each),)) + each for each in blocks) + b"\x00"


def _sub_blocks(reader: Reader, walk: Walk) -> list[bytes]:
    walk.step()
    blocks = []
    while length := reader.big(1):
        walk.step()
        blocks.append(reader.take(length))
    return blocks
