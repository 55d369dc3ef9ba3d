"""The frames of an APNG as its chunks have them (PNG, third edition, 11.3.6)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from imaging.codecs.animations.frames import LONGEST_DELAY, Animation, refuse_many_frames
from imaging.codecs.decode.chunks import chunks
from imaging.codecs.decode.parts import check_png
from imaging.context import Limits

CONTROL = struct.Struct(">IIIIIHHBB")
"""Number, width, height, left, top, delay as a fraction, disposal, blending."""
TO_NOTHING, TO_BACKGROUND, TO_PREVIOUS = 0, 1, 2
"""How a frame is disposed of before the next one."""
REPLACE, OVER = 0, 1
"""How a frame is blended with the canvas."""
_USUAL_DENOMINATOR = 100


class Frame(NamedTuple):
    """One frame, and where its pixels are in the file."""

    width: int
    height: int
    left: int
    top: int
    delay: int
    """Milliseconds."""
    disposal: int
    blending: int
    data: list[tuple[int, int]]
    """Start and end of each part of its zlib stream."""


def count_frames(original: bytes) -> tuple[int, int]:
    """Return the number of frames and of plays that an APNG announces before its pixels; 0 frames for any other PNG."""
    for kind, start, end in chunks(original):
        if kind == b"IDAT":
            break
        if kind == b"acTL" and end - start == 20:
            frames, plays = struct.unpack_from(">II", original, start + 8)
            return frames, plays
    return 0, 0


def is_animated(original: bytes) -> bool:
    """Return whether a PNG is an animation of more than one frame."""
    return count_frames(original)[0] > 1


def read_animation(original: bytes) -> Animation:
    """Return the delays and the number of plays. Raises TooLarge."""
    frames, plays = count_frames(original)
    refuse_many_frames(frames)
    delays = tuple(frame.delay for frame in read_frames(original))
    return Animation(delays, plays if plays <= LONGEST_DELAY else 0)


def check_parts(original: bytes, limits: Limits) -> bool:
    """Check the number of chunks; return whether all frames are there that the file announces."""
    return check_png(original, limits) and len(list(read_frames(original))) == count_frames(original)[0]


def read_frames(original: bytes) -> Iterator[Frame]:
    """Yield the frames in their order, as many as are announced; the default image is one of them if it has a control.

    Raises TooLarge.
    """
    left = count_frames(original)[0]
    refuse_many_frames(left)
    frame: Frame | None = None
    for kind, start, end in chunks(original):
        if kind == b"fcTL" and end - start == CONTROL.size + 12:
            if frame and frame.data:
                yield frame
                left -= 1
            frame = _frame(original, start) if left > 0 else None
        elif frame and kind == b"IDAT":
            frame.data.append((start + 8, end - 4))
        elif frame and kind == b"fdAT" and end - start > 16:
            frame.data.append((start + 12, end - 4))
    if frame and frame.data:
        yield frame


def _frame(original: bytes, start: int) -> Frame:
    _, width, height, left, top, delay, denominator, disposal, blending = CONTROL.unpack_from(original, start + 8)
    milliseconds = round(1000 * delay / (denominator or _USUAL_DENOMINATOR))
    return Frame(width, height, left, top, min(milliseconds, LONGEST_DELAY), disposal, blending, [])
