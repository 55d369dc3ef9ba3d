"""Attach the gain map of an original to its picture, and encode it for the result."""

from __future__ import annotations

from typing import Any

import msgspec
import pyvips

from imaging.codecs.decode import inspect
from imaging.codecs.decode.color import is_srgb
from imaging.codecs.decode.loaders import load
from imaging.context import Context
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import FeatureError
from imaging.formats import format_by_name
from imaging.gain_map import GainMap, StoredGainMap
from imaging.params.output import Output
from imaging.picture import ImageHeader, Picture

Image = Any
"""A pyvips image; its stubs give every field a union of types."""
_PROFILE = "icc-profile-data"
_MIN_QUALITY = 85
"""Levels of a map are exponents: what a lower quality does to them shows more than in an image."""


def find_gain_map(original: bytes, source: ImageHeader, context: Context) -> StoredGainMap | None:
    """Return the gain map of an original; None if it has none, or one that its image cannot have."""
    read_gain_map = format_by_name(source.format).decoder.read_gain_map
    if read_gain_map is None:
        return None
    stored: StoredGainMap | None = read_gain_map(original)
    if stored is None:
        return None
    try:
        header = inspect(stored.body, context.limits, context.deadline)
    except FeatureError:
        return None
    is_sound = header.format == source.format and header.bands in (1, 3)
    is_smaller = header.width <= source.width and header.height <= source.height
    is_fast = context.deadline.leaves_room_for(header.decoder_seconds)
    return stored if is_sound and is_smaller and is_fast else None


def attach_gain_map(picture: Picture, context: Context) -> Picture:
    """Return the picture with the gain map of its original, upright and in memory.

    A map whose pixels are damaged is left out. Raises TooLarge where it does not fit into the memory budget.
    """
    source = picture.source
    stored = find_gain_map(context.original, source, context)
    if stored is None:
        return picture
    image: Image = load(stored.body, source.format, tolerant=context.limits.tolerate_truncated)
    picture = picture.reserve(2 * image.width * image.height * image.bands)
    try:
        with watched(image, context.deadline):
            image = image.copy_memory().copy()
    except pyvips.Error:
        context.deadline.check()
        return picture
    for name in (_PROFILE, "orientation", "vips-sequential"):
        image.remove(name)
    # The map is stored as the base image is, whose orientation counts for both.
    image.set_type(pyvips.GValue.gint_type, "orientation", source.orientation)
    image = image.autorot().copy_memory()
    is_converted = image.bands == 3 and source.profile and not is_srgb(_profile_of(context.original, source))
    gain_map = GainMap(image, stored.parameters, stored.profile, needs_profile=is_converted)
    return msgspec.structs.replace(picture, gain_map=gain_map)


def encode_gain_map(picture: Picture, output: Output) -> StoredGainMap | None:
    """Return the gain map for a finished picture; None if the colours of the picture no longer suit it."""
    gain_map = picture.gain_map
    if gain_map is None or (gain_map.needs_profile and not picture.image.get_typeof(_PROFILE)):
        return None
    image = gain_map.rendered((picture.width, picture.height))
    quality = max(_MIN_QUALITY, output.fixed_quality or 0)
    body = bytes(image.jpegsave_buffer(Q=quality, subsample_mode="off", optimize_coding=True, keep="none"))
    return StoredGainMap(body, gain_map.parameters, gain_map.profile)


def _profile_of(original: bytes, source: ImageHeader) -> bytes:
    header: Image = load(original, source.format)
    return bytes(header.get(_PROFILE))
