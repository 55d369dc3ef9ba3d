"""Limit the number of parts of a file before a library reads it, because libraries keep something of each part."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice

from imaging.context import Limits
from imaging.errors import DamagedSource, TooLarge
from imaging.formats import format_by_name
from imaging.formats.format import FormatName

MAX_FRAMES = 10_000
"""Frames of an animation or pages of a document, however few of them are decoded."""
_MAX_WEBP_FRAMES = 5_000
"""libwebp's time grows with their square. More only where the operator's limit lets more be drawn."""
MAX_SCANS = 200
"""Scans of a JPEG; a progressive one usually has ten."""
_MAX_PARTS = 10_000
"""Chunks or segments that may be of any size; a long file may have more of the usual size."""
_USUAL_CHUNK = 2048
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
"""Neither a stuffed 0xFF nor a restart."""
_SOI, _EOI, _SOS, _TEM, _APP1 = 0xD8, 0xD9, 0xDA, 0x01, 0xE1
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_RIFF = struct.Struct("<4sI")
_MAX_TAGS = 20_000
"""Tags that are read in all; a camera writes a hundred."""
_MAX_EXIF_DEPTH = 30
_MAX_EXIF_BLOCKS = 200
"""TIFF headers in one file; notes of makers and thumbnails have some."""
_POINTERS = frozenset({0x8769, 0x8825, 0xA005})
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def check_parts(original: bytes, kind: FormatName, limits: Limits) -> None:
    """Raise TooLarge if the file has more parts than its format may have.

    Raise DamagedSource if the file does not reach its own end, unless that is tolerated or the decoder finds out.
    """
    check = format_by_name(kind).decoder.check_parts
    is_complete = check is None or check(original, limits)
    if not (is_complete or limits.tolerate_truncated):
        raise DamagedSource("the picture is damaged or cut off", detail=f"{kind} without its end")


def check_png(original: bytes, _limits: Limits) -> bool:
    """Check the number of chunks; return True, because the decoder finds out whether the file is complete."""
    from imaging.codecs.decode.chunks import chunks, has_large_profile  # noqa: PLC0415 - other formats do not need it

    maximum = _MAX_PARTS + len(original) // _USUAL_CHUNK
    blocks = _ExifCheck(original)
    for number, (kind, start, end) in enumerate(chunks(original)):
        if number == maximum:
            raise TooLarge(f"a PNG of this size must have at most {maximum} chunks, got more")
        if kind == b"eXIf":
            blocks.check(start, end)
        if kind == b"iCCP" and has_large_profile(original, start, end):
            raise TooLarge("the colour profile of a PNG must unpack to at most 4 MB, got more")
    return True


def check_jpeg(original: bytes, _limits: Limits) -> bool:
    """Check the number of segments as far as the decoder reads them: to the first scan, or to the end of several.

    Return True, because the decoder finds out by itself whether the file is complete.
    """
    scans, components, is_progressive = 0, 0, False
    blocks = _ExifCheck(original)
    for segments, (marker, at, end) in enumerate(_segments(original), 1):
        scans += marker == _SOS
        if segments > _MAX_PARTS or scans > MAX_SCANS:
            raise TooLarge(f"a JPEG must have at most {_MAX_PARTS} segments and {MAX_SCANS} scans, got more of either")
        if marker == _EOI:
            return True
        if marker in _FRAME_HEADERS:
            components, is_progressive = _byte(original, at + 7), marker in _PROGRESSIVE
        elif marker == _SOS and not is_progressive and _byte(original, at + 2) >= components:
            return True
        if marker == _APP1 and original.startswith(b"Exif", at + 2):
            blocks.check(at, end)
    return True


def is_jpeg_head(head: bytes) -> bool:
    """Return whether the first bytes of a JPEG reach the pixels, and these are stored from top to bottom, in one scan.

    The scans of a progressive file are read to the end before the first row is known, and are counted before that.
    """
    components = 0
    for marker, at, end in _segments(head):
        if marker in _PROGRESSIVE or marker == _EOI:
            return False
        if marker in _FRAME_HEADERS:
            components = _byte(head, at + 7)
        elif marker == _SOS:
            return end <= len(head) and 0 < components <= _byte(head, at + 2)
    return False


def _segments(original: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker of each segment of a JPEG, and where its content begins, with its length, and ends."""
    at = 0
    while found := _MARKER.search(original, at):
        at, marker = found.end(), found[1][0]
        is_bare = marker in (_SOI, _TEM, _EOI)
        end = at if is_bare else at + max(2, int.from_bytes(original[at : at + 2], "big"))
        yield marker, at, end
        at = end


