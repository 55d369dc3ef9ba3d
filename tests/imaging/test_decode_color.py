"""Colours arrive in sRGB, whatever profile, depth and model a file stores them in."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import pyvips
from bench.icc import PROFILES, srgb_with
from tests import pictures
from tests.similarity import mean_difference

from imaging import Context, Limits, Output
from imaging.codecs.decode import decode, inspect
from imaging.codecs.decode.color import is_srgb, to_srgb

Image = Any
"""A pyvips image; pyvips has no types of its own."""


def pixels(original: bytes) -> Image:
    source = inspect(original, Limits())
    return decode(original, source, Output(), Context()).image.copy_memory()


def largest_difference(one: Image, other: Image) -> float:
    return float((one.cast("float") - other).abs().max())


def patches() -> Image:
    """Nine even patches of colours that sRGB and Display P3 share, 32 pixels each, so that no codec smears them."""
    colours = [[200, 40, 40], [40, 200, 40], [40, 40, 200], [128, 128, 128], [250, 240, 40], [20, 20, 20]]
    colours += [[255, 255, 255], [90, 60, 120], [180, 140, 100]]
    flat = [(pyvips.Image.black(32, 32, bands=3) + colour).cast("uchar") for colour in colours]
    return pyvips.Image.arrayjoin(flat, across=3).copy(interpretation="srgb")


def in_profile(name: str) -> Image:
    """The patches as numbers of another profile."""
    tagged = patches().copy()
    tagged.set_type(pyvips.GValue.blob_type, "icc-profile-data", pictures.profile("srgb"))
    moved = tagged.icc_transform(name, depth=8).copy()
    moved.remove("icc-profile-data")
    return moved


@pytest.mark.parametrize(
    "make", [pictures.png, pictures.webp, pictures.tiff, pictures.avif, pictures.heic, pictures.jpeg]
)
def test_an_embedded_profile_is_applied(make: Any) -> None:
    quality: dict[Any, dict[str, Any]] = {
        pictures.jpeg: {"Q": 100, "subsample_mode": "off"},
        pictures.heic: {"quality": 100},
        pictures.webp: {"lossless": True},
        pictures.avif: {"lossless": True},
    }
    found = pixels(make(in_profile("p3"), icc=pictures.profile("p3"), **quality.get(make, {})))
    middles = [found.getpoint(16 + 32 * across, 16 + 32 * down) for down in range(3) for across in range(3)]
    expected = [patches().getpoint(16 + 32 * across, 16 + 32 * down) for down in range(3) for across in range(3)]
    # What a lossy codec rounds off, a wider gamut's numbers make larger.
    rounded: dict[Any, int] = {pictures.heic: 4, pictures.jpeg: 3}
    allowed = rounded.get(make, 2)
    for got, wanted in zip(middles, expected, strict=True):
        assert got == pytest.approx(wanted, abs=allowed)


def test_a_profile_changes_what_it_should() -> None:
    ignored = pixels(pictures.png(in_profile("p3")))
    assert largest_difference(ignored, patches()) > 15


def test_srgb_in_other_words_is_left_alone() -> None:
    body = pictures.png(pictures.scene(), icc=pictures.profile("srgb"))
    assert inspect(body, Limits()).profile
    assert largest_difference(pixels(body), pictures.scene()) == 0


def test_srgb_is_told_from_other_profiles() -> None:
    from PIL import ImageCms

    assert is_srgb(pictures.profile("srgb"))
    assert is_srgb(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert not is_srgb(pictures.profile("p3"))
    assert not is_srgb(pictures.profile("cmyk"))


def with_curve(curve: bytes) -> bytes:
    """libvips' sRGB profile with other tone curves."""
    profile = pictures.profile("srgb")
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(count)]
    directory, body = struct.pack(">I", count), b""
    start = 132 + 12 * count
    for name, at, size in entries:
        part = curve if name in (b"rTRC", b"gTRC", b"bTRC") else profile[at : at + size]
        directory += struct.pack(">4sII", name, start + len(body), len(part))
        body += part + b"\0" * (-len(part) % 4)
    whole = profile[:128] + directory + body
    return struct.pack(">I", len(whole)) + whole[4:]


