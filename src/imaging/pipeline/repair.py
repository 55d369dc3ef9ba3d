"""Repair what a run could not decode, so that it can be tried once more."""

from __future__ import annotations

from msgspec import structs

from imaging.codecs.decode.sniff import sniff
from imaging.context import Context
from imaging.errors import DamagedSource, InvalidParameter, UnreadableByDetector, UnsupportedSource
from imaging.formats import format_by_name


def repair_inputs(
    error: DamagedSource | InvalidParameter, original: bytes, context: Context
) -> tuple[bytes, Context] | None:
    """Return the original, or the context with its overlays, repaired; None if neither can be.

    The error is not raised here: with this frame it would form a cycle, which holds open files until it is collected.
    """
    if isinstance(error, UnreadableByDetector):
        return None
    if isinstance(error, DamagedSource):
        repaired = repair(original, context)
        return None if repaired is None else (repaired, context)
    if not isinstance(error.__cause__, DamagedSource):
        return None
    # An overlay is damaged.
    objects = {ref: repair(body, context) or body for ref, body in context.objects.items()}
    return None if objects == context.objects else (original, structs.replace(context, objects=objects))


def repair(original: bytes, context: Context) -> bytes | None:
    """Return the file with its end mark and checksums, or None if it has them or cannot be repaired."""
    try:
        decoder = format_by_name(sniff(original)).decoder
    except UnsupportedSource:
        return None
    return decoder.repair(original, context) if decoder.repair else None
