"""Decide before decoding whether a result keeps the gain map of its original, and in which format."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from imaging.codecs.ultra_hdr.attachment import find_gain_map
from imaging.context import Context
from imaging.formats import encoder_of
from imaging.params.output import Output
from imaging.picture import ImageHeader
from imaging.pipeline.feature import Step


def settle_hdr(
    original: bytes, source: ImageHeader, steps: Sequence[Step], output: Output, context: Context
) -> tuple[Output, str]:
    """Return the output, with `hdr=keep` only where the result has a gain map, and what becomes of the map.

    A format that can hold one then comes before those that `format=auto` chooses otherwise.
    """
    without = structs.replace(output, hdr="sdr")
    if find_gain_map(original, source, context) is None:
        return without, ""
    lossy = next((step for step in steps if not (step.keeps_gain_map or step.is_report)), None)
    if lossy is not None:
        return without, f"dropped by {lossy.feature.name}"
    is_own = output.negotiates or output.format in (None, "original")
    chosen = source.format if is_own else str(output.format)
    if encoder_of(chosen).add_gain_map is None:
        return without, f"dropped by the format {chosen}"
    if output.format is None and output.preferred and chosen not in output.preferred:
        return without, "dropped by the preferred formats"
    is_free = output.negotiates or (output.format is None and output.preferred)
    return (structs.replace(output, format=chosen, preferred=None) if is_free else output), "kept"


def with_stored_gain_map(body: bytes, original: bytes, source: ImageHeader, context: Context) -> bytes:
    """Return an original without its metadata, with its gain map as it is stored."""
    stored = find_gain_map(original, source, context)
    add_gain_map = encoder_of(source.format).add_gain_map
    return body if stored is None or add_gain_map is None else add_gain_map(body, stored)
