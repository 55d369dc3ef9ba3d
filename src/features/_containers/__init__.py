"""Metadata taken out of stored bytes without decoding a pixel: container by container, by what is known to be picture.

Each module lists what stays, so that what nobody thought of goes. Colour profile and orientation stay.
"""

from __future__ import annotations

from collections.abc import Callable

from features._containers.avif import strip as strip_avif
from features._containers.gif import strip as strip_gif
from features._containers.jpeg import strip as strip_jpeg
from features._containers.png import strip as strip_png
from features._containers.svg import strip as strip_svg
from features._containers.webp import strip as strip_webp
from features._metadata.reader import Malformed, Walk
from features._picture import Source
from features._ports import Deadline

_STRIP: dict[str, Callable[[bytes, int, Walk], bytes]] = {
    "jpeg": strip_jpeg,
    "png": strip_png,
    "webp": strip_webp,
    "gif": strip_gif,
    "avif": strip_avif,
    "svg": strip_svg,
}


def strip(original: bytes, source: Source, deadline: Deadline) -> bytes | None:
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
