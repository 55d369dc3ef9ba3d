"""Read and write IPTC-IIM: numbered texts, alone (TIFF) or as one of Photoshop's resources (JPEG)."""

from __future__ import annotations

from typing import NamedTuple

from imaging.codecs.metadata.reader import Malformed, Reader, is_text

BYLINE, CREDIT, COPYRIGHT = 80, 110, 116
_CREDITS, _CHARACTER_SET = frozenset({BYLINE, 85, CREDIT, COPYRIGHT}), (1, 90)
_MAX_TEXTS, _MAX_PACKET = 1000, 1_000_000
_PHOTOSHOP = b"Photoshop 3.0\0"
_RESOURCE, _IPTC = b"8BIM", 0x0404


class Text(NamedTuple):
    """A dataset; record and number identify its meaning."""

    record: int
    number: int
    value: bytes


def read(packet: bytes) -> list[Text]:
    """Return the texts of a packet of either kind, up to where it is damaged or has too many."""
    texts: list[Text] = []
    try:
        packet = packet[:_MAX_PACKET]
        reader = Reader(_resource(packet) if packet.startswith(_PHOTOSHOP) else packet)
        while reader and len(texts) < _MAX_TEXTS:
            reader.expect(b"\x1c")
            record, number, length = reader.big(1), reader.big(1), reader.big(2)
            texts.append(Text(record, number, reader.take(length)))
    except Malformed:
        return texts
    return texts


def write(texts: list[Text]) -> bytes:
    """Return the packet as a JPEG stores it; empty if there is no text."""
    if not texts:
        return b""
    packet = b"".join(
        bytes((0x1C, text.record, text.number)) + len(text.value).to_bytes(2, "big") + text.value for text in texts
    )
    return _PHOTOSHOP + _RESOURCE + _IPTC.to_bytes(2, "big") + bytes(2) + len(packet).to_bytes(4, "big") + packet


def first(texts: list[Text], *numbers: int) -> str:
    """Return the first text that has one of these numbers; empty if there is not one."""
    found = (text.value for number in numbers for text in texts if text.record == 2 and text.number == number)
    return next(found, b"").decode("utf-8", "replace").strip()


def is_credit(text: Text) -> bool:
    """Return whether a dataset names the creator or the owner, or the character set of the texts."""
    if (text.record, text.number) == _CHARACTER_SET:
        return len(text.value) <= 8
    return text.record == 2 and text.number in _CREDITS and is_text(text.value)


def _resource(packet: bytes) -> bytes:
    reader = Reader(packet, len(_PHOTOSHOP))
    while reader:
        reader.expect(_RESOURCE)
        kind, name = reader.big(2), reader.big(1)
        reader.skip(name + (name + 1) % 2)
        length = reader.big(4)
        content = reader.take(length)
        if kind == _IPTC:
            return content
        reader.skip(min(length % 2, reader.end - reader.at))
    return b""
