"""Files of every format with bytes, lengths and parts changed."""

from __future__ import annotations

import io
import random
import re
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import pyvips
from PIL import Image as Pillow
from PIL import PngImagePlugin
from tests import pdfs, pictures
from tests.fuzz.case import Case

QUERIES = (
    *("", "", "metadata=keep", "metadata=keep&format=webp", "metadata=copyright&format=tiff", "metadata=keep&width=20"),
    *("width=20&format=webp", "format=png", "format=auto", "info=true", "page=1&format=png", "rotate=33&format=jpeg"),
    *("format=gif", "width=30&height=30&position=attention", "blur=2&metadata=keep&format=avif", "trim=9&format=png"),
    *("watermark=mutated.bin&format=webp", "quantize=8&format=png", "metadata=keep&format=jpeg&page=2"),
)
NUMBERS = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32_767, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**63)


@cache
def seeds() -> dict[str, bytes]:
    """Small files of every kind; what the samples of the other tests lack is added."""
    made = {name: pictures.sample(name).body for name in pictures.NAMES}
    scene: Any = pictures.scene(40, 30)
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "x" * 300, zip=True)
    texts.add_itxt("Title", "é" * 99, "de", "Titel", zip=True)
    frames = [pictures.pillow(pictures.scene(24, 18, turn=turn)) for turn in (0, 90, 180)]
    made |= {
        "png-texts": _saved(frames[0], "PNG", pnginfo=texts),
        "apng": _saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "avis": _saved(frames[0], "AVIF", save_all=True, append_images=frames[1:]),
        "mpo": _saved(frames[0], "MPO", save_all=True, append_images=frames[1:]),
        "tiff-big": pictures.tiff(scene, bigtiff=True),
        "tiff-tiles": pictures.tiff(scene, tile=True, tile_width=16, tile_height=16, compression="lzw"),
        "tiff-jpeg": pictures.tiff(scene, compression="jpeg"),
        "bmp-palette": _saved(frames[0].convert("P"), "BMP"),
        "ico-bmp": _saved(frames[0], "ICO", sizes=[(16, 16)], bitmap_format="bmp"),
        "svg-text": pictures.svg(
            40, 30, '<text x="9" y="20" filter="blur(2)">a</text><image href="data:image/png,x"/>'
        ),
        "pdf": pdfs.text(b"Hello"),
        "pdf-actions": pdfs.with_actions(),
        "pdf-image": pdfs.of_zeros(9),
        "pdf-pages": pdfs.pages(b"0 0 72 72", b"0 0 144 72", b"0 0 72 216"),
        "gif-tiny": bytes(scene.crop(0, 0, 1, 1).gifsave_buffer()),
        "jpeg-tiny": bytes(scene.crop(0, 0, 1, 1).jpegsave_buffer()),
        "jpeg-large": bytes(pyvips.Image.black(1500, 1500, bands=3).copy(interpretation="srgb").jpegsave_buffer()),
    }
    return made


def _saved(image: Pillow.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def case(draw: random.Random) -> Case:
    """A file changed in one to four places, and something asked of it."""
    name = draw.choice(sorted(seeds()))
    body = seeds()[name]
    for _ in range(draw.choice((1, 1, 1, 2, 2, 4))):
        body = draw.choice(CHANGES)(draw, body) or body
    query = draw.choice(QUERIES)
    configuration = "tolerant" if draw.random() < 0.15 else "open"
    return Case("containers", f"/mutated.bin?{query}", configuration, body=body[:400_000])


def _place(draw: random.Random, body: bytes) -> int:
    """A place in the file: more often where headers are, or the length before the name of a part."""
    chance = draw.random()
    if chance < 0.4:
        return draw.randrange(min(len(body), 600))
    if chance < 0.7:
        tags = [found.start() for found in re.finditer(rb"[A-Za-z]{3}[A-Za-z ]", body[:20_000])]
        if tags:
            return max(0, draw.choice(tags) + draw.choice((-4, -2, 0, 4, 8)))
    return draw.randrange(len(body))


def _bytes(draw: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(draw.choice((1, 1, 2, 8, 40))):
        changed[_place(draw, body) % len(body)] = draw.randrange(256)
    return bytes(changed)


def _number(draw: random.Random, body: bytes) -> bytes:
    """Put an extreme number, or one beside what stands there, as a length or an offset would be written."""
    at, form = _place(draw, body), draw.choice((">I", "<I", ">H", "<H", ">Q", "<Q"))
    size = struct.calcsize(form)
    if at + size > len(body):
        return body
    (there,) = struct.unpack_from(form, body, at)
    value = draw.choice((*NUMBERS, there + draw.randint(-4, 4), there * 2, len(body), len(body) - at))
    return body[:at] + struct.pack(form, value % (1 << 8 * size)) + body[at + size :]


def _cut(draw: random.Random, body: bytes) -> bytes:
    return body[: draw.randrange(1, len(body)) if draw.random() < 0.5 else max(1, len(body) - draw.randint(1, 40))]


def _without(draw: random.Random, body: bytes) -> bytes:
    at = _place(draw, body)
    return body[:at] + body[at + draw.choice((1, 2, 4, 12, 100, 2000)) :]


def _repeated(draw: random.Random, body: bytes) -> bytes:
    at, span = _place(draw, body), draw.choice((1, 4, 12, 60, 400))
    return body[:at] + body[at : at + span] * draw.choice((2, 2, 3, 20, 300)) + body[at + span :]


def _more(draw: random.Random, body: bytes) -> bytes:
    at, filling = _place(draw, body), draw.choice((draw.randbytes(1), b"\0", b"\xff", b"A"))
    return body[:at] + filling * draw.choice((1, 2, 4, 64, 5000)) + body[at:]


def _spliced(draw: random.Random, body: bytes) -> bytes:
    other = seeds()[draw.choice(sorted(seeds()))]
    return body[: _place(draw, body)] + other[_place(draw, other) :]


CHANGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(_bytes, _bytes, _number, _number, _number, _cut, _without, _repeated, _more, _spliced),
)
