"""From stored bytes to an upright picture in sRGB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyvips

from features._decode import _bitmaps, _cost, _drawings, _heif
from features._decode._colour import to_srgb
from features._decode._complete import is_complete
from features._decode._loaders import damaged, opened
from features._decode._sniff import sniff
from features._errors import DamagedSource, FeatureError, InvalidParameter, TooLarge
from features._output import Output
from features._picture import Picture, Source, SourceFormat
from features._ports import MEGA, Context, Deadline, Limits
from features._watch import watched

Image = Any
"""A pyvips image; its stubs give every field a union of types."""

_ANIMATED = frozenset({"gif", "webp"})
_MOST_SIDE = 32_000
"""Pixels; what a drawing is drawn at."""


def inspect(original: bytes, limits: Limits) -> Source:
    """What the header says. UnsupportedSource, DamagedSource, TooLarge."""
    if len(original) > limits.source_bytes:
        raise TooLarge(f"the file must be at most {limits.source_bytes} bytes, got {len(original)}")
    kind = sniff(original)
    if not limits.tolerate_truncated and not is_complete(original, kind):
        raise DamagedSource("the picture is damaged or cut off", detail=f"{kind} without its end")
    return _source(original, kind, None, limits)


def decode(original: bytes, source: Source, output: Output, context: Context, shrink: float = 1.0) -> Picture:
    """The picture upright in sRGB or grey, 8 bits a band; of an animation all frames where the output can hold them.

    `shrink` is by how much the first step will reduce it: the decoder may reduce by less, an SVG is drawn to measure
    (below 1: larger). Pixels are read lazily and once, from top to bottom. DamagedSource, TooLarge, InvalidParameter
    for a page.
    """
    page, limits = output.page, context.limits
    if page is not None and page >= source.frames:
        raise InvalidParameter("page", f"0 to {source.frames - 1}", page)
    if page:
        source = _source(original, source.format, page, limits)
    frames = source.frames if _keeps_frames(source, output) else 1
    if frames > 1:
        _check_animation(source, limits)
    try:
        image = _loaded(original, source, frames, output, context, shrink)
        return _picture(image, source, frames, context)
    except pyvips.Error as error:
        context.deadline.check()
        raise damaged(error) from None


@contextmanager
def source_at_fault(original: bytes, source: Source, output: Output, context: Context) -> Iterator[None]:
    """Around whatever pulls pixels: an error of libvips becomes TimeExceeded after the deadline, DamagedSource if the
    source cannot be read on its own either, and stays what it is if the fault is ours.
    """
    try:
        yield
    except pyvips.Error:
        context.deadline.check()
        _read_through(original, source, output, context)
        raise


def _read_through(original: bytes, source: Source, output: Output, context: Context) -> None:
    if not context.deadline.leaves_room_for(_cost.uninterruptible_seconds(source, 1.0)):
        return  # it was read where it can be killed, and its faults were found there
    picture = decode(original, source, output, context)
    try:
        with watched(picture.image, context.deadline):
            picture.image.avg()
    except pyvips.Error as error:
        context.deadline.check()
        raise damaged(error) from None


def _source(original: bytes, kind: SourceFormat, page: int | None, limits: Limits) -> Source:
    """What the header says of the file, and of that page if one is given."""
    if kind == "bmp":
        source = _bitmaps.bmp_source(original)
    elif kind == "ico":
        source = _bitmaps.ico_source(original, page)
    else:
        header = opened(original, kind, tolerant=limits.tolerate_truncated, **({"page": page} if page else {}))
        source = _from_header(header, original, kind)
    if kind == "svg":
        return _surveyed(source, original, limits)
    pixels = source.width * source.height
    if pixels > limits.source_pixels:
        got = f"{source.width} × {source.height} = {pixels}"
        raise TooLarge(f"the picture must have at most {limits.source_pixels} pixels, got {got}")
    return source


def _from_header(header: Image, original: bytes, kind: SourceFormat) -> Source:
    def known(name: str, default: int) -> int:
        return int(header.get(name)) if header.get_typeof(name) else default

    if kind in ("avif", "heif"):
        kind = "heif" if header.get("heif-compression") == "hevc" else "avif"
    frames = known("n-pages", 1)
    orientation = known("orientation", 1)
    return Source(
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
        interlaced=bool(header.get_typeof("interlaced")),
        delays=tuple(header.get("delay")) if frames > 1 and header.get_typeof("delay") else (),
        loop=known("loop", 0),
        decoder_memory=_cost.decoder_memory(kind, header, original),
        decoder_seconds=_cost.decoder_seconds(kind, header),
    )


def _surveyed(source: Source, original: bytes, limits: Limits) -> Source:
    """A drawing's own pixels are a proposal; what drawing it costs stands in its elements."""
    found = _drawings.survey(original, lambda inside: _pixels_inside(inside, limits))
    pixels = source.width * source.height
    return replace(source, decoder_memory=found.memory(pixels), decoder_seconds=found.seconds(pixels))


