"""What a file's header says, before any pixel."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from imaging.codecs.decode import bitmaps, cost
from imaging.codecs.decode.loaders import opened
from imaging.codecs.decode.parts import check_parts
from imaging.codecs.decode.sniff import sniff
from imaging.context import NO_DEADLINE, Deadline, Limits
from imaging.errors import DamagedSource, TooLarge, UnsupportedSource
from imaging.picture import ImageHeader, SourceFormat

Image = Any
"""A pyvips image; its stubs give every field a union of types."""


def inspect(original: bytes, limits: Limits, deadline: Deadline = NO_DEADLINE) -> ImageHeader:
    """What the header says. UnsupportedSource, DamagedSource, TooLarge; TimeExceeded for a drawing."""
    if len(original) > limits.source_bytes:
        raise TooLarge(f"the file must be at most {limits.source_bytes} bytes, got {len(original)}")
    kind = sniff(original)
    check_parts(original, kind, limits)
    return source_of(original, kind, None, limits, deadline)


def source_of(
    original: bytes, kind: SourceFormat, page: int | None, limits: Limits, deadline: Deadline = NO_DEADLINE
) -> ImageHeader:
    """What the header says of the file, and of that page if one is given."""
    if kind == "svg":
        from imaging.codecs.decode.svg import measured  # noqa: PLC0415 - of SVG alone

        return measured(original, limits, deadline, measure_drawing)
    if kind == "bmp":
        source = bitmaps.bmp_source(original)
    elif kind == "ico":
        source = bitmaps.ico_source(original, page)
    else:
        options: dict[str, Any] = {"page": page} if page else {}
        header = opened(original, kind, tolerant=limits.tolerate_truncated, **options)
        source = _from_header(header, original, kind)
    pixels = source.width * source.height
    if pixels > limits.source_pixels:
        got = f"{source.width} × {source.height} = {pixels}"
        raise TooLarge(f"the picture must have at most {limits.source_pixels} pixels, got {got}")
    return source


def _from_header(header: Image, original: bytes, kind: SourceFormat) -> ImageHeader:
    def known(name: str, default: int) -> int:
        return int(header.get(name)) if header.get_typeof(name) else default

    if kind in ("avif", "heif"):
        kind = "heif" if header.get("heif-compression") == "hevc" else "avif"
    frames = known("n-pages", 1)
    orientation = known("orientation", 1)
    return ImageHeader(
        format=kind,
        width=header.width,
        height=header.height,
        size=len(original),
        frames=frames,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        alpha=bool(header.hasalpha()),
        bands=header.bands,
        bits=known("bits-per-sample", {"uchar": 8, "ushort": 16}.get(str(header.format), 32)),
        profile=bool(header.get_typeof("icc-profile-data")),
        delays=tuple(header.get("delay")) if frames > 1 and header.get_typeof("delay") else (),
        loop=known("loop", 0),
        decoder_memory=cost.decoder_memory(kind, header, original),
        decoder_seconds=cost.decoder_seconds(kind, header),
    )


def measure_drawing(original: bytes, limits: Limits) -> ImageHeader:
    """A drawing's own pixels are a proposal; what drawing it costs stands in its elements."""
    from imaging.codecs.decode.svg import survey  # noqa: PLC0415 - of SVG alone

    # Counted first: librsvg builds a tree of all elements before it knows the size.
    found = survey(original, lambda inside: _inside(inside, limits))
    source = _from_header(opened(original, "svg"), original, "svg")
    pixels = source.width * source.height
    return replace(source, decoder_memory=found.memory(pixels), decoder_seconds=found.seconds(pixels))


def _inside(embedded: bytes, limits: Limits) -> ImageHeader | None:
    """What a picture inside a drawing is; none if it cannot be read, for then it is not drawn. TooLarge."""
    try:
        kind = sniff(embedded)
        check_parts(embedded, kind, replace(limits, tolerate_truncated=True))
        return source_of(embedded, kind, None, limits)
    except (UnsupportedSource, DamagedSource):
        return None
