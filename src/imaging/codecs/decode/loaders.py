"""Call libvips' loaders by name: the format is known by then, and libvips must not guess another one."""

from __future__ import annotations

import pyvips

from imaging.errors import DamagedSource
from imaging.formats import format_by_name
from imaging.formats.format import FormatName

# A picture is read once. A cache of operations would only keep the last hundred files in memory.
pyvips.cache_set_max(0)


def load(
    original: bytes,
    kind: FormatName,
    *,
    tolerant: bool = False,
    instead: pyvips.Source | None = None,
    **options: object,
) -> pyvips.Image:
    """Return the image with its header read; its pixels are read later, from top to bottom. Raises DamagedSource.

    They are read from `instead`, if that is given.
    """
    decoder = format_by_name(kind).decoder
    prepared = decoder.prepare(original) if decoder.prepare and not instead else original
    fail_on = "none" if tolerant else "truncated"

    def opened(file: bytes, source: pyvips.Source | None = None) -> pyvips.Image:
        # A source, not a buffer: pyvips copies buffers, and an SVG from a source has no folder to read siblings from.
        source = source or pyvips.Source.new_from_memory(file)
        image = pyvips.Operation.call(decoder.loader, source, access="sequential", fail_on=fail_on, **options)
        return keep_alive(image, source)

    try:
        image = opened(prepared, instead)
        return decoder.amend(image, original, opened, options) if decoder.amend else image
    except pyvips.Error as error:
        raise as_damaged_source(error) from None


def keep_alive(image: pyvips.Image, owner: object) -> pyvips.Image:
    """Return the image, which now keeps alive what its pixels are read from: libvips does not copy the bytes."""
    image._references.append(owner)  # noqa: SLF001 - as pyvips' own new_from_source does
    return image


def as_damaged_source(error: Exception) -> DamagedSource:
    """Return the error for the client, with the decoder's own message for the log."""
    return DamagedSource.from_decoder(error)