def test_tone_curves_count() -> None:
    def table(exponent: float, entries: int = 1024) -> bytes:
        values = [round(65535 * (index / (entries - 1)) ** exponent) for index in range(entries)]
        return struct.pack(f">4s4xI{entries}H", b"curv", entries, *values)

    def tone(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    exact = struct.pack(">4s4xI1024H", b"curv", 1024, *(round(65535 * tone(index / 1023)) for index in range(1024)))
    assert is_srgb(with_curve(exact))
    assert is_srgb(srgb_with(exact))
    assert not is_srgb(with_curve(table(1.8)))
    assert not is_srgb(with_curve(struct.pack(">4s4xIH", b"curv", 1, round(2.2 * 256))))
    assert not is_srgb(with_curve(struct.pack(">4s4xI", b"curv", 0)))
    assert not is_srgb(with_curve(table(2.2, 26)))


def test_short_and_parametric_curves_of_srgb_are_recognised() -> None:
    """Facebook's 26 points, and Google's function of seven parameters."""
    parameters = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0]

    def parametric(kind: int, values: list[float]) -> bytes:
        return struct.pack(f">4s4xHxx{len(values)}i", b"para", kind, *(round(65536 * value) for value in values))

    assert is_srgb(PROFILES["c2"]())
    assert is_srgb(srgb_with(parametric(3, parameters[:5])))
    assert is_srgb(srgb_with(parametric(4, parameters)))
    assert not is_srgb(srgb_with(parametric(4, [*parameters[:5], 0.1, 0.1])))
    assert not is_srgb(srgb_with(parametric(0, [2.2])))
    assert not is_srgb(srgb_with(parametric(3, [-2.4, 0, 0, 0, 0])))
    assert not is_srgb(srgb_with(parametric(3, [30000, 30000, 0, 0, 0])))


@pytest.mark.parametrize("broken", [b"", b"nonsense", pictures.profile("p3")[:200], pictures.profile("cmyk")])
def test_a_profile_that_does_not_fit_is_ignored(broken: bytes) -> None:
    scene = pictures.scene()
    tagged = scene.copy()
    tagged.set_type(pyvips.GValue.blob_type, "icc-profile-data", broken)
    assert largest_difference(to_srgb(tagged), scene) == 0


@pytest.mark.parametrize("icc", [True, False])
def test_cmyk_comes_out_in_its_colours(icc: bool) -> None:
    found = pixels(pictures.cmyk(icc=icc))
    assert found.bands == 3
    assert mean_difference(found, pictures.scene()) < (12 if icc else 3)


def test_inks_without_a_profile_take_their_share_of_the_light() -> None:
    """As in browsers: red is (1 - cyan) (1 - black), and so on."""
    inks = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 128, 255, 0), (10, 20, 30, 100), (0, 0, 0, 255)]
    flat = [(pyvips.Image.black(16, 16, bands=4) + list(each)).cast("uchar") for each in inks]
    body = pictures.jpeg(pyvips.Image.arrayjoin(flat, across=5).copy(interpretation="cmyk"), Q=100)
    for at, (*colours, black) in enumerate(inks):
        expected = [(255 - each) * (255 - black) / 255 for each in colours]
        assert pixels(body).getpoint(16 * at + 8, 8) == pytest.approx(expected, abs=2)


def test_a_tiff_in_cmyk_is_read_as_it_is_printed() -> None:
    tagged = pictures.scene().copy()
    tagged.set_type(pyvips.GValue.blob_type, "icc-profile-data", pictures.profile("srgb"))
    inks = tagged.icc_transform("cmyk", intent="perceptual").copy()
    inks.remove("icc-profile-data")
    assert mean_difference(pixels(pictures.tiff(inks)), pictures.scene()) < 12


def test_sixteen_bits_become_eight() -> None:
    for body in (pictures.png(pictures.deep()), pictures.tiff(pictures.deep())):
        assert largest_difference(pixels(body), pictures.scene()) == 0
    grey = pixels(pictures.png(pictures.grey().colourspace("grey16")))
    assert largest_difference(grey, pictures.grey()) == 0


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param(lambda: pictures.scene().colourspace("scrgb"), pictures.scene, id="linear floats"),
        pytest.param(lambda: (pictures.grey() / 255).cast("float"), pictures.grey, id="grey floats to 1"),
        pytest.param(lambda: pictures.grey().cast("float"), pictures.grey, id="grey floats to 255"),
        pytest.param(lambda: pictures.scene().colourspace("lab"), pictures.scene, id="lab"),
        pytest.param(lambda: pictures.scene().colourspace("labs"), pictures.scene, id="lab in 16 bits"),
    ],
)
def test_tiffs_of_other_numbers(stored: Any, expected: Any) -> None:
    assert largest_difference(pixels(pictures.tiff(stored())), expected()) <= 2


def elevations(values: Image, kind: str) -> bytes:
    return bytes(values.cast(kind).tiffsave_buffer(compression="deflate"))


def ramp(low: float, high: float) -> Image:
    """A ramp of 64 columns."""
    return pyvips.Image.xyz(64, 8)[0] * ((high - low) / 63) + low


