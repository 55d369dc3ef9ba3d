"""Metadata taken out of stored bytes without decoding a pixel: container by container, by what is known to be picture.

Each module lists what stays, so that what nobody thought of goes. Colour profile and orientation stay.
"""

from __future__ import annotations

from collections.abc import Callable

from imaging.codecs.containers.avif import strip as strip_avif
from imaging.codecs.containers.gif import strip as strip_gif
from imaging.codecs.containers.jpeg import strip as strip_jpeg
from imaging.codecs.containers.png import strip as strip_png
from imaging.codecs.containers.svg import strip as strip_svg
from imaging.codecs.containers.webp import strip as strip_webp
from imaging.codecs.metadata.reader import Malformed, Walk
from imaging.context import Deadline
from imaging.picture import ImageHeader

_STRIP: dict[str, Callable[[bytes, int, Walk], bytes]] = {
    "jpeg": strip_jpeg,
    "png": strip_png,
    "webp": strip_webp,
    "gif": strip_gif,
    "avif": strip_avif,
    "svg": strip_svg,
}


def strip(original: bytes, source: ImageHeader, deadline: Deadline) -> bytes | None:
    """The same picture without its metadata; None where that takes decoding: another format, or a damaged container.
    TimeExceeded after the deadline.
    """
    stripper = _STRIP.get(source.format)
    if stripper is None:
        return None
    try:
        return stripper(original, source.orientation, Walk(len(original), deadline))
    except Malformed:
        return None
