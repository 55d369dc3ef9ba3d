"""libvips' loaders, each called by name: what the bytes are is known by then, and nothing else may guess."""

from __future__ import annotations

import pyvips

from imaging.codecs.decode.chunks import without_texts
from imaging.errors import DamagedSource
from imaging.picture import SourceFormat

# A picture is read once. A cache of operations would only keep the last hundred files in memory.
pyvips.cache_set_max(0)

_OPERATIONS: dict[SourceFormat, str] = {
    "jpeg": "jpegload_source",
    "png": "pngload_source",
    "webp": "webpload_source",
    "gif": "gifload_source",
    "avif": "heifload_source",
    "heif": "heifload_source",
    "tiff": "tiffload_source",
    "svg": "svgload_source",
}


def opened(
    original: bytes,
    kind: SourceFormat,
    *,
    tolerant: bool = False,
    instead: pyvips.Source | None = None,
    **options: object,
) -> pyvips.Image:
    """The picture with its header read and its pixels still to come, top to bottom; DamagedSource.

    They are read `instead` from there, if that is given.
    """
    # A source, not a buffer: pyvips copies buffers, and an SVG from a source has no folder to read siblings from.
    memory = instead or pyvips.Source.new_from_memory(without_texts(original) if kind == "png" else original)
    fail_on = "none" if tolerant else "truncated"
    try:
        image = pyvips.Operation.call(_OPERATIONS[kind], memory, access="sequential", fail_on=fail_on, **options)
    except pyvips.Error as error:
        raise damaged(error) from None
    return owning(image, memory)


def owning(image: pyvips.Image, owner: object) -> pyvips.Image:
    """The image, which now keeps alive what its pixels are read from: libvips does not copy the bytes."""
    image._references.append(owner)  # noqa: SLF001 - as pyvips' own new_from_source does
    return image


def damaged(error: Exception) -> DamagedSource:
    """What a decoder said, for the client in our words and for the log in its own."""
    return DamagedSource("the picture is damaged or cut off", detail=f"{type(error).__name__}: {error}")