def _pixels_inside(embedded: bytes, limits: Limits) -> int:
    """Pixels of a picture inside a drawing; one that cannot be read is not drawn and costs nothing."""
    try:
        kind = sniff(embedded)
        source = _source(embedded, kind, None, limits) if kind != "svg" else None
    except TooLarge:
        raise
    except FeatureError:
        return 0
    return source.width * source.height if source else 0


def _keeps_frames(source: Source, output: Output) -> bool:
    asked = output.format if output.format not in (None, "auto", "original") else source.format
    keeps = output.animated is not False and output.page is None
    return keeps and source.format in _ANIMATED and asked in _ANIMATED


def _check_animation(source: Source, limits: Limits) -> None:
    if source.frames > limits.frames:
        raise TooLarge(f"the animation must have at most {limits.frames} frames, got {source.frames}")
    pixels = source.width * source.height * source.frames
    if pixels > limits.animation_pixels:
        raise TooLarge(f"the frames must have at most {limits.animation_pixels} pixels together, got {pixels}")


def _loaded(
    original: bytes, source: Source, frames: int, output: Output, context: Context, shrink: float
) -> pyvips.Image:
    """The frames as the decoder gives them, after a check of the memory that this will take."""
    kind, page, limits = source.format, output.page, context.limits
    tolerant = limits.tolerate_truncated
    if kind in ("bmp", "ico", "heif"):
        _check_memory(source, (source.width, source.height), frames, limits)
    if kind == "bmp":
        return _bitmaps.bmp_pixels(original, tolerant=tolerant)
    if kind == "ico":
        return _bitmaps.ico_pixels(original, page, tolerant=tolerant)
    image = opened(original, kind, tolerant=tolerant, **_options(source, frames, output, shrink, limits))
    if kind == "heif":
        return _heif.pixels(original, page, image, context.deadline)
    _check_memory(source, (image.width, image.height // frames), frames, limits)
    return image


def _options(source: Source, frames: int, output: Output, shrink: float, limits: Limits) -> dict[str, object]:
    if source.format == "jpeg":
        return {"shrink": _jpeg_shrink(shrink, source, output)}
    if source.format == "svg":
        return {"scale": _drawing_scale(shrink, source, limits)}
    options: dict[str, object] = {"page": output.page} if output.page else {}
    if frames > 1:
        options["n"] = -1
    elif source.format == "webp" and shrink > 1:
        options["scale"] = 1 / shrink
    elif source.format == "tiff":
        # The library's own limit of 50 MB refuses a camera's TIFF; memory is checked here.
        options["unlimited"] = True
    return options


def _jpeg_shrink(shrink: float, source: Source, output: Output) -> int:
    """Which of the decoder's own reductions leaves enough for the resize.

    Twice as much for other formats than JPEG as for JPEG: that pays for the lower efforts of their encoders
    (bench/EFFORTS.md).
    """
    to_jpeg = output.format == "jpeg" or (output.format in (None, "original") and source.format == "jpeg")
    enough = max((step for step in (8, 4, 2) if step * (1 if to_jpeg else 2) <= shrink), default=1)
    # Nearly the whole reduction would be the decoder's: its rounding shows.
    return enough // 2 if enough > 1 and int(shrink) == enough else enough


def _drawing_scale(shrink: float, source: Source, limits: Limits) -> float:
    """The scale at which a drawing comes out as large as it is asked for; TooLarge."""
    scale = 1 / shrink
    width, height = source.width * scale, source.height * scale
    if max(width, height) > _MOST_SIDE or width * height > limits.source_pixels:
        raise TooLarge(
            f"a drawing must have at most {_MOST_SIDE} pixels a side and {limits.source_pixels} together, "
            f"got {round(width)} x {round(height)}"
        )
    return scale


def _check_memory(source: Source, loaded: tuple[int, int], frames: int, limits: Limits) -> None:
    needed = _cost.decoding_memory(source, loaded, frames)
    if needed > limits.memory:
        raise TooLarge(
            f"decoding must take at most {limits.memory // MEGA} MB of memory, got about {needed // MEGA} MB"
        )


def _picture(image: pyvips.Image, source: Source, frames: int, context: Context) -> Picture:
    image = to_srgb(image)
    if source.orientation > 1:
        image = _upright(image, context.deadline)
    loaded = (image.width, image.height // frames)
    return Picture(
        image=image,
        source=source,
        frames=frames,
        delays=source.delays if frames > 1 else (),
        loop=source.loop if frames > 1 else 0,
        shrunk_from=source.upright if loaded != source.upright else None,
    )


def _upright(image: Image, deadline: Deadline) -> Image:
    """Turned as the EXIF orientation says. A mirrored row can be streamed; all else reads rows out of order."""
    if image.get("orientation") > 2:
        with watched(image, deadline):
            image = image.copy_memory().copy()
        image.remove("vips-sequential")
    return image.autorot()
