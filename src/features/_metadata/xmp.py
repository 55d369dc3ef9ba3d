"""XMP (ISO 16684): RDF in XML, each property an element or an attribute of a description."""

from __future__ import annotations

from features._metadata.reader import Malformed
from features._metadata.xml import Choice, escaped, rewrite

_RDF, _META = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "adobe:ns:meta/"
_XML = "http://www.w3.org/XML/1998/namespace"
_DC, _PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
_CREDITS = frozenset({(_DC, "creator"), (_DC, "rights"), (_PHOTOSHOP, "Credit")})
_SAID = tuple(f":{name}".encode() for name in ("creator", "rights", "Credit", "Owner", "UsageTerms", "WebStatement"))
_PICTURES = frozenset({"Thumbnails", "Thumbnail"})


class _Credits:
    def element(self, namespace: str, name: str) -> bool:
        return namespace in (_RDF, _META, _RIGHTS) or (namespace, name) in _CREDITS

    def attribute(self, namespace: str, name: str) -> bool:
        return namespace in (_RDF, _XML, _RIGHTS) or (namespace, name) in _CREDITS

    def text(self, characters: str) -> str:
        return characters


class _WithoutPosition:
    """All but GPS, and previews, which are pictures with EXIF of their own."""

    def element(self, namespace: str, name: str) -> bool:  # noqa: ARG002 - any namespace
        return not name.startswith("GPS") and name not in _PICTURES

    def attribute(self, namespace: str, name: str) -> bool:
        return self.element(namespace, name)

    def text(self, characters: str) -> str:
        return characters


def only_credit(packet: bytes) -> bytes:
    """Creator, credit and rights; empty where the packet says none or cannot be read."""
    kept = _rewritten(packet, _Credits())
    return kept if any(name in kept for name in _SAID) else b""


def without_position(packet: bytes) -> bytes:
    """The packet without any GPS property; empty where it cannot be read."""
    return _rewritten(packet, _WithoutPosition())


def of_credit(creator: str, rights: str) -> bytes:
    """A packet that says who made the picture and who owns it."""
    parts = ""
    if creator:
        parts += f"<dc:creator><rdf:Seq><rdf:li>{escaped(creator)}</rdf:li></rdf:Seq></dc:creator>"
    if rights:
        parts += f'<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{escaped(rights)}</rdf:li></rdf:Alt></dc:rights>'
    return (
        f'<x:xmpmeta xmlns:x="{_META}"><rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" xmlns:dc="{_DC}">'
        f"{parts}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _rewritten(packet: bytes, choice: Choice) -> bytes:
    try:
        return rewrite(packet.strip(b"\0"), choice)
    except Malformed:
        return b""
