"""Decode an animated AVIF with Pillow: libvips reads only the still image that such a file has beside its frames.

The decoder runs in a process of its own, within limits: nothing can stop it.
"""

from __future__ import annotations

import io

import pyvips

from imaging.codecs.decode.loaders import as_damaged_source
from imaging.context import Context
from imaging.errors import DamagedSource
from imaging.formats.format import Loading

_BESIDE_PIXELS = 4_100_000
"""Bytes: a colour profile has 4 million at most."""
_ORIENTATION = 0x0112


def decode_sequence(loading: Loading) -> pyvips.Image:
    """Return all frames, one below the other, or the one frame that is loaded. Raises DamagedSource, TimeExceeded."""
    from imaging.deadlines.killable_process import Confinement, ProcessDied, run_confined  # noqa: PLC0415 - of few files

    context: Context = loading.context
    limits = context.limits
    width, height = loading.size
    frames = range(loading.frames) if loading.page is None else range(loading.page, loading.page + 1)
    bounds = Confinement(context.deadline, limits.memory, limits.processors)
    threads = max(1, round(limits.processors))
    answer = 4 * width * height * len(frames) + _BESIDE_PIXELS
    try:
        work = (loading.original, frames, loading.size, threads)
        image: pyvips.Image = run_confined(bounds, answer, decode_frames, *work)
    except ProcessDied as error:
        raise as_damaged_source(error) from None
    return image


def decode_frames(original: bytes, frames: range, size: tuple[int, int], threads: int) -> pyvips.Image:
    """Return these frames upright, one below the other, with their profile. Raises DamagedSource."""
    # EXIF is read by the plugin for TIFF, which could not be imported later.
    from PIL import AvifImagePlugin, Image, TiffImagePlugin  # noqa: F401, PLC0415 - most requests never need them

    from imaging.deadlines.killable_process import open_no_more_files  # noqa: PLC0415 - of few files

    open_no_more_files()
    AvifImagePlugin.DEFAULT_MAX_THREADS = threads
    Image.MAX_IMAGE_PIXELS = None  # the header was checked
    try:
        file = AvifImagePlugin.AvifImageFile(io.BytesIO(original))
        orientation = file.getexif().get(_ORIENTATION, 1)
        rows = []
        for number in frames:
            file.seek(number)
            rows.append(_upright(file, orientation, size))
    except DamagedSource:
        raise
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise whatever their parsing runs into
        raise as_damaged_source(error) from None
    image = pyvips.Image.arrayjoin(rows, across=1) if len(rows) > 1 else rows[0]
    image = image.copy_memory().copy()
    if profile := file.info.get("icc_profile"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image


def _upright(file: object, orientation: int, size: tuple[int, int]) -> pyvips.Image:
    """Return the current frame as the container's rotation and mirroring show it, which must give this size."""
    frame = file.convert("RGBA" if file.mode == "RGBA" else "RGB")  # type: ignore[attr-defined]  # a Pillow image
    image = pyvips.Image.new_from_memory(frame.tobytes(), frame.width, frame.height, len(frame.mode), "uchar")
    image = image.copy(interpretation="srgb")
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation if 1 <= orientation <= 8 else 1)
    image = image.autorot()
    if (image.width, image.height) != size:
        raise DamagedSource("the picture is damaged", detail=f"a frame of {image.width} x {image.height}")
    return image
