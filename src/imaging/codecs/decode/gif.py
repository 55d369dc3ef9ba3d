"""Walk through a GIF's blocks: limit their number, and find which part of the canvas its frames have not drawn.

libvips gives a file without a transparent colour no alpha channel, and shows what no frame has drawn, or what was
disposed of, in black or the background colour. Browsers show it clear.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import pyvips

from imaging.codecs.decode.parts import MAX_FRAMES
from imaging.context import Limits
from imaging.errors import TooLarge

Image = Any
"""A pyvips image; its stubs give every field a union of types."""

_IMAGE = 0x2C
_BLOCKS = (b"\x21", b"\x2c")
"""What extensions and frames begin with."""
_GRAPHIC_CONTROL = b"\xf9"
_USUAL_BLOCK = 128
"""Bytes; a long file may have more blocks of this size."""
_TO_BACKGROUND, _TO_PREVIOUS = 2, 3
_PLACE = struct.Struct("<4H")
"""Left, top, width and height of a frame."""


class Frame(NamedTuple):
    """Where a frame is drawn on the canvas, and how it is disposed of before the next one."""

    left: int
    top: int
    width: int
    height: int
    disposal: int
    is_transparent: bool

    def covers(self, width: int, height: int) -> bool:
        """Return whether the frame draws on the whole canvas."""
        return not (self.left or self.top) and self.width >= width and self.height >= height


def check_parts(original: bytes, _limits: Limits) -> bool:
    """Check the number of blocks; return whether the pixels of all frames are there."""
    try:
        for _ in read_frames(original):
            pass
    except EOFError:
        return False
    return True


def read_frames(original: bytes) -> Iterator[Frame]:
    """Yield the frames, each before its data are passed, up to the trailer or to where the file ends.

    Raises TooLarge for too many blocks, and EOFError where the data of a frame are cut off.
    """
    maximum = 5 * MAX_FRAMES + len(original) // _USUAL_BLOCK
    blocks = extensions = frames = control = 0
    at = 13 + _palette(original, 10)
    # What stands at the place of a block and is not one is damage, which libvips reports.
    while original[at : at + 1] in _BLOCKS:
        is_frame = original[at] == _IMAGE
        if is_frame:
            frames += 1
            left, top, width, height = _PLACE.unpack_from(original[at + 1 : at + 9].ljust(8, b"\0"))
            yield Frame(left, top, width, height, control >> 2 & 7, bool(control & 1))
            control = 0
            at += 11 + _palette(original, at + 9)
        else:
            extensions += 1
            if original[at + 1 : at + 2] == _GRAPHIC_CONTROL:
                control = int.from_bytes(original[at + 3 : at + 4], "big")
            at += 2
        at, passed, is_whole = _pass_data(original, at, maximum - blocks)
        blocks += passed
        if is_frame and not is_whole:
            raise EOFError("the data of a frame are cut off")
        if frames > MAX_FRAMES or extensions > 2 * MAX_FRAMES or blocks > maximum:
            raise TooLarge(
                f"a GIF of this size must have at most {MAX_FRAMES} frames, twice as many extensions, and "
                f"{maximum} blocks, got more of one"
            )


def _pass_data(original: bytes, at: int, max_blocks: int) -> tuple[int, int, bool]:
    """Return the offset after the blocks of data at `at`, their number, and whether all of them are there.

    Of a file that ends without their terminator, the last block is there if it is shorter than the one before:
    encoders fill all others.
    """
    blocks = last = before = 0
    size = len(original)
    while at < size and (step := original[at]) and blocks <= max_blocks:
        before, last = last, step
        at += step + 1
        blocks += 1
    return at + 1, blocks, at < size or (at == size and last > 0 and (last < before or blocks == 1))


def _palette(original: bytes, flags_at: int) -> int:
    """Return the bytes of the palette that these flags announce."""
    flags = original[flags_at] if flags_at < len(original) else 0
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def clear_undrawn(image: Image, original: bytes, reload: Callable[[bytes], Image], options: Mapping[str, Any]) -> Image:
    """Return the frames that were loaded with these options, clear where nothing was drawn yet, or was disposed of.

    `reload` opens the same frames of another file.
    """
    page, n = options.get("page", 0), options.get("n", 1)
    frames: list[Frame] = []
    with contextlib.suppress(EOFError):  # The file may be cut off where that is tolerated.
        frames.extend(islice(read_frames(original), page + n if n > 0 else None))
    if image.hasalpha():
        if all(frame.is_transparent or frame.disposal != _TO_BACKGROUND for frame in frames[:-1]):
            return image
        # libvips fills the place of an opaque frame with the background colour, which the next one may leave visible.
        is_drawn = (image == reload(_with_another_background(original))).bandand()
        return image.extract_band(0, n=image.bands - 1).bandjoin(image[image.bands - 1] & is_drawn)
    # Without a transparent colour, the sizes and places of the frames tell what they draw.
    count = int(image.get("n-pages")) - page if n < 0 else n
    width, height = image.width, image.height // count
    if _are_all_covered(frames, page, width, height):
        return image
    masks = list(islice(_drawn(frames, width, height), page, None))
    if not masks:
        return image
    return image.bandjoin(pyvips.Image.arrayjoin(masks + masks[-1:] * (count - len(masks)), across=1))


def _with_another_background(original: bytes) -> bytes:
    """Return the file with another background colour, which is one of its palette; of a new one if it has none."""
    size, index = _palette(original, 10), original[11]
    if not size:
        flags = bytes((original[10] & 0x78 | 0x80, 1))
        return original[:10] + flags + original[12:13] + bytes(3) + b"\xff\xff\xff" + original[13:]
    colours = [original[at : at + 3] for at in range(13, 13 + size, 3)]
    now = colours[index if index < len(colours) else 0]
    other = next((number for number, colour in enumerate(colours) if colour != now), index)
    return original[:11] + bytes((other,)) + original[12:]


def _are_all_covered(frames: list[Frame], page: int, width: int, height: int) -> bool:
    """Return whether the canvas is certainly drawn on as a whole in every frame from `page` on."""
    is_covered, is_all_covered = False, True
    for number, frame in enumerate(frames):
        was_covered = is_covered
        is_covered = is_covered or frame.covers(width, height)
        is_all_covered &= is_covered or number < page
        if frame.disposal == _TO_BACKGROUND:
            is_covered = False
        elif frame.disposal == _TO_PREVIOUS:
            is_covered = was_covered
    return is_all_covered


def _drawn(frames: list[Frame], width: int, height: int) -> Iterator[Image]:
    """Yield, for each frame, 255 where the canvas has been drawn on when the frame is shown, and else 0."""
    drawn = pyvips.Image.black(width, height)
    for number, frame in enumerate(frames):
        # The first one is not computed here: the size of the canvas is checked after the header has been read.
        drawn = drawn.copy_memory() if number else drawn
        before = drawn
        drawn = _with_rectangle(drawn, frame, 255)
        yield drawn
        if frame.disposal == _TO_BACKGROUND:
            drawn = _with_rectangle(drawn, frame, 0)
        elif frame.disposal == _TO_PREVIOUS:
            drawn = before


def _with_rectangle(drawn: Image, frame: Frame, level: int) -> Image:
    width = min(frame.width, drawn.width - frame.left)
    height = min(frame.height, drawn.height - frame.top)
    if min(width, height) < 1:
        return drawn
    return drawn.insert((pyvips.Image.black(width, height) + level).cast("uchar"), frame.left, frame.top)
