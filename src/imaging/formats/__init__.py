"""The file formats, one record each, in the order in which a file's first bytes are compared with them."""

from __future__ import annotations

from importlib import import_module

from imaging.formats.format import Encoder, Format, FormatName, Negotiation

NAMES: tuple[FormatName, ...] = (
    "jpeg",
    "png",
    "webp",
    "avif",
    "gif",
    "tiff",
    "heif",
    "bmp",
    "ico",
    # Its check reads the most bytes.
    "svg",
)
"""`jpeg` is `JPEG` in `imaging/formats/jpeg.py`."""

FORMATS: tuple[Format, ...] = tuple(getattr(import_module(f"imaging.formats.{name}"), name.upper()) for name in NAMES)
_BY_NAME = {each.name: each for each in FORMATS}
MEDIA_TYPES: dict[FormatName, str] = {each.name: each.media_type for each in FORMATS}
WRITTEN: tuple[FormatName, ...] = tuple(each.name for each in FORMATS if each.encoder)
"""The formats that a request may ask for."""
SLOW: frozenset[FormatName] = frozenset(each.name for each in FORMATS if each.encoder and each.encoder.is_slow)
"""The formats that take so long to encode that a result is worth storing for that alone."""
NEGOTIATED: dict[FormatName, Negotiation] = {
    name: rule
    for rule, name in sorted(
        ((each.negotiation, each.name) for each in FORMATS if each.negotiation), key=lambda pair: pair[0].rank
    )
}
"""The formats that `format=auto` chooses for clients that accept them, the best first."""


def format_by_name(name: FormatName) -> Format:
    """Return the record of a format; KeyError for an unknown name."""
    return _BY_NAME[name]


def encoder_of(name: FormatName) -> Encoder:
    """Return the encoder of a format; KeyError for a format that is read only."""
    encoder = _BY_NAME[name].encoder
    if encoder is None:
        raise KeyError(name)
    return encoder