@pytest.mark.parametrize("kind", ["short", "int", "float"])
@pytest.mark.parametrize(("low", "high"), [(-40, 380), (-11_000, 8_848), (1_200, 1_260)])
def test_measurements_are_scaled_to_be_seen(kind: str, low: int, high: int) -> None:
    found = pixels(elevations(ramp(low, high), kind))
    assert found.bands == 1
    if kind != "float" or low < 0:
        levels = [found.getpoint(at, 4)[0] for at in range(64)]
        assert levels == pytest.approx([at * 255 / 63 for at in range(64)], abs=255 / (high - low) + 1)
    else:
        assert found.min() > 200


@pytest.mark.parametrize("missing", [-32768, -9999])
@pytest.mark.parametrize("kind", ["short", "float"])
def test_values_for_missing_data_do_not_count(missing: int, kind: str) -> None:
    values = ramp(-100, 400).insert(pyvips.Image.black(1, 1) + missing, 5, 5)
    found = pixels(elevations(values, kind))
    assert found.getpoint(5, 5) == [0]
    assert (found.getpoint(0, 0), found.getpoint(63, 0)) == ([0], [255])


@pytest.mark.parametrize(
    ("strange", "level"), [(float("inf"), 255), (float("-inf"), 0), (float("nan"), 0), (-3.4028234663852886e38, 0)]
)
def test_floats_that_are_no_numbers_do_not_count(strange: float, level: int) -> None:
    for high in (1.0, 255.0, 9_000.0):
        values = ramp(0, high).insert(pyvips.Image.black(1, 1) + strange, 5, 5)
        found = pixels(elevations(values, "float"))
        assert [found.getpoint(at, 0)[0] for at in range(64)] == pytest.approx(
            [at * 255 / 63 for at in range(64)], abs=1
        )
        assert found.getpoint(5, 5)[0] == level


@pytest.mark.parametrize(("strange", "level"), [(float("inf"), 255), (float("-inf"), 0), (float("nan"), 0)])
def test_linear_floats_that_are_no_numbers_stay_where_they_are(strange: float, level: int) -> None:
    values = ramp(0, 1).insert(pyvips.Image.black(1, 1) + strange, 5, 5)
    found = pixels(elevations(values.bandjoin([values, values]).copy(interpretation="scrgb"), "float"))
    assert found.getpoint(5, 5) == [level] * 3
    assert (found.getpoint(0, 0)[0], found.getpoint(63, 0)[0]) == (0, 255)


def with_tag(tiff: bytes, tag: int, text: bytes) -> bytes:
    """The TIFF with one more tag in a copy of its directory, a text."""
    (first,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, first)
    entries = [tiff[at : at + 12] for at in range(first + 2, first + 2 + 12 * count, 12)]
    tiff += b"\0" * (len(tiff) % 2)
    at = len(tiff) + 2 + 12 * (count + 1) + 4
    entries = sorted(
        [*entries, struct.pack("<HHII", tag, 2, len(text), at)], key=lambda each: int.from_bytes(each[:2], "little")
    )
    return (
        tiff[:4]
        + struct.pack("<I", len(tiff))
        + tiff[8:]
        + struct.pack("<H", count + 1)
        + b"".join(entries)
        + bytes(4)
        + text
    )


def test_what_gdal_states_counts() -> None:
    values = ramp(0, 3_000).insert(pyvips.Image.black(1, 1) + 65_000, 5, 5)
    plain = elevations(values, "ushort")
    assert pixels(plain).max() == 65_000 // 256, "16 bits of grey"
    stated = pixels(with_tag(plain, 42113, b"65000\0"))
    assert (stated.getpoint(0, 0), stated.getpoint(63, 0), stated.getpoint(5, 5)) == ([0], [255], [0])
    assert pixels(with_tag(plain, 42112, b"<GDALMetadata/>\0")).getpoint(5, 5) == [255]


def test_levels_of_other_types_are_left_as_they_are() -> None:
    grey = pictures.grey()
    assert largest_difference(pixels(elevations(grey, "uint")), grey) == 0
    assert largest_difference(pixels(elevations(grey.cast("ushort") * 257, "uint")), grey) == 0


def test_bands_beyond_colour_and_alpha_are_left_out() -> None:
    found = pixels(pictures.tiff(pictures.scene().bandjoin([200, 100])))
    assert found.bands == 4
    assert largest_difference(found, pictures.scene().bandjoin(200)) == 0


def test_alpha_survives_a_profile() -> None:
    scene = pictures.scene_with_alpha()
    found = pixels(pictures.png(scene, icc=pictures.profile("p3")))
    assert largest_difference(found[3], scene[3]) == 0
