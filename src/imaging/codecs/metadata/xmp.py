"""Filter XMP (ISO 16684): RDF in XML, each property an element or an attribute of a description."""

from __future__ import annotations

from collections.abc import Mapping

from imaging.codecs.metadata.fields import DC, RDF, XMP_CREDITS, XMP_META, XMP_NAMES, is_position
from imaging.codecs.metadata.reader import Malformed
from imaging.codecs.metadata.xml import escape_text, rewrite

_MAX_PACKET = 1_000_000
"""Bytes. Larger packets hold other files."""
_CREDITS = tuple(
    f":{name}".encode()
    for name in ("creator", "rights", "Credit", "Owner", "UsageTerms", "WebStatement", "DigitalSourceType")
)


class _Listed:
    """The choice of the fields of a list, and of those that are positions if these may stay."""

    def __init__(self, names: Mapping[str, frozenset[str]], *, position: bool) -> None:
        self.names = names
        self.position = position

    def element(self, namespace: str, name: str) -> bool:
        return name in self.names.get(namespace, ()) or (self.position and is_position(name))

    def attribute(self, namespace: str, name: str) -> bool:
        return self.element(namespace, name)

    def declaration(self, namespace: str) -> bool:
        return namespace in self.names or self.position

    def text(self, characters: str) -> str:
        return characters


def only_credit(packet: bytes) -> bytes:
    """Return creator, credit, rights and digital source; empty if the packet has none of them or cannot be read."""
    kept = _rewritten(packet, _Listed(XMP_CREDITS, position=False))
    return kept if any(name in kept for name in _CREDITS) else b""


def known(packet: bytes, *, position: bool) -> bytes:
    """Return the fields of the packet that may be sent, with or without positions; empty if it cannot be read."""
    return _rewritten(packet, _Listed(XMP_NAMES, position=position))


def make_credit_packet(creator: str, owner: str) -> bytes:
    """Return a packet that names the creator and the owner of the image."""
    parts = ""
    if creator:
        parts += f"<dc:creator><rdf:Seq><rdf:li>{escape_text(creator)}</rdf:li></rdf:Seq></dc:creator>"
    if owner:
        parts += f'<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{escape_text(owner)}</rdf:li></rdf:Alt></dc:rights>'
    return (
        f'<x:xmpmeta xmlns:x="{XMP_META}"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="" xmlns:dc="{DC}">'
        f"{parts}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _rewritten(packet: bytes, choice: _Listed) -> bytes:
    if len(packet) > _MAX_PACKET:
        return b""
    try:
        return rewrite(packet.strip(b"\0"), choice)
    except Malformed:
        return b""
