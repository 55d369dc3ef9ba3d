"""Placeholders and hashes of a small image in sRGB with 8 bits per band."""

from __future__ import annotations

import base64
from typing import Any

from features.info.thumb_hash import encode

Image = Any
"""A pyvips image, whose methods take more kinds of arguments than its types know."""

_HASH_SIDE = 32
"""Longer side in pixels of the image that BlurHash and ThumbHash are computed from."""
_PREVIEW_SIDE = 16


def blur_hash(image: Image) -> str:
    """Return the BlurHash (blurha.sh) of the image on a white background."""
    import blurhash  # noqa: PLC0415 - most requests never need it

    tiny = _reduce(_flatten(image), _HASH_SIDE)
    pixels, stride = bytes(tiny.write_to_memory()), 3 * tiny.width
    rows = [[pixels[at : at + 3] for at in range(start, start + stride, 3)] for start in range(0, len(pixels), stride)]
    components = (4, 3) if tiny.width >= tiny.height else (3, 4)
    return str(blurhash.encode(rows, *components))


def thumb_hash(image: Image) -> str:
    """Return the ThumbHash (evanw.github.io/thumbhash) of the image in base64; unlike BlurHash it has transparency."""
    tiny = _reduce(image if image.hasalpha() else image.bandjoin(255), _HASH_SIDE)
    return base64.b64encode(encode(bytes(tiny.write_to_memory()), tiny.width, tiny.height)).decode()


def preview(image: Image) -> str:
    """Return the image at 16 pixels as a data URL of a few hundred bytes, to show while the image is loading."""
    body = bytes(_reduce(image, _PREVIEW_SIDE).webpsave_buffer(Q=50, alpha_q=50, effort=6, keep="none"))
    return "data:image/webp;base64," + base64.b64encode(body).decode()


def perceptual_hash(image: Image) -> str:
    """Return 64 bits in hexadecimal that are nearly the same for images that look alike, on a white background.

    The hash is `phash` of the library ImageHash: the signs of the lowest frequencies of a discrete cosine transform.
    Images look alike if at most about 10 bits differ.
    """
    import imagehash  # noqa: PLC0415 - it imports scipy
    from PIL import Image as PilImage  # noqa: PLC0415 - most requests never need it

    opaque = _flatten(image)
    pixels = PilImage.frombytes("RGB", (opaque.width, opaque.height), bytes(opaque.write_to_memory()))
    return str(imagehash.phash(pixels))


def _flatten(image: Image) -> Image:
    return image.flatten(background=[255]) if image.hasalpha() else image


def _reduce(image: Image, side: int) -> Image:
    return image.thumbnail_image(side, height=side, size="down")
