"""Remove comments, metadata, scripts and the data of editors from an SVG."""

from __future__ import annotations

from imaging.codecs.containers.embedded import strip_embedded
from imaging.codecs.containers.kept import Kept
from imaging.codecs.decode.svg_root import unpack
from imaging.codecs.metadata.reader import Walk
from imaging.codecs.metadata.xml import rewrite
from imaging.context import Deadline

_SVG = "http://www.w3.org/2000/svg"
_DRAWN = frozenset(
    {
        _SVG, "http://www.w3.org/1999/xlink", "http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/XML/1998/namespace",
    }
)  # fmt: skip
_DROPPED = frozenset({"metadata", "script"})


class _Drawing:
    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline

    def element(self, namespace: str, name: str) -> bool:
        return namespace in _DRAWN and name not in _DROPPED

    def attribute(self, namespace: str, name: str) -> bool:
        return namespace in _DRAWN or (not namespace and not name.lower().startswith("on"))

    def declaration(self, namespace: str) -> bool:  # noqa: ARG002 - styles may name any of them
        return True

    def text(self, characters: str) -> str:
        return strip_embedded(characters, self.deadline)


def strip(original: bytes, _kept: Kept, walk: Walk) -> bytes:
    """Return what is drawn. Scripts are removed as well; the answer's security policy forbids them anyway.

    A packed file is returned unpacked; `inspect` has limited its size.
    """
    return rewrite(unpack(original), _Drawing(walk.deadline), _SVG, deadline=walk.deadline)
