"""Read a file's header, before any pixel."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from imaging.codecs import cost
from imaging.codecs.decode.loaders import load
from imaging.codecs.decode.parts import check_parts
from imaging.codecs.decode.sniff import sniff
from imaging.context import NO_DEADLINE, Deadline, Limits
from imaging.errors import DamagedSource, TooLarge, UnsupportedSource
from imaging.formats import SVG, format_by_name
from imaging.formats.format import DPI, FormatName
from imaging.params.output import Output
from imaging.picture import ImageHeader

Image = Any
"""A pyvips image; its stubs give every field a union of types."""


def inspect(original: bytes, limits: Limits, deadline: Deadline = NO_DEADLINE) -> ImageHeader:
    """Return what the header says. Raises UnsupportedSource, DamagedSource, TooLarge; TimeExceeded for a drawing."""
    if len(original) > limits.source_bytes:
        raise TooLarge(f"the file must be at most {limits.source_bytes} bytes, got {len(original)}")
    kind = sniff(original)
    check_parts(original, kind, limits)
    return read_header(original, kind, None, limits, deadline)


def read_header(
    original: bytes, kind: FormatName, page: int | None, limits: Limits, deadline: Deadline = NO_DEADLINE
) -> ImageHeader:
    """Return what the header says about the file, and about that page if one is given."""
    decoder = format_by_name(kind).decoder
    if decoder.switch and decoder.switch not in limits.switched_on:
        raise UnsupportedSource(f"files of the format {kind} are not read here: {decoder.switch} is off")
    if decoder.read_header:
        source: ImageHeader = decoder.read_header(original, page, limits, deadline)
    else:
        animation = decoder.read_animation(original) if decoder.read_animation else None
        options: dict[str, Any] = {"page": page} if page and animation is None else {}
        header = load(original, kind, tolerant=limits.tolerate_truncated, **options)
        source = _from_header(header, original, kind)
        if animation is not None:
            delays = animation.delays
            source = replace(source, frames=len(delays), delays=delays, loop=animation.loop, orientation=1)
    pixels = source.width * source.height
    # The size of a drawing is only a proposal; the size at which it is rendered is checked then.
    if pixels > limits.source_pixels and not decoder.scalable:
        got = f"{source.width} × {source.height} = {pixels}"
        raise TooLarge(f"the picture must have at most {limits.source_pixels} pixels, got {got}")
    return source


def at_resolution(source: ImageHeader, output: Output) -> ImageHeader:
    """Return the header of a drawing with the size that it has at the requested resolution.

    Other pictures have the size that they have.
    """
    if output.dpi is None or not format_by_name(source.format).decoder.scalable:
        return source
    factor = output.dpi / DPI
    width, height = (max(1, round(side * factor)) for side in (source.width, source.height))
    return replace(source, width=width, height=height, decoder_memory=round(source.decoder_memory * factor**2))


def _has_source_type(header: Image, original: bytes, kind: FormatName) -> bool:
    if header.get_typeof("xmp-data"):
        return b"DigitalSourceType" in header.get("xmp-data")
    carrier = format_by_name(kind).metadata
    # libvips does not read the packet of these formats, or it has been removed before libvips read the header. In a PNG
    # it may be compressed.
    return carrier is not None and carrier.xmp_mark != b"" and carrier.xmp_mark in original


def _from_header(header: Image, original: bytes, kind: FormatName) -> ImageHeader:
    def known(name: str, default: int) -> int:
        return int(header.get(name)) if header.get_typeof(name) else default

    identify = format_by_name(kind).decoder.identify
    kind = identify(header) if identify else kind
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
        has_source_type=_has_source_type(header, original, kind),
        bands=header.bands,
        bits=known("bits-per-sample", {"uchar": 8, "ushort": 16}.get(str(header.format), 32)),
        profile=bool(header.get_typeof("icc-profile-data")),
        delays=tuple(header.get("delay")) if frames > 1 and header.get_typeof("delay") else (),
        loop=known("loop", 0),
        decoder_memory=cost.decoder_memory(kind, header, original),
        decoder_seconds=cost.decoder_seconds(kind, header),
    )


def read_drawing_header(original: bytes, _page: int | None, limits: Limits, deadline: Deadline) -> ImageHeader:
    """Return the header of an SVG, measured in a process of its own."""
    from imaging.codecs.decode.drawing_process import measure_isolated  # noqa: PLC0415 - of SVG and PDF alone

    return measure_isolated(original, limits, deadline, measure_drawing, what="an SVG")


def measure_drawing(original: bytes, limits: Limits) -> ImageHeader:
    """Return the header of an SVG. Its size is only a proposal; its elements decide what rendering it costs."""
    from imaging.codecs.decode.svg import open_drawing, survey  # noqa: PLC0415 - of SVG alone
    from imaging.codecs.decode.svg_root import unpack  # noqa: PLC0415 - of SVG alone

    unpacked = unpack(original, limits.source_bytes)
    # Counted first: librsvg builds a tree of all elements before it knows the size.
    found = survey(unpacked, lambda inside: _inside(inside, limits))
    source = _from_header(open_drawing(unpacked), original, SVG.name)
    pixels = source.width * source.height
    return replace(source, decoder_memory=found.memory(pixels), decoder_seconds=found.seconds(pixels))


def _inside(embedded: bytes, limits: Limits) -> ImageHeader | None:
    """Return the header of an image inside a drawing, or None if it cannot be read and so is not drawn."""
    try:
        kind = sniff(embedded)
        check_parts(embedded, kind, replace(limits, tolerate_truncated=True))
        return read_header(embedded, kind, None, limits)
    except (UnsupportedSource, DamagedSource):
        return None
