"""XMP (ISO 16684): RDF in XML, each property an element or an attribute of a description."""

from __future__ import annotations

from collections.abc import Mapping

from imaging.codecs.metadata.fields import DC, RDF, XMP_CREDITS, XMP_META, XMP_NAMES, is_position
from imaging.codecs.metadata.reader import Malformed
from imaging.codecs.metadata.xml import escaped, rewrite

_MAX_PACKET = 1_000_000
"""Bytes. Larger packets hold other files."""
_SAID = tuple(
    f":{name}".encode()
    for name in ("creator", "rights", "Credit", "Owner", "UsageTerms", "WebStatement", "DigitalSourceType")
)


class _Listed:
    """The fields of a list, and those that tell a position if that is wanted."""

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
    """Creator, credit, rights and digital source; empty where the packet says none of them or cannot be read."""
    kept = _rewritten(packet, _Listed(XMP_CREDITS, position=False))
    return kept if any(name in kept for name in _SAID) else b""


def known(packet: bytes, *, position: bool) -> bytes:
    """The fields of the packet that may leave, a position only if it is wanted; empty where it cannot be read."""
    return _rewritten(packet, _Listed(XMP_NAMES, position=position))


def of_credit(creator: str, rights: str) -> bytes:
    """A packet that says who made the picture and who owns it."""
    parts = ""
    if creator:
        parts += f"<dc:creator><rdf:Seq><rdf:li>{escaped(creator)}</rdf:li></rdf:Seq></dc:creator>"
    if rights:
        parts += f'<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{escaped(rights)}</rdf:li></rdf:Alt></dc:rights>'
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
