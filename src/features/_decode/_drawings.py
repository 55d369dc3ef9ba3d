"""SVG: what drawing it may cost, since a few hundred bytes of it can take hours and gigabytes.

The XML is read once, by expat, which expands character references and entities as the renderer will.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

import msgspec

from features._decode._loaders import damaged
from features._picture import Source

_REFERENCE = re.compile(r"url\s*\(\s*[\"']?\s*#|^\s*#")
_IN_SHEET = re.compile(r"url|\\", re.IGNORECASE)
"""A style sheet's reference, or an escape that may hide one."""
_HARMLESS = frozenset({"linearGradient", "radialGradient", "a"})
"""Elements whose references are not drawn again for each use."""
# Each pixel costs these as much as the author likes: octaves, radii, kernels, lights.
_UNBOUNDED = frozenset({"feTurbulence", "feMorphology", "feConvolveMatrix", "feDiffuseLighting", "feSpecularLighting"})
_PAINTS = frozenset({"fill", "stroke"})
_SURFACES = frozenset({"mask", "filter", "clipPath", "pattern"})


class Survey(msgspec.Struct):
    """What was counted in a drawing."""

    elements: int = 0
    references: int = 0
    paints: int = 0
    """References of `fill` and `stroke`: dear when they mean patterns, cheap when they mean gradients."""
    primitives: int = 0
    unbounded: bool = False
    surfaces: bool = False
    patterns: bool = False
    sheet: bool = False
    """A style sheet refers to something: how often, only a CSS engine could tell."""
    embedded: int = 0
    """Pixels of the pictures inside it."""
    seconds_inside: float = 0.0
    memory_inside: int = 0
    """What those take that are drawings themselves, or stubborn formats."""

    def add(self, inside: Source | None) -> None:
        """Count a picture inside; none if it is one that nobody can draw."""
        if inside is not None:
            self.embedded += inside.width * inside.height
            self.seconds_inside += inside.decoder_seconds
            self.memory_inside += inside.decoder_memory

    def seconds(self, pixels: int) -> float:
        """Generous estimate of the time to draw that many pixels.

        n references can multiply what they refer to at most 3^(n/3) times: three in each of n/3 levels.
        """
        references = self.references + (self.paints if self.patterns else 0)
        if self.unbounded or references > 60 or (self.sheet and self.surfaces):
            return float("inf")
        drawn = (self.elements + 30 * self.primitives) * 3 ** (references / 3)
        return drawn * pixels * 1e-8 + self.embedded * 1e-7 + self.seconds_inside

    def memory(self, pixels: int) -> int:
        """Bytes of the surfaces that are drawn on, and of the pictures inside."""
        surfaces = 8 + (28 if self.surfaces or self.primitives else 0) + 4.5 * self.primitives
        return round(pixels * surfaces + self.embedded * 12 + self.elements * 2000) + self.memory_inside


def survey(original: bytes, inspected: Callable[[bytes], Source | None]) -> Survey:
    """Count what makes a drawing slow; `inspected` tells what a picture inside it is. DamagedSource."""
    found = Survey()

    def start(name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        found.elements += 1
        found.primitives += local.startswith("fe")
        found.unbounded |= local in _UNBOUNDED
        found.patterns |= local == "pattern"
        found.surfaces |= local in _SURFACES or "opacity" in attributes
        for key, value in attributes.items():
            if value.lstrip()[:5].lower() == "data:":
                found.add(inspected(_embedded(value)))
            elif "#" in value and local not in _HARMLESS and _REFERENCE.search(value):
                found.paints += key in _PAINTS
                found.references += key not in _PAINTS

    texts: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = start, texts.append
    try:
        parser.Parse(original, True)
    except (expat.ExpatError, ValueError) as error:  # ValueError: an encoding that Python does not know
        raise damaged(error) from None
    found.sheet = bool(_IN_SHEET.search("".join(texts)))
    return found


def _embedded(address: str) -> bytes:
    """The bytes of a `data:` address; none where they make no sense."""
    head, _, body = address.strip().partition(",")
    raw = unquote_to_bytes(body)
    if not head.lower().endswith("base64"):
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()) + b"===")
    except binascii.Error:
        return b""
