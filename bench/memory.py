"""`python -m bench.memory`: peak memory of decoding, beside what `imaging.codecs.cost` reckons from the header.

Each file is made an 800 pixel JPEG, and decoded at its full size, in a process of its own. A ratio below 1 is an
estimate that is too low: the budget would let a picture in that takes more than it may. The figures of `cost` come
from this table.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pyvips
from tests.pdfs import of_image, page

from bench import pictures

SIZE = (6000, 4000)
FOLDER = pictures.CACHE.parent / "memory"
_MEASURE = """
import resource, sys
from features import edits
from imaging import Context, Limits, Output, run
from imaging.codecs import cost
from imaging.codecs.decode import decode, inspect, pdf
from imaging.deadlines import killable_process
LIMITS = Limits(memory=10**12, source_bytes=10**9, switched_on=frozenset({"PDF_SOURCES"}))
# A page is drawn here and not in an isolated process, whose memory cannot be seen.
killable_process.open_no_more_files = lambda: None
pdf.render_isolated = lambda original, size, limits, deadline, draw, *told, what: draw(original, *told)
original = open(sys.argv[1], "rb").read()
estimates = []
reckon = cost.decoding_memory
cost.decoding_memory = lambda *told: estimates.append(reckon(*told)) or estimates[-1]
output, context = Output(format="jpeg"), Context(limits=LIMITS)
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
open("/proc/self/clear_refs", "w").write("5")
before = peak()
if sys.argv[2] == "800":
    run(original, edits({"resize": {"width": 800}}), output, context)
