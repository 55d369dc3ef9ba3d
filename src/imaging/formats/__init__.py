"""The index of the file formats, in the order in which a file's first bytes are compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import overload

from imaging.formats.format import MEGA, Encoder, Format, FormatEntry, FormatName, Negotiation

JPEG = FormatEntry(name="jpeg", media_type="image/jpeg", aliases=("jpg",))
PNG = FormatEntry(name="png", media_type="image/png")
WEBP = FormatEntry(name="webp", media_type="image/webp", negotiation=Negotiation(rank=2))
AVIF = FormatEntry(
    name="avif",
    media_type="image/avif",
    # A request for HEIF gets what is written of that container here.
    aliases=("heif", "heic"),
    is_slow=True,
    max_pixels=12 * MEGA,
    # Each frame of an animation takes less than a tenth of the time of a still image.
    negotiation=Negotiation(rank=1, max_pixels=4 * MEGA, animation_factor=3, lossless=False),
)
GIF = FormatEntry(name="gif", media_type="image/gif", max_pixels=12 * MEGA)
APNG = FormatEntry(name="apng", media_type="image/apng")
TIFF = FormatEntry(name="tiff", media_type="image/tiff", aliases=("tif",))
HEIF = FormatEntry(name="heif", media_type="image/heic", writable=False)
# Nothing compresses it: its limit bounds the bytes of an answer.
BMP = FormatEntry(name="bmp", media_type="image/bmp", max_pixels=12 * MEGA)
ICO = FormatEntry(name="ico", media_type="image/x-icon", writable=False)
PDF = FormatEntry(name="pdf", media_type="application/pdf", writable=False)
SVG = FormatEntry(name="svg", media_type="image/svg+xml", writable=False, scripted=True)

# The common formats are first: only the records up to that of the file's own format are imported. The check of SVG,
# which reads the most bytes, is last.
INDEX: tuple[FormatEntry, ...] = (JPEG, PNG, WEBP, AVIF, GIF, APNG, TIFF, HEIF, BMP, ICO, PDF, SVG)
"""The record of `jpeg` is `FORMAT` in `imaging/formats/jpeg.py`."""

NAMES: tuple[FormatName, ...] = tuple(entry.name for entry in INDEX)
MEDIA_TYPES: dict[FormatName, str] = {entry.name: entry.media_type for entry in INDEX}
WRITTEN: tuple[FormatName, ...] = tuple(entry.name for entry in INDEX if entry.writable)
"""The formats that a request may ask for."""
SLOW: frozenset[FormatName] = frozenset(entry.name for entry in INDEX if entry.is_slow)
"""The formats that take so long to encode that a result is worth storing for that alone."""
SCRIPTED: frozenset[str] = frozenset(entry.media_type for entry in INDEX if entry.scripted)
"""Media types of files that can run scripts in a browser."""
NEGOTIATED: dict[FormatName, Negotiation] = {
    name: rule
    for rule, name in sorted(
        ((entry.negotiation, entry.name) for entry in INDEX if entry.negotiation), key=lambda pair: pair[0].rank
    )
}
"""The formats that `format=auto` chooses for clients that accept them, the best first."""


class _Records(Sequence[Format]):
    """The records of all formats, each imported when it is read, so that a cold start imports only what it needs."""

    def __len__(self) -> int:
        return len(NAMES)

    @overload
    def __getitem__(self, index: int) -> Format: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Format]: ...
    def __getitem__(self, index: int | slice) -> Format | Sequence[Format]:
        if isinstance(index, slice):
            return tuple(map(format_by_name, NAMES[index]))
        return format_by_name(NAMES[index])


FORMATS: Sequence[Format] = _Records()


@cache
def format_by_name(name: FormatName) -> Format:
    """Return the record of a format; KeyError for an unknown name."""
    if name not in MEDIA_TYPES:
        raise KeyError(name)
    record: Format = import_module(f"imaging.formats.{name}").FORMAT
    return record


def encoder_of(name: FormatName) -> Encoder:
    """Return the encoder of a format; KeyError for a format that is read only."""
    encoder = format_by_name(name).encoder
    if encoder is None:
        raise KeyError(name)
    return encoder
