"""Write an animated AVIF with Pillow, and into its boxes how often it plays."""

from __future__ import annotations

import io

from imaging.codecs.animations.avif_boxes import write_loop
from imaging.codecs.animations.frames import Image, split_frames


def save_sequence(image: Image, *, keep: str, quality: int, speed: int, subsampling: str) -> bytes:
    """Return the frames as a file. With `keep`, EXIF and XMP of the image stay."""
    from PIL import AvifImagePlugin  # noqa: PLC0415 - most requests never need it
    from PIL import Image as Pillow  # noqa: PLC0415 - most requests never need it

    frames = split_frames(image if image.bands > 2 else image.colourspace("srgb"))
    mode = "RGBA" if image.hasalpha() else "RGB"
    pictures = [Pillow.frombytes(mode, (each.width, each.height), each.write_to_memory()) for each in frames.images]
    first, *others = pictures
    blobs = {"exif": "exif-data", "xmp": "xmp-data"} if keep == "all" else {}
    metadata = {name: bytes(image.get(field)) for name, field in blobs.items() if image.get_typeof(field)}
    file = io.BytesIO()
    # Players leave out a frame of no length.
    durations = [max(1, delay) for delay in frames.delays]
    # Chromium 156 takes the frames of a sequence for ones of limited range, even if the file states full range.
    first.save(
        file, AvifImagePlugin.AvifImageFile.format, save_all=True, append_images=others, duration=durations,
        quality=quality, speed=speed, subsampling=subsampling, range="limited", **metadata,
    )  # fmt: skip
    return write_loop(file.getvalue(), frames.loop)