def _byte(original: bytes, at: int) -> int:
    return original[at] if at < len(original) else 0


def check_webp(original: bytes, limits: Limits) -> bool:
    """Check the number of chunks; return True, because the decoder finds out whether the file is complete."""
    max_frames = max(_MAX_WEBP_FRAMES, limits.frames)
    at, others, frames = 12, 0, 0
    blocks = _ExifCheck(original)
    while at + 8 <= len(original):
        kind, length = _RIFF.unpack_from(original, at)
        if kind == b"EXIF":
            blocks.check(at, at + 8 + length)
        at += 8 + length + length % 2
        if kind == b"ANMF":
            frames += 1
        else:
            others += 1
        if frames > max_frames or others > _MAX_PARTS:
            raise TooLarge(
                f"a WebP must have at most {max_frames} frames and {_MAX_PARTS} other chunks, got more of either"
            )
    return True


def check_boxes(original: bytes, _limits: Limits) -> bool:
    """Check the number of outermost boxes of a HEIF: libheif limits only those that are inside another one.

    Everything that looks like EXIF is checked, because only libheif knows where the items are stored. Return True,
    because the decoder finds out whether the file is complete.
    """
    from imaging.codecs.decode.boxes import boxes  # noqa: PLC0415 - other formats do not need it

    _ExifCheck(original).check(0, len(original))
    if next(islice(boxes(original, 0, len(original)), _MAX_PARTS, None), None):
        raise TooLarge(f"a HEIF must have at most {_MAX_PARTS} boxes, got more")
    return True


class _ExifCheck:
    """Counts the EXIF blocks of a file and their tags.

    The directories of a block may point at each other, and libexif reads a directory again for each pointer to it: 68
    kB of pointers keep it busy for half a minute.
    """

    def __init__(self, original: bytes) -> None:
        self.original = original
        self.blocks = self.entries = 0

    def check(self, start: int, end: int) -> None:
        """Raise TooLarge if the blocks between these offsets, and those before, make libexif read too many tags."""
        for header, order in _ORDERS.items():
            at = self.original.find(header, start, end)
            while at >= 0:
                self.blocks += 1
                self._follow(memoryview(self.original)[at:end], order)
                at = self.original.find(header, at + 4, end)

    def _follow(self, block: memoryview, order: str) -> None:
        entry = struct.Struct(order + "H6xI")
        waiting = [(_number(block, 4, 4, order), 0)]
        while waiting:
            at, depth = waiting.pop()
            count = _number(block, at, 2, order)
            directory = block[at + 2 : at + 2 + 12 * count]
            self.entries += len(directory) // 12
            if self.entries > _MAX_TAGS or self.blocks > _MAX_EXIF_BLOCKS:
                raise TooLarge(
                    f"EXIF must have at most {_MAX_TAGS} tags in {_MAX_EXIF_BLOCKS} blocks, got more or a circle"
                )
            if not depth:
                waiting.append((_number(block, at + 2 + len(directory), 4, order), 1))
            if depth < _MAX_EXIF_DEPTH:
                tags = entry.iter_unpack(directory[: len(directory) // 12 * 12])
                waiting += [(below, depth + 1) for tag, below in tags if tag in _POINTERS]


def _number(block: memoryview, at: int, size: int, order: str) -> int:
    """Return a number of the block; 0 if it is outside."""
    return int.from_bytes(block[at : at + size], "little" if order == "<" else "big")
