"""Remove metadata from a GIF89a, which consists of blocks of sub-blocks."""

from __future__ import annotations

from imaging.codecs.metadata.reader import Malformed, Reader, Walk

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def strip(original: bytes, _orientation: int, walk: Walk) -> bytes:
    """Return palettes, frames, their delays and the loop; comments, texts and application data are removed."""
    reader = Reader(original)
    signature = reader.take(6)
    if signature not in (b"GIF87a", b"GIF89a"):
        raise Malformed("no GIF signature")
    screen = reader.take(7)
    parts: list[bytes | memoryview] = [signature, screen, reader.take(_palette_size(screen[4]))]
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
    return b"".join([*parts, bytes((_TRAILER,))])


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