else:
    decode(original, inspect(original, context.limits), output, context).image.avg()
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(peak() - before + len(original) + children, estimates[0])
"""

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""


def _pillow(image: Image) -> Any:
    from PIL import Image as Pillow

    mode = {3: "RGB", 4: "RGBA"}[image.bands]
    return Pillow.frombytes(mode, (image.width, image.height), bytes(image.write_to_memory()))


def _heic(image: Image) -> bytes:
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(_pillow(image)).save(out, quality=50)
    return out.getvalue()


def _bmp(image: Image) -> bytes:
    out = io.BytesIO()
    _pillow(image).save(out, "BMP")
    return out.getvalue()


def _one_strip(image: Image) -> bytes:
    out = io.BytesIO()
    _pillow(image).save(out, "TIFF", compression="tiff_deflate", tiffinfo={278: image.height})
    return out.getvalue()


def _film(image: Image, frames: int = 30) -> Image:
    small = image.resize(1 / 6)
    tall = pyvips.Image.arrayjoin([small.wrap(x=20 * index) for index in range(frames)], across=1).copy()
    tall.set_type(pyvips.GValue.gint_type, "page-height", small.height)
    return tall


def _turned(image: Image) -> Image:
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    return image


def _drawing(inside: str) -> bytes:
    ground = '<svg xmlns="http://www.w3.org/2000/svg" width="3000" height="2000">'
    return f'{ground}{inside}<circle cx="1500" cy="1000" r="900" fill="red" filter="url(#f)"/></svg>'.encode()


def _alpha(image: Image) -> Image:
    return image.bandjoin(image[1])


_LINES = b"".join(b"BT /F1 14 Tf 50 %d Td (%s) Tj ET " % (1450 - 18 * line, b"Text. " * 50) for line in range(78))
_HELVETICA = b"/Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
CASES: dict[str, Callable[[Image], bytes]] = {
    "baseline.jpg": lambda it: it.jpegsave_buffer(Q=88),
    "turned.jpg": lambda it: _turned(it).jpegsave_buffer(Q=88),
    "progressive.jpg": lambda it: it.jpegsave_buffer(Q=88, interlace=True),
    "progressive444.jpg": lambda it: it.jpegsave_buffer(Q=95, interlace=True, subsample_mode="off"),
    "cmyk.jpg": lambda it: it.colourspace("cmyk").jpegsave_buffer(Q=88, keep="none"),
    "p3.jpg": lambda it: it.jpegsave_buffer(Q=88, profile="p3"),
    "rgb.png": lambda it: it.pngsave_buffer(compression=1),
    "rgba.png": lambda it: _alpha(it).pngsave_buffer(compression=1),
    "rgba16.png": lambda it: _alpha(it.colourspace("rgb16")).pngsave_buffer(compression=1),
    "interlaced.png": lambda it: it.pngsave_buffer(compression=1, interlace=True),
    "interlaced16.png": lambda it: it.colourspace("rgb16").pngsave_buffer(compression=1, interlace=True),
    "lossy.webp": lambda it: it.webpsave_buffer(Q=80, effort=1),
    "alpha.webp": lambda it: _alpha(it).webpsave_buffer(Q=80, effort=1),
    "lossless.webp": lambda it: it.webpsave_buffer(lossless=True, effort=0),
    "animated.webp": lambda it: _film(it).webpsave_buffer(Q=70, effort=1),
    "animated.gif": lambda it: _film(it).gifsave_buffer(effort=1),
    "rgb.avif": lambda it: it.heifsave_buffer(compression="av1", Q=50, effort=0),
    "444.avif": lambda it: it.heifsave_buffer(compression="av1", Q=90, effort=0, subsample_mode="off"),
    "alpha.avif": lambda it: _alpha(it).heifsave_buffer(compression="av1", Q=50, effort=0),
    "10bit.avif": lambda it: it.colourspace("rgb16").heifsave_buffer(compression="av1", Q=50, effort=0, bitdepth=10),
    "444-10bit.avif": lambda it: it.colourspace("rgb16").heifsave_buffer(
        compression="av1", Q=90, effort=0, bitdepth=10, subsample_mode="off"
    ),
    "rgb.heic": lambda it: _heic(it.resize(0.5)),
    "alpha.heic": lambda it: _heic(_alpha(it.resize(0.5))),
    "strips.tif": lambda it: it.tiffsave_buffer(),
    "tiles.tif": lambda it: it.tiffsave_buffer(tile=True, compression="deflate"),
    "one-strip.tif": _one_strip,
    "rgb16.tif": lambda it: it.colourspace("rgb16").tiffsave_buffer(compression="deflate"),
    "cmyk.tif": lambda it: it.colourspace("cmyk").tiffsave_buffer(compression="deflate", keep="none"),
    "rgb.bmp": _bmp,
    "rgba.bmp": lambda it: _bmp(_alpha(it)),
    "plain.svg": lambda _: _drawing(""),
    "blurred.svg": lambda _: _drawing('<filter id="f"><feGaussianBlur stdDeviation="9"/></filter>'),
    "filters.svg": lambda _: _drawing(
        '<filter id="f">'
        + "".join(f'<feOffset dx="3" in="SourceGraphic" result="r{n}"/>' for n in range(10))
        + "</filter>"
    ),
    "text.pdf": lambda _: page(_LINES, box=b"0 0 2250 1500", resources=_HELVETICA),
    "photo.pdf": lambda it: of_image(3000, it.crop(0, 0, 3000, 3000).jpegsave_buffer(Q=88), b"/Filter/DCTDecode"),
}


def measure(name: str, asked: str) -> tuple[float, float]:
    """Measured and reckoned megabytes, the file's own bytes included."""
    command = [sys.executable, "-c", _MEASURE, str(FOLDER / name), asked]
    peak, estimate = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(peak) / 1e6, int(estimate) / 1e6


def make() -> None:
    """The files, where they are not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    missing = [name for name in CASES if not (FOLDER / name).exists()]
    image = pictures.mosaic(SIZE) if missing else None
    for name in missing:
        (FOLDER / name).write_bytes(CASES[name](image))


def main() -> None:
    make()
    print("# Memory of decoding, in megabytes\n\nMade by `python -m bench.memory > bench/MEMORY.md`.\n")
    print("| file | made | peak | reckoned | ratio |\n|---|---|---|---|---|")
    for name in sys.argv[1:] or CASES:
        for asked in ("800", "all"):
            peak, estimate = measure(name, asked)
            print(f"| {name} | {asked} | {peak:.1f} | {estimate:.1f} | {estimate / peak:.2f} |", flush=True)


if __name__ == "__main__":
    main()
