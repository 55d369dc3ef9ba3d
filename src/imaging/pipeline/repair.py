"""Repair what a run could not decode, so that it can be tried once more."""

from __future__ import annotations

from msgspec import structs

from imaging.codecs.decode.sniff import sniff
from imaging.context import Context
from imaging.errors import DamagedSource, InvalidParameter, UnreadableByDetector, UnsupportedSource
from imaging.formats import format_by_name


def repair_inputs(error: DamagedSource | InvalidParameter, original: bytes, context: Context) -> tuple[bytes, Context]:
    """Return the original, or the context with its overlays, repaired; raise the error if neither can be."""
    if isinstance(error, UnreadableByDetector):
        raise error
    if isinstance(error, DamagedSource):
        repaired = repair(original, context)
        if repaired is None:
            raise error
        return repaired, context
    if not isinstance(error.__cause__, DamagedSource):
        raise error
    # An overlay is damaged.
    objects = {ref: repair(body, context) or body for ref, body in context.objects.items()}
    if objects == context.objects:
        raise error
    return original, structs.replace(context, objects=objects)


def repair(original: bytes, context: Context) -> bytes | None:
    """Return the file with its end mark and checksums, or None if it has them or cannot be repaired."""
    try:
        decoder = format_by_name(sniff(original)).decoder
    except UnsupportedSource:
        return None
    return decoder.repair(original, context) if decoder.repair else None
