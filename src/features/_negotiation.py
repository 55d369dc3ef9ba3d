"""Which format an answer has."""

from __future__ import annotations

from features._errors import InvalidParameter
from features._output import Format, Output
from features._picture import Picture, Source
from features._ports import Context

ANIMATED = frozenset({"gif", "webp"})
_WRITTEN_AS: dict[str, Format] = {
    "jpeg": "jpeg", "png": "png", "webp": "webp", "avif": "avif", "gif": "gif", "tiff": "tiff",
    "bmp": "png", "ico": "png", "svg": "png", "heif": "jpeg",
}  # fmt: skip
_SHOWN_EVERYWHERE = frozenset({"jpeg", "png", "gif"})
_CANNOT_BE_LOSSLESS = frozenset({"jpeg", "gif"})


def chosen_format(picture: Picture, output: Output, context: Context) -> Format:
    """The format of a finished picture; InvalidParameter where it cannot do what is asked."""
    chosen = _chosen(picture, output, context)
    if output.lossless and chosen in _CANNOT_BE_LOSSLESS:
        raise InvalidParameter("lossless", f"left out or false for {chosen}", got=True)
    return chosen


def negotiated(source: Source, output: Output) -> bool:
    """Whether what the client accepts has a say."""
    return output.format == "auto" or (source.format == "heif" and output.format in (None, "original"))


def is_shown(source: Source, context: Context) -> bool:
    """Whether the client shows the original as it is."""
    return source.format in (*_SHOWN_EVERYWHERE, "svg", *context.accepts)


def _chosen(picture: Picture, output: Output, context: Context) -> Format:
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


def _shown_everywhere(picture: Picture, output: Output) -> Format:
    """The source's format, or the nearest that every browser shows."""
    own = _WRITTEN_AS[picture.source.format]
    if own not in _SHOWN_EVERYWHERE:
        own = "jpeg"
    if own == "jpeg" and (picture.has_alpha or output.lossless):
        return "png"
    return own
