"""Small files that are made to take much: each function returns one, and what makes it dear grows with its numbers."""

from __future__ import annotations

import struct
import zlib

from tests import pictures

from imaging.codecs.png_chunks import chunk


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks behind its header."""
    plain = pictures.png(keep="none")
    return plain[:33] + b"".join(chunks) + plain[33:]


def png_of_packed_texts(count: int, size: int, kind: bytes = b"zTXt") -> bytes:
    """Texts that unpack to so many bytes each."""
    packed = zlib.compress(bytes([97]) * size, 9)
    return png_with(chunk(kind, (b"k\0\0" if kind == b"zTXt" else b"k\0\1\0\0\0") + packed) * count)


def png_of_profile(size: int) -> bytes:
    """A colour profile that unpacks to so many bytes."""
    return png_with(chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(size), 9)))


def jpeg_of_segments(count: int, marker: bytes = b"\xff\xe1") -> bytes:
    """Empty segments."""
    plain = pictures.jpeg(keep="none")
    return plain[:2] + (marker + b"\0\2") * count + plain[2:]


def jpeg_of_scans(count: int) -> bytes:
    """The last scan of a progressive picture, again and again."""
    plain = pictures.jpeg(keep="none", interlace=True)
    last = plain[plain.rindex(b"\xff\xda") : -2]
    return plain[:-2] + last * count + b"\xff\xd9"


def exif_of_pointers(count: int) -> bytes:
    """A block whose directory has nothing but pointers at itself."""
    pointers = struct.pack("<HHII", 0x8769, 4, 1, 8) * count
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + pointers + bytes(4)


def jpeg_of_exif(block: bytes) -> bytes:
    """A picture with that EXIF block."""
    segment = b"\xff\xe1" + (len(block) + 8).to_bytes(2, "big") + b"Exif\0\0" + block
    plain = pictures.jpeg(keep="none")
    return plain[:2] + segment + plain[2:]


def webp_of_exif(block: bytes) -> bytes:
    """A picture with that EXIF block."""
    size = (pictures.WIDTH - 1).to_bytes(3, "little") + (pictures.HEIGHT - 1).to_bytes(3, "little")
    header = b"VP8X" + struct.pack("<I", 10) + b"\x08\0\0\0" + size
    return _riff(header, pictures.webp(keep="none")[12:], b"EXIF" + struct.pack("<I", len(block)) + block)


def avif_of_exif(block: bytes) -> bytes:
    """A picture in which that block replaces the start of its own."""
    plain = pictures.avif()
    at = plain.index(b"II*\0")
    return plain[:at] + block + plain[at + len(block) :]


def gif_of_frames(count: int) -> bytes:
    """Frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return head + b"\x2c\0\0\0\0\1\0\1\0\0\x02\x02\x44\x01\0" * count + b"\x3b"


def gif_of_blocks(count: int, size: int = 1) -> bytes:
    """A comment in blocks of so many bytes; none in a block: so many comments."""
    plain = gif_of_frames(1)
    block = bytes([size]) + b"x" * size
    comment = b"\x21\xfe" + block * count + b"\0" if size else b"\x21\xfe\0" * count
    return plain[:19] + comment + plain[19:]


def webp_of_frames(count: int) -> bytes:
    """Frames of one pixel."""
    pixels = pictures.webp(pictures.scene().crop(0, 0, 1, 1), keep="none", lossless=True)[12:]
    header = bytes(12) + (10).to_bytes(3, "little") + b"\0"
    frame = b"ANMF" + struct.pack("<I", len(header + pixels)) + header + pixels
    return _riff(
        b"VP8X" + struct.pack("<I", 10) + b"\2" + bytes(9) + b"ANIM" + struct.pack("<I", 6) + bytes(6), frame * count
    )


def webp_of_chunks(count: int) -> bytes:
    """Chunks that nobody knows."""
    plain = pictures.webp(keep="none")
    size = (pictures.WIDTH - 1).to_bytes(3, "little") + (pictures.HEIGHT - 1).to_bytes(3, "little")
    return _riff(b"VP8X" + struct.pack("<I", 10) + bytes(4) + size, plain[12:], b"ABCD\0\0\0\0" * count)


def tiff_of_pages(count: int) -> bytes:
    """Directories of one pixel each, all of which share it."""
    tags = (
        (256, 3, 1),
        (257, 3, 1),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 4),
        (277, 3, 1),
        (278, 3, 1),
        (279, 4, 1),
    )
    body = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags
    )
    size = len(body) + 4
    links = (8 + size * (page + 1) if page + 1 < count else 0 for page in range(count))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(body + struct.pack("<I", link) for link in links)


def tiff_of_shared_values(count: int, size: int) -> bytes:
    """Private tags that all point at the same bytes."""
    plain = pictures.tiff(keep="none")
    at = len(plain) + len(plain) % 2
    (own_at,) = struct.unpack_from("<I", plain, 4)
    (own_count,) = struct.unpack_from("<H", plain, own_at)
    own = plain[own_at + 2 : own_at + 2 + 12 * own_count]
    values_at = at + 2 + len(own) + 12 * count + 4
    private = b"".join(struct.pack("<HHII", 50_000 + number, 7, size, values_at) for number in range(count))
    directory = struct.pack("<H", own_count + count) + own + private + bytes(4)
    return plain[:4] + struct.pack("<I", at) + plain[8:].ljust(at - 8, b"\0") + directory + bytes(size)


def ico_of_shared_payload(count: int, size: int) -> bytes:
    """Entries that all point at the same bytes."""
    payload = pictures.png(keep="none") + bytes(size)
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(payload), 6 + 16 * count)
    return struct.pack("<HHH", 0, 1, count) + entry * count + payload


def bmp_of_runs(width: int, height: int, runs: bytes, bits: int = 8) -> bytes:
    """Pixels in runs (BI_RLE8 or BI_RLE4)."""
    start = 14 + 40 + 1024
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 1 if bits == 8 else 2, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + info + bytes(1024) + runs


def avif_of_boxes(count: int) -> bytes:
    """Boxes of nothing at the end."""
    return pictures.avif() + b"\0\0\0\x08free" * count


def _riff(*parts: bytes) -> bytes:
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body
