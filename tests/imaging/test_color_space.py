"""Colors that a file states by numbers come out in sRGB as browsers show them."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import pytest
import pyvips
from tests import odd_files, pictures
from tests.odd_files import chrm, cicp, clli, gama, iccp, mdcv, patches, ramp, with_nclx

from imaging import Context, Limits, Output
from imaging.codecs.decode import color_space, decode, inspect
from imaging.codecs.decode.color import to_srgb
from imaging.codecs.decode.heif_color import read_color_space
from imaging.formats import format_by_name

Image = Any
"""A pyvips image; pyvips has no types of its own."""


def pixels(original: bytes) -> Image:
    return decode(original, inspect(original, Limits()), Output(), Context()).image.copy_memory()


def row(original: bytes) -> list[tuple[int, ...]]:
    image = pixels(original)
    return [tuple(int(each) for each in image.getpoint(at, 0)) for at in range(image.width)]


def encode(light: float) -> float:
    """sRGB (IEC 61966-2-1), 0 to 255."""
    light = min(max(light, 0.0), 1.0)
    return 255 * (light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


def linear(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a1-gama1.png", (128, 128, 128)),
        ("s-gama-18.png", (77, 210, 77)),
        ("a3-cicp-p3.png", (215, 93, 31)),
        ("a4-nclx-p3.avif", (215, 93, 31)),
        ("s-linear.avif", (128, 128, 128)),
    ],
)
def test_files_that_browsers_show_in_other_colors(name: str, expected: tuple[int, ...]) -> None:
    image = pixels((odd_files.FOLDER / name).read_bytes())
    assert image.getpoint(30, 30) == pytest.approx(expected, abs=1)


CURVES: dict[int, Callable[[float], float]] = {
    4: lambda level: level**2.2,
    5: lambda level: level**2.8,
    7: lambda level: level / 4 if level < 0.0912 else ((level + 0.1115) / 1.1115) ** (1 / 0.45),
    8: lambda level: level,
    13: linear,
    17: lambda level: level**2.6 * 52.37 / 48,
}


@pytest.mark.parametrize("transfer", CURVES)
@pytest.mark.parametrize("kind", ["8", "16", "grey", "grey 16"])
def test_transfer_functions(transfer: int, kind: str) -> None:
    found = row(ramp(cicp(1, transfer), grey="grey" in kind, deep="16" in kind))
    assert len(found[0]) == (1 if "grey" in kind else 3)
    for level in range(256):
        assert found[level][0] == pytest.approx(encode(CURVES[transfer](level / 255)), abs=1), level


@pytest.mark.parametrize("transfer", [1, 6, 14, 15])
def test_the_curve_of_video_is_that_of_the_format(transfer: int) -> None:
    """Browsers show BT.709's curve as BT.1886 in a PNG, and as sRGB's in an AVIF."""
    found = row(ramp(cicp(1, transfer)))
    assert [each[0] for each in found] == pytest.approx([encode((n / 255) ** 2.4) for n in range(256)], abs=1)
    avif = pictures.avif(lossless=True)
    assert (pixels(with_nclx(avif, 1, transfer)) - pixels(with_nclx(avif, 1, 13))).abs().max() == 0


@pytest.mark.parametrize(
    ("primaries", "expected"),
    [
        (4, [(232, 93, 30), (0, 197, 93), (101, 74, 206)]),
        (5, [(203, 100, 51), (21, 200, 102), (102, 50, 199)]),
        (6, [(196, 102, 49), (69, 197, 99), (100, 58, 200)]),
        (9, [(241, 76, 29), (0, 211, 82), (108, 33, 209)]),
        (11, [(211, 93, 32), (0, 204, 86), (105, 45, 208)]),
        (12, [(215, 93, 31), (0, 204, 86), (108, 47, 208)]),
        (22, [(202, 102, 49), (36, 196, 100), (101, 64, 200)]),
        (0, [(200, 100, 50), (50, 200, 100), (100, 50, 200)]),
        (2, [(200, 100, 50), (50, 200, 100), (100, 50, 200)]),
        (200, [(200, 100, 50), (50, 200, 100), (100, 50, 200)]),
    ],
)
def test_primaries(primaries: int, expected: list[tuple[int, ...]]) -> None:
    """The expected values are Chromium's."""
    for got, right in zip(row(patches(cicp(primaries, 13))), expected, strict=False):
        assert got == pytest.approx(right, abs=1)


