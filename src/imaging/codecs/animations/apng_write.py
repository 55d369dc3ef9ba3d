"""Write an APNG: libvips compresses each frame as a PNG, and its chunks are put together here.

A frame holds only the rectangle in which it differs from the one before. Pixels with a palette are written as one tall
PNG first, because all frames share the palette; its rows are then divided among the frames.
"""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from typing import Any, NamedTuple

from imaging.codecs.animations.apng_chunks import CONTROL, REPLACE, TO_NOTHING
from imaging.codecs.animations.frames import Frames, Image, split_frames
from imaging.codecs.png_chunks import SIGNATURE, Chunks, chunk, get_payload, read_chunks

Box = tuple[int, int, int, int]
"""Left, top, width and height."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel, by PNG's colour types."""
_LEVEL = 6


class _Part(NamedTuple):
    """The pixels of one frame: the rectangle that changes, and its zlib stream."""

    box: Box
    stream: bytes


def save_animation(image: Image, *, keep: str, **options: Any) -> bytes:
    """Return the frames as a file, from libvips' options for a PNG; `keep` is "all", "icc" or "none"."""
    frames = split_frames(image)
    boxes = _changes(frames.images)
    first = frames.images[0]
    if options.get("palette"):
        # Interlaced rows could not be divided, and filtered ones depend on the row above.
        options |= {"interlace": False, "filter": "none", "compression": 0}
        tall = read_chunks(bytes(image.pngsave_buffer(keep=keep, **options)))
        head, parts = tall, _divided(tall, first.height, boxes)
    else:
        files = [
            read_chunks(bytes(frame.crop(*box).pngsave_buffer(keep="none", **options)))
            for frame, box in zip(frames.images, boxes, strict=True)
        ]
        head = files[0] if keep == "none" else read_chunks(bytes(first.pngsave_buffer(keep=keep, **options)))
        parts = [_Part(box, _stream(file)) for file, box in zip(files, boxes, strict=True)]
    return _joined(head, parts, frames)


def _changes(images: list[Image]) -> list[Box]:
    """Return the rectangle of each frame that differs from the frame before; one pixel where nothing does."""
    boxes = [(0, 0, images[0].width, images[0].height)]
    for before, image in pairwise(images):
        changed = (image != before).bandor()
        left, top, width, height = changed.find_trim(threshold=1, background=[0], line_art=True)
        boxes.append((left, top, width, height) if width and height else (0, 0, 1, 1))
    return boxes


def _divided(tall: Chunks, height: int, boxes: list[Box]) -> list[_Part]:
    """Return the rows of each frame that change, of a PNG that has all frames one below the other, unfiltered."""
    width, bits, kind = struct.unpack_from(">I4xBB", get_payload(tall[0][1]))
    line = 1 + (width * bits * _CHANNELS[kind] + 7) // 8
    rows = memoryview(zlib.decompress(_stream(tall)))
    parts = []
    for number, (_, top, _, count) in enumerate(boxes):
        start = (number * height + top) * line
        parts.append(_Part((0, top, width, count), zlib.compress(rows[start : start + count * line], _LEVEL)))
    return parts


def _stream(file: Chunks) -> bytes:
    return b"".join(get_payload(whole) for kind, whole in file if kind == b"IDAT")


def _joined(head: Chunks, parts: list[_Part], frames: Frames) -> bytes:
    """Return the file: what precedes the pixels in `head`, in the size of one frame, and the frames."""
    size = struct.pack(">II", parts[0].box[2], parts[0].box[3])
    file: list[bytes | memoryview] = [SIGNATURE, chunk(b"IHDR", size + bytes(get_payload(head[0][1]))[8:])]
    for kind, whole in head[1:]:
        if kind == b"IDAT":
            break
        file.append(whole)
    file.append(chunk(b"acTL", struct.pack(">II", len(parts), frames.loop)))
    number = 0
    for (box, stream), delay in zip(parts, frames.delays, strict=True):
        left, top, width, height = box
        control = CONTROL.pack(number, width, height, left, top, delay, 1000, TO_NOTHING, REPLACE)
        file.append(chunk(b"fcTL", control))
        if number:
            file.append(chunk(b"fdAT", struct.pack(">I", number + 1) + stream))
        else:
            file.append(chunk(b"IDAT", stream))
        number += 2 if number else 1
    return b"".join([*file, chunk(b"IEND", b"")])
