"""Which format an answer has."""

from __future__ import annotations

from typing import Protocol

from imaging.context import Context
from imaging.errors import InvalidParameter
from imaging.params.output import Format, Output
from imaging.picture import ImageHeader

ANIMATED = frozenset({"gif", "webp"})
_WRITTEN_AS: dict[str, Format] = {
    "jpeg": "jpeg", "png": "png", "webp": "webp", "avif": "avif", "gif": "gif", "tiff": "tiff",
    "bmp": "png", "ico": "png", "svg": "png", "heif": "jpeg",
}  # fmt: skip
_SHOWN_EVERYWHERE = frozenset({"jpeg", "png", "gif"})
_CANNOT_BE_LOSSLESS = frozenset({"jpeg", "gif"})


class Planned(Protocol):
    """A finished picture, or one that is still to be computed: what the choice of a format asks of it."""

    @property
    def source(self) -> ImageHeader: ...
    @property
    def has_alpha(self) -> bool: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def frames(self) -> int: ...


def chosen_format(picture: Planned, output: Output, context: Context) -> Format:
    """The format of a finished picture; InvalidParameter where it cannot do what is asked."""
    chosen = format_of(picture, output, context)
    if output.lossless and chosen in _CANNOT_BE_LOSSLESS:
        raise InvalidParameter("lossless", f"left out or false for {chosen}", got=True)
    return chosen


def negotiated(source: ImageHeader, output: Output) -> bool:
    """Whether what the client accepts has a say."""
    return output.format == "auto" or (source.format == "heif" and output.format in (None, "original"))


def is_shown(source: ImageHeader, context: Context) -> bool:
    """Whether the client shows the original as it is."""
    return source.format in (*_SHOWN_EVERYWHERE, "svg", *context.accepts)


def format_of(picture: Planned, output: Output, context: Context) -> Format:
    """The format of a picture, whatever else is asked of it."""
    if asked := _WRITTEN_AS.get(output.format or ""):
        return asked
    if not negotiated(picture.source, output):
        opaque = picture.source.format == "png" and not picture.has_alpha
        return "jpeg" if output.auto_jpeg and opaque and output.format is None else _WRITTEN_AS[picture.source.format]
    pixels = picture.width * picture.height
    if picture.frames > 1:
        return "webp" if "webp" in context.accepts else "gif"
    if "avif" in context.accepts and pixels <= context.limits.auto_avif_pixels and not output.lossless:
        return "avif"
    if "webp" in context.accepts:
        return "webp"
    return _shown_everywhere(picture, output)


def _shown_everywhere(picture: Planned, output: Output) -> Format:
    """The source's format, or the nearest that every browser shows."""
    own = _WRITTEN_AS[picture.source.format]
    if own not in _SHOWN_EVERYWHERE:
        own = "jpeg"
    if own == "jpeg" and (picture.has_alpha or output.lossless):
        return "png"
    return own