def test_white_and_grey_stay_neutral_between_all_primaries() -> None:
    for primaries in color_space._PRIMARIES:
        for grey in row(patches(cicp(primaries, 13), [(255, 255, 255), (128, 128, 128), (3, 3, 3)])):
            assert max(grey) - min(grey) <= 1, primaries


PLAIN = list(odd_files.COLOURS)
IN_P3 = [(215, 93, 31), (0, 204, 86), (108, 47, 208)]
BRIGHT = [(229, 168, 122), (122, 229, 168), (168, 122, 229)]
BY_P3 = gama(45455) + chrm(odd_files.P3)
SRGB_CHUNK = odd_files.chunk(b"sRGB", b"\0")
P3_PROFILE = iccp(pictures.profile("p3"))


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (cicp(12, 13) + P3_PROFILE + gama(100_000), IN_P3),
        (cicp(1, 13) + P3_PROFILE, PLAIN),
        (cicp(12, 13) + SRGB_CHUNK, IN_P3),
        (P3_PROFILE + gama(100_000), IN_P3),
        (SRGB_CHUNK + gama(100_000), PLAIN),
        (gama(100_000) + SRGB_CHUNK, PLAIN),
        (SRGB_CHUNK + BY_P3, PLAIN),
        (gama(100_000), BRIGHT),
        (gama(100_000) + chrm(odd_files.SRGB), BRIGHT),
        (BY_P3, [(216, 93, 24), (0, 205, 86), (108, 42, 209)]),
        # What says nothing, or what no decoder can use.
        (chrm(odd_files.P3), PLAIN),
        (gama(45_455), PLAIN),
        (gama(43_500), PLAIN),
        (gama(0), PLAIN),
        (gama(100_000) + chrm([0] * 8), PLAIN),
        (gama(100_000) + chrm([0.3127, 0.329, 0.64, 0.33, 0.64, 0.33, 0.15, 0.06]), PLAIN),
        (cicp(12, 13, matrix=1), PLAIN),
        (cicp(12, 13, full=0), PLAIN),
        (odd_files.chunk(b"cICP", b"\x0c\x0d"), PLAIN),
        (cicp(200, 200), PLAIN),
    ],
)
def test_the_order_of_png_chunks(chunks: bytes, expected: list[tuple[int, ...]]) -> None:
    """The expected values are Chromium's."""
    for got, right in zip(row(patches(chunks)), expected, strict=False):
        assert got == pytest.approx(right, abs=1)


def test_chunks_after_the_pixels_do_not_count() -> None:
    end = odd_files.chunk(b"IEND", b"")
    assert row(patches(b"").replace(end, cicp(12, 13) + end)) == PLAIN


def test_alpha_and_palettes_are_kept() -> None:
    rows = [bytes((200, 100, 50, 255, 200, 100, 50, 40))]
    found = row(odd_files.png(rows, 2, colour=6, chunks=cicp(12, 13)))
    assert found == [pytest.approx((215, 93, 31, 255), abs=1), pytest.approx((215, 93, 31, 40), abs=1)]
    deep = [b"".join(value.to_bytes(2, "big") for value in (51400, 25700, 12850, 20560))]
    assert row(odd_files.png(deep, 1, depth=16, colour=6, chunks=cicp(12, 13))) == [
        pytest.approx((215, 93, 31, 80), abs=1)
    ]
    palette = odd_files.chunk(b"PLTE", bytes((200, 100, 50, 0, 0, 0)))
    assert row(odd_files.png([b"\0\1"], 2, colour=3, chunks=cicp(12, 13) + palette))[0] == pytest.approx(
        (215, 93, 31), abs=1
    )


