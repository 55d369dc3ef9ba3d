"""Read what an original's metadata says of its origin: camera, dates, title, credit, licence, source, position."""

from __future__ import annotations

import re
import struct
from xml.etree import ElementTree

from imaging.codecs.metadata import exif, iptc, xmp
from imaging.codecs.metadata.blocks import read_blocks
from imaging.codecs.metadata.exif import Tag
from imaging.codecs.metadata.fields import DC, IPTC_EXT, PHOTOSHOP, RDF, RIGHTS
from imaging.picture import ImageHeader

_LONGEST = 2_000
"""Characters of one text; the rest is cut off."""
_MAKE, _MODEL, _DATE, _OFFSET = 0x010F, 0x0110, 0x9003, 0x9011
_EXPOSURE, _APERTURE, _ISO, _FOCAL, _FOCAL_35, _LENS = 0x829A, 0x829D, 0x8827, 0x920A, 0xA405, 0xA434
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4
_TITLE = 5
"""IPTC's number of the object name."""
_ALT = f"{{{RDF}}}li"
_DATE_FORM = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d:\d\d:\d\d)")
_OFFSET_FORM = re.compile(r"[+-]\d\d:\d\d")
_XMP_FIELDS = {
    "title": (DC, "title"),
    "description": (DC, "description"),
    "creator": (DC, "creator"),
    "credit": (PHOTOSHOP, "Credit"),
    "copyright": (DC, "rights"),
    "usageTerms": (RIGHTS, "UsageTerms"),
    "licence": (RIGHTS, "WebStatement"),
    "digitalSourceType": (IPTC_EXT, "DigitalSourceType"),
}


def read_origin(original: bytes, source: ImageHeader, *, position: bool) -> dict[str, object]:
    """Return what the metadata says, in camelCase; what it does not say is missing.

    Texts are as they were written; `takenAt` is in ISO 8601, with an offset if the file has one; `exposureSeconds`,
    `aperture` (f-number), `iso`, `focalLength` and `focalLength35` (mm) are numbers; `licence` is a URL;
    `digitalSourceType` is a URL of IPTC's vocabulary, such as .../trainedAlgorithmicMedia for generated images.
    `position` adds latitude and longitude in degrees (WGS 84), which are left out otherwise.
    """
    block, packet, texts = read_blocks(original, source)
    tags = exif.read(block, position=position)
    found: dict[str, object] = {
        "camera": _camera(tags),
        "lens": text_of(tags.details.get(_LENS)),
        "takenAt": _moment(text_of(tags.details.get(_DATE)), text_of(tags.details.get(_OFFSET))),
        **{
            name: _number(tags.details.get(tag), tags.order)
            for name, tag in (
                ("exposureSeconds", _EXPOSURE),
                ("aperture", _APERTURE),
                ("iso", _ISO),
                ("focalLength", _FOCAL),
                ("focalLength35", _FOCAL_35),
            )
        },
        "title": iptc.first(texts, _TITLE)[:_LONGEST],
        "creator": (iptc.first(texts, iptc.BYLINE) or tags.text(exif.ARTIST))[:_LONGEST],
        "credit": iptc.first(texts, iptc.CREDIT)[:_LONGEST],
        "copyright": (iptc.first(texts, iptc.COPYRIGHT) or tags.text(exif.COPYRIGHT))[:_LONGEST],
    }
    # XMP takes precedence, because it is what today's programs write.
    found |= {name: value for name, value in _from_xmp(packet).items() if value}
    if position:
        found |= _position(tags)
    return {name: value for name, value in found.items() if value not in ("", None)}


def _from_xmp(packet: bytes) -> dict[str, str]:
    """Return the texts of a packet; the first one of a list, or its default language."""
    safe = xmp.known(packet, position=False)
    if not safe:
        return {}
    root = ElementTree.fromstring(safe)  # noqa: S314 - written by `rewrite`, without entities and document type
    found: dict[str, str] = {}
    for description in root.iter(f"{{{RDF}}}Description"):
        for name, (namespace, local) in _XMP_FIELDS.items():
            element = description.find(f"{{{namespace}}}{local}")
            text = description.get(f"{{{namespace}}}{local}", "")
            if element is not None:
                items = [*element.iter(_ALT)] or [element]
                text = (items[0].text or "").strip() or element.get(f"{{{RDF}}}resource", "")
            if text and name not in found:
                found[name] = text[:_LONGEST]
    return found


def _camera(tags: exif.Exif) -> str:
    """Return make and model; most models begin with their make."""
    make, model = tags.text(_MAKE)[:200], tags.text(_MODEL)[:200]
    return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()


def _moment(text: str, offset: str) -> str:
    """Return the moment in ISO 8601; empty for a date that EXIF does not know, such as one of blanks."""
    match = _DATE_FORM.match(text)
    if not match:
        return ""
    year, month, day, clock = match.groups()
    return f"{year}-{month}-{day}T{clock}{offset if _OFFSET_FORM.fullmatch(offset) else ''}"


def text_of(tag: Tag | None) -> str:
    """Return the text of a tag, shortened; empty for anything else."""
    return tag.value.split(b"\0")[0].decode("utf-8", "replace").strip()[:_LONGEST] if tag and tag.kind == 2 else ""


def _number(tag: Tag | None, order: str) -> float | None:
    """Return the first number of a tag: a short, a long or a fraction; None for anything else."""
    numbers = number_list(tag, order)
    return numbers[0] if numbers else None


def number_list(tag: Tag | None, order: str) -> list[float]:
    """Return the numbers of a tag: shorts, longs or fractions; none for anything else."""
    if tag is None:
        return []
    if tag.kind in (3, 4):
        size, code = (2, "H") if tag.kind == 3 else (4, "I")
        return [float(number) for number in struct.unpack(f"{order}{len(tag.value) // size}{code}", tag.value)]
    if tag.kind in (5, 10):
        code = "I" if tag.kind == 5 else "i"
        parts = struct.unpack(f"{order}{len(tag.value) // 4}{code}", tag.value)
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return [round(top / bottom, 6) for top, bottom in pairs if bottom]
    return []


def _position(tags: exif.Exif) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, tag, ref, negative in (
        ("latitude", _LATITUDE, _LATITUDE_REF, "S"),
        ("longitude", _LONGITUDE, _LONGITUDE_REF, "W"),
    ):
        parts = number_list(tags.gps.get(tag), tags.order)
        if len(parts) == 3:
            degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
            found[name] = round(-degrees if text_of(tags.gps.get(ref)) == negative else degrees, 6)
    return found if len(found) == 2 else {}
