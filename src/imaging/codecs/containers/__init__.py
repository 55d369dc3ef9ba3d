"""Remove metadata from stored bytes without decoding a pixel.

Each module lists what stays, so that everything unknown is removed. Colour profile, orientation and the label of
generated images stay.
"""

from __future__ import annotations

from imaging.codecs.containers.kept import Kept
from imaging.codecs.metadata.label import find_label
from imaging.codecs.metadata.reader import Malformed, Walk
from imaging.context import Deadline
from imaging.formats import format_by_name
from imaging.picture import ImageHeader


def strip(original: bytes, source: ImageHeader, deadline: Deadline) -> bytes | None:
    """Return the same image without its metadata, or None if that takes decoding. Raises TimeExceeded.

    Decoding is needed where the format's record has no `strip`, and where the container is damaged.
    """
    remove_metadata = format_by_name(source.format).strip
    if remove_metadata is None:
        return None
    try:
        kept = Kept(source.orientation, find_label(original, source))
        return remove_metadata(original, kept, Walk(len(original), deadline))
    except Malformed:
        return None
