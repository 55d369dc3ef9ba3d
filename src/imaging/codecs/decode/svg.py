"""Measure and render SVG in a process that is limited and can be killed.

A few hundred bytes of SVG can take hours and gigabytes, and nothing can stop librsvg. The cost of rendering is
estimated beforehand from the XML, which expat reads once; it expands character references and entities as the renderer
will.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

import msgspec
import pyvips

from imaging.codecs.decode.drawing_process import render_isolated
from imaging.codecs.decode.loaders import as_damaged_source, load
from imaging.context import Context
from imaging.errors import TooLarge
from imaging.formats import SVG
from imaging.formats.format import DPI, Loading
from imaging.picture import ImageHeader

_REFERENCE = re.compile(r"url\s*\(\s*[\"']?\s*#|^\s*#")
_IN_SHEET = re.compile(r"url|\\", re.IGNORECASE)
"""A style sheet's reference, or an escape that may hide one."""
_HARMLESS = frozenset({"linearGradient", "radialGradient", "a"})
"""Elements whose references are not drawn again for each use."""
# Each pixel costs these as much as the author likes: octaves, radii, kernels, lights.
_UNBOUNDED = frozenset({"feTurbulence", "feMorphology", "feConvolveMatrix", "feDiffuseLighting", "feSpecularLighting"})
_MAX_ELEMENTS, _MAX_NAMESPACES = 250_000, 1_000
"""librsvg takes 1.3 kB and some 30 µs for an element that draws nothing."""
_PARSER_BYTES = 10_000_000
"""The largest text in bytes that libxml2 parses without its option XML_PARSE_HUGE."""
_PAINTS = frozenset({"fill", "stroke"})
_SURFACES = frozenset({"mask", "filter", "clipPath", "pattern"})


def read_pixels(loading: Loading) -> pyvips.Image:
    """Return the pixels of a drawing, from a process of its own. Raises DamagedSource, TooLarge, TimeExceeded."""
    context: Context = loading.context
    scale = loading.scale
    return render_isolated(
        loading.original, loading.size, context.limits, context.deadline, _draw, scale, what="an SVG"
    )


def _draw(original: bytes, scale: float) -> pyvips.Image:
    return open_drawing(original, scale)


def open_drawing(original: bytes, scale: float = 1.0) -> pyvips.Image:
    """Return the drawing with its header read. Raises DamagedSource.

    libvips scales by the resolution as well, from 72 dpi. The parser's own limit of 10 MB would refuse embedded images;
    the process that calls this is limited in memory.
    """
    return load(original, SVG.name, dpi=DPI, scale=scale * 72 / DPI, unlimited=len(original) > _PARSER_BYTES)


class Survey(msgspec.Struct):
    """The counts of what makes a drawing slow."""

    elements: int = 0
    references: int = 0
    paints: int = 0
    """References of `fill` and `stroke`: expensive when they mean patterns, cheap when they mean gradients."""
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
    """What embedded drawings and formats that cannot be interrupted take."""

    def add(self, inside: ImageHeader | None) -> None:
        """Count an embedded image; None stands for one that cannot be decoded."""
        if inside is not None:
            self.embedded += inside.width * inside.height
            self.seconds_inside += inside.decoder_seconds
            self.memory_inside += inside.decoder_memory

    def seconds(self, pixels: int) -> float:
        """Return a generous estimate of the time to render that many pixels.

        n references can multiply what they refer to at most 3^(n/3) times: three in each of n/3 levels.
        """
        references = self.references + (self.paints if self.patterns else 0)
        if self.unbounded or references > 60 or (self.sheet and self.surfaces):
            return float("inf")
        drawn = (self.elements + 30 * self.primitives) * 3 ** (references / 3)
        return drawn * pixels * 1e-8 + self.embedded * 1e-7 + self.seconds_inside

    def memory(self, pixels: int) -> int:
        """Return the bytes of the surfaces that are drawn on, and of the embedded images."""
        surfaces = 8 + (28 if self.surfaces or self.primitives else 0) + 4.5 * self.primitives
        return round(pixels * surfaces + self.embedded * 12 + self.elements * 2000) + self.memory_inside


def survey(original: bytes, inspected: Callable[[bytes], ImageHeader | None]) -> Survey:
    """Count what makes a drawing slow; `inspected` returns the header of an embedded image. Raises DamagedSource."""
    found = Survey()
    namespaces = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal namespaces
        local = name.rpartition(":")[2]
        found.elements += 1
        if found.elements > _MAX_ELEMENTS:
            raise TooLarge(f"an SVG must have at most {_MAX_ELEMENTS} elements, this one has more")
        namespaces += sum(key.startswith("xmlns:") for key in attributes)
        if namespaces > _MAX_NAMESPACES:
            raise TooLarge(f"an SVG must declare at most {_MAX_NAMESPACES} namespaces, this one declares more")
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
        raise as_damaged_source(error) from None
    found.sheet = bool(_IN_SHEET.search("".join(texts)))
    return found


def _embedded(address: str) -> bytes:
    """Return the bytes of a `data:` URI; no bytes if they are not valid base64."""
    head, _, body = address.strip().partition(",")
    raw = unquote_to_bytes(body)
    if not head.lower().endswith("base64"):
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()) + b"===")
    except binascii.Error:
        return b""
