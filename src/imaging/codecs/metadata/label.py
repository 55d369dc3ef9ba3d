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

_TERM = rb"https?://cv\.iptc\.org/newscodes/digitalsourcetype/[A-Za-z0-9-]{1,60}"
_PROPERTY = rb"DigitalSourceType\s*(?:=|>|\s\w+:resource=)\s*[\"']?(%s)[\"'<]" % _TERM
"""The property as an attribute, an element or a resource. Only terms of IPTC's vocabulary are kept."""


def find_label(original: bytes, source: ImageHeader) -> bytes:
    """Return an XMP packet with the digital source type alone; empty if the file names none."""
    if not source.has_source_type:
        return b""
    found = re.search(_PROPERTY, known(read_blocks(original, source)[1], position=False))
    if not found:
        return b""
    return (
        f'<x:xmpmeta xmlns:x="{XMP_META}"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about=""'
        f' xmlns:Iptc4xmpExt="{IPTC_EXT}" Iptc4xmpExt:DigitalSourceType="{found[1].decode()}"/></rdf:RDF></x:xmpmeta>'
    ).encode()
