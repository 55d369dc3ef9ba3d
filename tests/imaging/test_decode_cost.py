"""What decoding takes is reckoned from the header: not less than it really takes, and not much more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import pictures

from imaging import Limits
from imaging.codecs.cost import decoding_memory
from imaging.codecs.decode import inspect

pytestmark = pytest.mark.slow

ROOM = 100_000_000

_PEAK = """
import sys
from features import edits
from imaging import Context, Limits, Output, run
original = open(sys.argv[1], "rb").read()
output, context, steps = Output(format="jpeg"), Context(), edits({"resize": {"width": 200}})
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
open("/proc/self/clear_refs", "w").write("5")
before = peak()
run(original, steps, output, context)
print(peak() - before + len(original))
"""


def peak_memory(original: bytes, folder: Path) -> int:
    """Bytes that a fresh process takes beyond what it had, to make a small JPEG; the file's own included."""
    path = folder / "original"
    path.write_bytes(original)
    command = [sys.executable, "-c", _PEAK, str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


LARGE: dict[str, Callable[[], bytes]] = {
    "baseline JPEG": lambda: pictures.jpeg(pictures.scene(4000, 3000)),
    "turned JPEG": lambda: pictures.jpeg(pictures.scene(4000, 3000), orientation=6),
    "progressive JPEG": lambda: pictures.jpeg(pictures.scene(4000, 3000), interlace=True, subsample_mode="on"),
    "PNG": lambda: pictures.png(pictures.scene(4000, 3000), compression=1),
    "16-bit PNG": lambda: pictures.png(pictures.deep(pictures.scene(4000, 3000)), compression=1),
    "interlaced PNG": lambda: pictures.png(pictures.scene(4000, 3000), compression=1, interlace=True),
    "WebP": lambda: pictures.webp(pictures.scene(4000, 3000), effort=0),
    "lossless WebP": lambda: pictures.webp(pictures.scene(4000, 3000), lossless=True, effort=0),
    "GIF": lambda: pictures.gif(pictures.scene(1000, 750), effort=1),
    "AVIF": lambda: pictures.avif(pictures.scene(4000, 3000), effort=0),
    "TIFF": lambda: pictures.tiff(pictures.scene(4000, 3000)),
    "BMP": lambda: pictures.bmp(pictures.scene(4000, 3000)),
}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("kind", LARGE)
def test_memory_is_not_reckoned_too_low(kind: str, tmp_path: Path) -> None:
    original = LARGE[kind]()
    source = inspect(original, Limits())
    # What is loaded at the least: shrunk on load as far as that goes.
    shrink = {"jpeg": 8, "webp": 20}.get(source.format, 1)
    loaded = (source.width // shrink, source.height // shrink)
    assert peak_memory(original, tmp_path) <= decoding_memory(source, loaded, 1)


def test_a_hundred_megapixels_of_baseline_jpeg_pass_with_default_limits() -> None:
    source = inspect(pictures.jpeg(pictures.scene(100, 100).replicate(125, 80), Q=50), Limits())
    assert source.width * source.height == 100_000_000
    assert decoding_memory(source, (source.width, source.height), 1) < Limits().memory
    assert decoding_memory(source, (source.width // 8, source.height // 8), 1) < ROOM


def test_what_a_decoder_holds_grows_with_what_it_unpacks() -> None:
    def held(body: bytes) -> int:
        return inspect(body, Limits()).decoder_memory

    large = pictures.scene(1000, 1000)
    assert held(pictures.jpeg(large)) == held(pictures.png(large)) == 0
    progressive = held(pictures.jpeg(large, interlace=True, subsample_mode="on"))
    assert progressive == 3_000_000
    assert held(pictures.jpeg(large, interlace=True, subsample_mode="off")) == 2 * progressive
    assert held(pictures.png(pictures.deep(large), interlace=True)) == 2 * held(pictures.png(large, interlace=True))
    assert 0 < held(pictures.tiff(large)) < 1_000_000


def test_inspection_brings_no_library_along(tmp_path: Path) -> None:
    names = ("jpeg", "png", "webp", "gif", "avif", "heic", "tiff", "bmp", "ico", "svg")
    for name in names:
        (tmp_path / name).write_bytes(pictures.sample(name).body)
    script = (
        "import pathlib, sys; from imaging import Limits; from imaging.codecs.decode import inspect\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir(): inspect(path.read_bytes(), Limits())\n"
        "assert not {'PIL', 'cffi', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
