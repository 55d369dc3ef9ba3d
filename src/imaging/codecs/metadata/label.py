"""The label by which a file says that a machine made the image: IPTC's digital source type.

It survives where all other metadata is removed. The European Union's AI Act (Regulation 2024/1689, article 50) asks for
a machine-readable mark of generated images.
"""

from __future__ import annotations

import re

from imaging.codecs.metadata.blocks import read_blocks
from imaging.codecs.metadata.fields import IPTC_EXT, RDF, XMP_META
from imaging.codecs.metadata.xmp import known
from imaging.picture import ImageHeader

_VOCABULARY = b"http://cv.iptc.org/newscodes/digitalsourcetype/"
_TRAINED, _COMPOSITE = b"trainedAlgorithmicMedia", b"compositeWithTrainedAlgorithmicMedia"
"""IPTC's terms for an image that a trained model made, and for one that has such an image in it."""
_TERM = rb"https?://cv\.iptc\.org/newscodes/digitalsourcetype/[A-Za-z0-9-]{1,60}"
_PROPERTY = rb"DigitalSourceType\s*(?:=|>|\s\w+:resource=)\s*[\"']?(%s)[\"'<]" % _TERM
"""The property as an attribute, an element or a resource. Only terms of IPTC's vocabulary are kept."""
_END = re.compile(rb"</(\w+):RDF\s*>")


def find_label(original: bytes, source: ImageHeader) -> bytes:
    """Return an XMP packet with the digital source type alone; empty if the file names none."""
    if not source.has_source_type:
        return b""
    found = re.search(_PROPERTY, known(read_blocks(original, source)[1], position=False))
    return _make_packet(found[1]) if found else b""


def is_generated(packet: bytes) -> bool:
    """Return whether a packet says that a trained model made the image or a part of it."""
    return any(term.rpartition(b"/")[2] in (_TRAINED, _COMPOSITE) for term in re.findall(_PROPERTY, packet))


def label_composite(packet: bytes) -> bytes:
    """Return the packet of an image over which a generated one was laid; empty stands for no packet.

    The label of an image that a trained model made as a whole stays.
    """
    if is_generated(packet):
        return packet
    if re.search(_PROPERTY, packet):
        return re.sub(_PROPERTY, lambda found: found[0].replace(found[1], _VOCABULARY + _COMPOSITE), packet)
    end = _END.search(packet)
    if end is None or b"DigitalSourceType" in packet:
        # There is no place for the label, or a text in it that is no term of the vocabulary.
        return _make_packet(_VOCABULARY + _COMPOSITE)
    # A packet may describe the image in several elements.
    return packet[: end.start()] + _describe(_VOCABULARY + _COMPOSITE, end[1]) + packet[end.start() :]


def _make_packet(term: bytes) -> bytes:
    start = f'<x:xmpmeta xmlns:x="{XMP_META}"><rdf:RDF xmlns:rdf="{RDF}">'.encode()
    return start + _describe(term, b"rdf") + b"</rdf:RDF></x:xmpmeta>"


def _describe(term: bytes, prefix: bytes) -> bytes:
    """Return the element with the label; `prefix` is that of RDF's names."""
    return (
        b'<%(rdf)s:Description %(rdf)s:about="" xmlns:Iptc4xmpExt="%(space)s" '
        b'Iptc4xmpExt:DigitalSourceType="%(term)s"/>' % {b"rdf": prefix, b"space": IPTC_EXT.encode(), b"term": term}
    )
