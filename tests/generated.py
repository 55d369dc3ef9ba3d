"""Images that say in their metadata that a machine made them."""

from __future__ import annotations

from imaging.codecs.containers.jpeg import make_segment

GENERATED = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""The term of IPTC's vocabulary."""
ATTRIBUTE = (b'e:DigitalSourceType="%s"' % GENERATED, b"")
ELEMENT = (b"", b"<e:DigitalSourceType>%s</e:DigitalSourceType>" % GENERATED)
RESOURCE = (b"", b'<e:DigitalSourceType rdf:resource="%s"/>' % GENERATED)


def packet_with(inside: tuple[bytes, bytes] = ELEMENT) -> bytes:
    """An XMP packet with these attributes and elements, beside what must not survive."""
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        b' xmlns:dc="http://purl.org/dc/elements/1.1/" %s>%s<dc:title>secret</dc:title></rdf:Description></rdf:RDF>'
        b"</x:xmpmeta>" % inside
    )


def with_label(jpeg: bytes) -> bytes:
    """A JPEG with such a packet before all else."""
    return jpeg[:2] + make_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet_with()) + jpeg[2:]