@pytest.mark.parametrize(
    "body",
    [
        patches(b""),
        patches(SRGB_CHUNK + gama(45_455) + chrm(odd_files.SRGB)),
        patches(gama(45_455)),
        patches(cicp(1, 13)),
        pictures.png(),
        pictures.avif(),
        pictures.jpeg(),
        pictures.webp(),
    ],
)
def test_files_in_srgb_are_not_converted(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("converted")

    monkeypatch.setattr(color_space, "convert", refuse)
    assert pixels(body).bands == 3


def test_an_image_in_srgb_is_returned_as_it_is() -> None:
    scene = pictures.scene()
    for name in ("jpeg", "png", "webp", "avif"):
        assert to_srgb(scene, pictures.sample(name).body, format_by_name(name)) is scene


@pytest.mark.parametrize("transfer", [13, 8])
def test_nclx_of_avif_and_heic(transfer: int) -> None:
    plain = pixels(with_nclx(pictures.avif(pictures.wide(), lossless=True), 1, 13))
    stated = pixels(with_nclx(pictures.avif(pictures.wide(), lossless=True), 12, transfer))
    expected = color_space.convert(plain, color_space.color_space_of(12, transfer, is_video=True, peak=None))
    assert (stated - expected).abs().max() == 0
    if transfer == 13:
        assert (stated - pictures.scene()).abs().avg() < 2


def test_a_profile_counts_before_nclx() -> None:
    avif = with_nclx(pictures.avif(lossless=True), 9, 8)
    assert read_color_space(avif, has_profile=False)
    assert read_color_space(avif, has_profile=True) is None


def test_a_png_in_an_icon_is_converted_as_any_other() -> None:
    image = patches(cicp(12, 13))
    icon = struct.pack("<HHHBBHHHII", 0, 1, 1, 6, 1, 0, 1, 32, len(image), 22) + image
    assert row(icon) == row(image)


def pq(level: float) -> float:
    """SMPTE ST 2084: cd/m²."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    powered = level ** (1 / m2)
    return float(10_000 * (max(powered - c1, 0) / (c2 - c3 * powered)) ** (1 / m1))


def reduced(light: float, peak: float) -> float:
    """The reference white tone mapping of SMPTE ST 2094-50, whose curve is searched for its parameter."""
    if peak <= 203:
        return light
    headroom = math.log2(peak / 203)
    white = 1 - 0.5 * min(headroom / math.log2(1000 / 203), 1)
    if light <= 1:
        return light * white
    if light >= peak / 203:
        return 1.0
    ends = (1.0, white), (0.35 + 0.65 / white, 0.35 * white + 0.65), (peak / 203, 1.0)
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        across = sum(share * end[0] for share, end in zip(shares(middle), ends, strict=True))
        low, high = (middle, high) if across < light else (low, middle)
    return sum(share * end[1] for share, end in zip(shares(low), ends, strict=True))


def shares(at: float) -> tuple[float, float, float]:
    return (1 - at) ** 2, 2 * at * (1 - at), at * at


@pytest.mark.parametrize(
    ("chunks", "peak"),
    [
        (b"", 1000),
        (clli(1000), 1000),
        (clli(4000), 4000),
        (clli(400) + mdcv(1000), 400),
        (mdcv(600), 600),
        (clli(100), 100),
        (clli(0), 1000),
    ],
)
@pytest.mark.parametrize("grey", [True, False])
def test_pq_is_tone_mapped(chunks: bytes, peak: float, grey: bool) -> None:
    found = row(ramp(cicp(9, 16) + chunks, deep=True, grey=grey))
    for level in range(256):
        expected = encode(reduced(pq(level / 255) / 203, peak))
        assert found[level][0] == pytest.approx(expected, abs=1), level


def test_hlg_is_tone_mapped() -> None:
    """The expected values are Chromium's."""
    found = row(ramp(cicp(9, 18), deep=True))
    expected = {15: 2, 45: 26, 75: 52, 105: 79, 135: 106, 150: 122, 165: 142, 180: 166, 195: 194, 210: 214, 240: 243}
    for level, right in expected.items():
        assert found[level][0] == pytest.approx(right, abs=1), level


@pytest.mark.parametrize(
    ("primaries", "transfer", "expected"),
    [
        (9, 16, [(255, 0, 0), (0, 255, 0), (0, 0, 255)]),
        (9, 18, [(230, 48, 17), (0, 208, 60), (75, 20, 180)]),
        (12, 16, [(255, 0, 0), (0, 255, 0), (46, 3, 255)]),
        (1, 16, [(255, 51, 8), (6, 255, 43), (43, 6, 255)]),
    ],
)
def test_hdr_keeps_its_hues(primaries: int, transfer: int, expected: list[tuple[int, ...]]) -> None:
    """The expected values are Chromium's."""
    for got, right in zip(row(patches(cicp(primaries, transfer))), expected, strict=False):
        assert got == pytest.approx(right, abs=1)


def test_samples_of_10_bits_reach_white() -> None:
    white = (pyvips.Image.black(16, 16, bands=3) + 65535).cast("ushort").copy(interpretation="rgb16")
    body = bytes(white.heifsave_buffer(compression="av1", bitdepth=10, lossless=True))
    assert pixels(with_nclx(body, 12, 8)).getpoint(8, 8) == [255, 255, 255]
