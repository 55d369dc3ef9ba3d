"""Read from the boxes of an animated AVIF how long frames are shown and how often it plays, and write the latter.

The boxes are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imaging.codecs.animations.frames import LONGEST_DELAY, Animation, refuse_many_frames
from imaging.codecs.decode.boxes import Box, boxes

_SEQUENCE = b"avis"
"""The major brand of a file that is shown as its sequence (AVIF 1.1, 6.2); others are shown as their still image."""
_FOREVER = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}
"""The length of a track without an end, by the bytes of the field."""
_REPEATS = 1
_MAX_BOXES = 1000


def read_animation(original: bytes) -> Animation | None:
    """Return the frames of a file that is shown as a sequence; None for a still image. Raises TooLarge."""
    if original[8:12] != _SEQUENCE:
        return None
    try:
        track = next(_tracks(original, b"pict"), None)
        animation = _read_track(original, track) if track else None
    except (struct.error, ZeroDivisionError, IndexError):
        return None
    return animation if animation and len(animation.delays) > 1 else None


def write_loop(original: bytes, loop: int) -> bytes:
    """Return the file with the number of times it plays; 0 means for ever. Its edit lists must repeat."""
    file = bytearray(original)
    movie = _find(original, _whole(original), b"moov")
    header = _find(original, _whole(original), b"moov", b"mvhd")
    if not loop or not movie or not header:
        return original
    length = 0
    for track in _tracks(original):
        edits, track_header = _find(original, track, b"edts", b"elst"), _find(original, track, b"tkhd")
        if edits and track_header:
            length = loop * _segment(original, edits)
            at, size = _duration(original, track_header)
            file[at : at + size] = length.to_bytes(size, "big")
    at, size = (header[1] + 24, 8) if original[header[1]] else (header[1] + 16, 4)
    file[at : at + size] = length.to_bytes(size, "big")
    return bytes(file)


def _whole(original: bytes) -> Box:
    return b"", 0, len(original)


def _tracks(original: bytes, handler: bytes = b"") -> Iterator[Box]:
    """Yield the tracks, or those with a handler: `pict` has the colours, and `auxv` alpha."""
    movie = _find(original, _whole(original), b"moov")
    for box in boxes(original, movie[1], movie[2]) if movie else ():
        if box[0] != b"trak":
            continue
        found = _find(original, box, b"mdia", b"hdlr")
        if not handler or (found and original[found[1] + 8 : found[1] + 12] == handler):
            yield box


def _read_track(original: bytes, track: Box) -> Animation | None:
    header, media = _find(original, track, b"mdia", b"mdhd"), _find(original, track, b"mdia", b"minf", b"stbl", b"stts")
    if not header or not media:
        return None
    scale_at = header[1] + (20 if original[header[1]] else 12)
    (timescale,) = struct.unpack_from(">I", original, scale_at)
    (entries,) = struct.unpack_from(">I", original, media[1] + 4)
    delays: list[int] = []
    for number in range(min(entries, (media[2] - media[1] - 8) // 8)):
        count, ticks = struct.unpack_from(">II", original, media[1] + 8 + 8 * number)
        refuse_many_frames(len(delays) + count)
        delays += [min(round(1000 * ticks / timescale), LONGEST_DELAY)] * count
    return Animation(tuple(delays), _loop(original, track))


def _loop(original: bytes, track: Box) -> int:
    """Return how often the track plays: for ever without an edit list, once with one that does not repeat."""
    edits, header = _find(original, track, b"edts", b"elst"), _find(original, track, b"tkhd")
    if not edits or not header:
        return 0
    if not original[edits[1] + 3] & _REPEATS:
        return 1
    at, size = _duration(original, header)
    length = int.from_bytes(original[at : at + size], "big")
    return 0 if length in (0, _FOREVER[size]) else max(1, round(length / _segment(original, edits)))


def _segment(original: bytes, edits: Box) -> int:
    """Return the length of one play."""
    size = 8 if original[edits[1]] else 4
    return int.from_bytes(original[edits[1] + 8 : edits[1] + 8 + size], "big")


def _duration(original: bytes, header: Box) -> tuple[int, int]:
    """Return where the length of a track is stored in its header (tkhd), and in how many bytes."""
    return (header[1] + 28, 8) if original[header[1]] else (header[1] + 20, 4)


def _find(original: bytes, box: Box, *kinds: bytes) -> Box | None:
    """Return the box of these kinds, one inside the other; None if there is not one."""
    for each_kind in kinds:
        found = None
        for number, inside in enumerate(boxes(original, box[1], box[2])):
            if inside[0] == each_kind or number > _MAX_BOXES:
                found = inside
                break
        if found is None or found[0] != each_kind:
            return None
        box = found
    return box
