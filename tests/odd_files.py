"""Files as other programs write them and this one does not: PNGs with any chunks, GIFs with any frames."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("odd")
"""Files that came out in other colours, sizes or transparency than in a browser."""
SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
"""Chromaticities of white, red, green and blue, as cHRM has them."""
COLOURS = ((200, 100, 50), (50, 200, 100), (100, 50, 200), (250, 120, 240), (128, 128, 128), (30, 30, 30))


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes((primaries, transfer, matrix, full)))


def gama(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def chrm(values: Sequence[float]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(each * 100_000) for each in values)))


def clli(peak: int) -> bytes:
    return chunk(b"cLLI", struct.pack(">II", peak * 10_000, 100 * 10_000))


def mdcv(peak: int) -> bytes:
    return chunk(b"mDCV", struct.pack(">8HII", *(0,) * 8, peak * 10_000, 50))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile))


def png(rows: Sequence[bytes], width: int, *, depth: int = 8, colour: int = 2, chunks: bytes = b"") -> bytes:
    """A PNG of these rows, with chunks before its pixels."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [chunk(b"IHDR", header), chunks, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def patches(chunks: bytes, colours: Iterable[tuple[int, ...]] = COLOURS) -> bytes:
    """A PNG one pixel high of these colours."""
    row = b"".join(map(bytes, colours))
    return png([row], len(row) // 3, chunks=chunks)


def ramp(chunks: bytes, *, grey: bool = False, deep: bool = False) -> bytes:
    """A PNG one pixel high of all 256 levels, in 8 or 16 bits."""
    levels = [bytes((level,)) * (2 if deep else 1) * (1 if grey else 3) for level in range(256)]
    return png([b"".join(levels)], 256, depth=16 if deep else 8, colour=0 if grey else 2, chunks=chunks)


def with_nclx(avif: bytes, primaries: int, transfer: int, *, full: bool | None = None) -> bytes:
    """The AVIF with other numbers of its color, which libvips always writes."""
    at = avif.index(b"colrnclx") + 8
    changed = avif[:at] + struct.pack(">HH", primaries, transfer) + avif[at + 4 :]
    return changed if full is None else changed[: at + 6] + bytes((full << 7,)) + changed[at + 7 :]


class Drawn(NamedTuple):
    """A frame of a GIF: a rectangle of one colour; with `clear`, every third pixel of it is transparent."""

    left: int
    top: int
    width: int
    height: int
    disposal: int
    colour: int
    clear: bool = False

    def pixels(self) -> list[int]:
        return [_CLEAR if self.clear and at % 3 == 0 else self.colour for at in range(self.width * self.height)]


PALETTE = ((220, 0, 0), (0, 200, 0), (0, 0, 210), (250, 250, 0))
_CLEAR = 7


def gif(width: int, height: int, frames: Iterable[Drawn], background: int = 0) -> bytes:
    """A GIF of these frames."""
    palette = b"".join(map(bytes, PALETTE)) + bytes(range(4 * 3, 256)) * 4
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, 0xF7, background, 0), palette[:768]]
    for frame in frames:
        parts.append(b"\x21\xf9\x04" + struct.pack("<BHBx", frame.disposal << 2 | frame.clear, 10, _CLEAR))
        parts.append(b"\x2c" + struct.pack("<4HB", *frame[:4], 0) + _packed(frame.pixels()))
    return b"".join([*parts, b"\x3b"])


def _packed(pixels: Iterable[int]) -> bytes:
    """LZW without any string: every code is a pixel, and the table is cleared before codes get longer."""
    codes = [256]
    for number, pixel in enumerate(pixels, 1):
        codes += [pixel, 256] if number % 250 == 0 else [pixel]
    bits = sum(code << 9 * at for at, code in enumerate([*codes, 257]))
    body = bits.to_bytes(-(-9 * (len(codes) + 1) // 8), "little")
    blocks = [body[at : at + 255] for at in range(0, len(body), 255)]
    return b"\x08" + b"".join(bytes((len(block),)) + block for block in blocks) + b"\0"


Pixel = tuple[int, int, int, int]


def shown(width: int, height: int, frames: Iterable[Drawn]) -> list[list[Pixel]]:
    """What a browser shows of each frame: the canvas begins clear, and disposal clears or restores."""
    canvas: list[Pixel] = [(0, 0, 0, 0)] * (width * height)
    found = []
    for frame in frames:
        before = list(canvas)
        for at, index in enumerate(frame.pixels()):
            down, across = divmod(at, frame.width)
            if index != _CLEAR or not frame.clear:
                canvas[(frame.top + down) * width + frame.left + across] = (*PALETTE[index], 255)
        found.append(list(canvas))
        if frame.disposal == 2:
            for down in range(frame.height):
                start = (frame.top + down) * width + frame.left
                canvas[start : start + frame.width] = [(0, 0, 0, 0)] * frame.width
        elif frame.disposal == 3:
            canvas = before
    return found
