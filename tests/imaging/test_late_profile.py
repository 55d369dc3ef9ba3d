"""An ICC profile is applied after the steps that leave fewer pixels, and before each step that needs sRGB."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import pyvips
from bench.costs import CASES
from bench.icc import PROFILES, srgb_with, stored_in
from msgspec.structs import replace
from tests import pictures
from tests.similarity import mean_difference

from features import CATALOGUE, edits
from imaging import Context, Job, Limits, ObjectRef, Output, Rendered, Report, Step, run, run_each
from imaging.codecs.decode import color, decode, inspect, lcms
from imaging.picture import Picture
from imaging.pipeline import apply as engine

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "photos"
COLOURS = [[200, 40, 40], [40, 200, 40], [40, 40, 200], [128, 128, 128]]
BEFORE_CONVERSION = {"crop", "extract", "flip", "flop", "resize", "rotate"}

Image = Any
"""A pyvips image; pyvips has no types of its own."""


def photograph(subject: str, profile: str = "p3") -> bytes:
    """A photograph of 1600 pixels, in Display P3 as a phone stores it, or in another profile."""
    image: Image = pyvips.Image.thumbnail(str(SAMPLES / f"{subject}.jpg"), 1600, output_profile="srgb")
    return bytes(stored_in(image.extract_band(0, n=3), profile).jpegsave_buffer(Q=92, keep="icc"))


def converting(*args: Any, **options: Any) -> Picture:
    """Decode, and convert to sRGB at once."""
    return decode(*args, **{**options, "keeps_profile": False})


def rendered(original: bytes, said: dict[str, Any]) -> Image:
    outcome = run(original, edits(said), Output(format="png"), Context())
    assert isinstance(outcome, Rendered)
    return pyvips.Image.new_from_buffer(outcome.body, "").copy_memory()


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of the images whose profile is applied."""
    sizes: list[tuple[int, int]] = []
    apply, apply_kept = color._by_profile, lcms.Conversion.apply

    def count(image: Image) -> Image:
        sizes.append((image.width, image.height))
        return apply(image)

    def count_kept(conversion: Any, image: Image) -> Image:
        sizes.append((image.width, image.height))
        return apply_kept(conversion, image)

    monkeypatch.setattr(color, "_by_profile", count)
    monkeypatch.setattr(lcms.Conversion, "apply", count_kept)
    return sizes


CHAINS: list[dict[str, Any]] = [
    {"resize": {"width": 400}},
    {"resize": {"width": 300, "height": 300}},
    {"resize": {"width": 300, "height": 300, "position": "attention"}},
    {"resize": {"width": 300, "height": 300, "fit": "contain", "background": "#3366cc"}},
    {"crop": {"left": 200, "top": 100, "width": 800, "height": 800}, "resize": {"width": 300}},
    {"flip": True, "flop": True, "rotate": 90, "resize": {"width": 300}},
    {"resize": {"width": 300}, "grayscale": True},
    {"resize": {"width": 300}, "blur": 2},
]


@pytest.mark.parametrize(
    ("subject", "profile", "mean", "share"),
    [("coffee", "p3", 0.3, 1e-4), ("cat", "p3", 0.3, 1e-4), ("coffee", "adobe-rgb", 0.4, 3e-4)],
)
@pytest.mark.parametrize("said", CHAINS, ids="-".join)
def test_photographs_look_as_if_converted_first(
    said: dict[str, Any], subject: str, profile: str, mean: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = photograph(subject, profile)
    late = rendered(original, said)
    monkeypatch.setattr(engine, "decode", converting)
    expected = rendered(original, said)
    assert late.get_typeof("icc-profile-data") == 0
    assert (late.width, late.height, late.bands) == (expected.width, expected.height, expected.bands)
    assert mean_difference(late, expected) <= mean
    differences = (late.cast("int") - expected).abs()
    # At edges between saturated colours, what the kernel overshoots is cut off in another color space.
    assert (differences > 4).cast("uchar").avg() / 255 < share
    assert differences.max() <= 10


def test_a_reduced_picture_is_converted_in_its_final_size(converted: list[tuple[int, int]]) -> None:
    original = photograph("coffee")
    rendered(original, {"resize": {"width": 80, "height": 60}})
    assert converted == [(80, 60)]


@pytest.mark.parametrize("profile", ["p3", "adobe-rgb"])
@pytest.mark.parametrize("size", [(1, 1), (255, 3), (257, 1), (1000, 1000), (1001, 1000)])
@pytest.mark.parametrize("library", ["Pillow's", "libvips'"])
def test_a_kept_conversion_gives_the_pixels_of_libvips(
    library: str, size: tuple[int, int], profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    color._conversion.cache_clear()
    if library == "libvips'":
        monkeypatch.setattr(lcms, "_lcms", lambda: None)
    image = stored_in(pictures.scene(*size), profile)
    expected = image.icc_transform("srgb", embedded=True, intent="perceptual", depth=8)
    for _ in range(2):
        assert (color.apply_profile(image) - expected).abs().max() == 0
    assert (color._conversion(image.get("icc-profile-data")) is None) == (library == "libvips'")
    color._conversion.cache_clear()


def test_a_conversion_is_set_up_once_and_serves_threads_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    color._conversion.cache_clear()
    set_up: list[bytes] = []
    opened = lcms.open_conversion

    def count(profile: bytes) -> lcms.Conversion | None:
        set_up.append(profile)
        return opened(profile)

    monkeypatch.setattr(lcms, "open_conversion", count)
    images = [stored_in(pictures.scene(200 + number, 150, turn=40 * number), "p3") for number in range(8)]
    color.apply_profile(images[0])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(color.apply_profile, images * 4))
    assert len(set_up) == 1
    for image, pixels in zip(images * 4, found, strict=True):
        assert (pixels - color._transformed(image)).abs().max() == 0


def test_a_profile_that_lcms_refuses_leaves_the_pixels_as_they_are() -> None:
    image = pictures.scene().copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", b"nonsense")
    found = color.apply_profile(image)
    assert not found.get_typeof("icc-profile-data")
    assert (found - image).abs().max() == 0


def test_a_search_for_what_stands_out_is_made_in_srgb(converted: list[tuple[int, int]]) -> None:
    rendered(photograph("coffee"), {"resize": {"width": 80, "height": 80, "position": "attention"}})
    ((width, height),) = converted
    assert width > 80
    assert height > 80


@pytest.mark.parametrize(
    "said",
    [
        {"resize": {"width": 2000}},
        {"blur": 2, "resize": {"width": 1400}},
        {"redact": {"areas": [[0, 0, 40, 40]]}, "resize": {"width": 1400}},
    ],
    ids=["an enlargement", "a blur", "a redaction"],
)
def test_other_pictures_are_converted_first(said: dict[str, Any], converted: list[tuple[int, int]]) -> None:
    original = photograph("coffee")
    source = inspect(original, Limits())
    run(original, edits(said), Output(), Context())
    ((width, _),) = converted
    assert width >= source.width // 2


def test_several_results_share_the_conversion_unless_all_of_them_reduce(converted: list[tuple[int, int]]) -> None:
    original = photograph("coffee")
    source = inspect(original, Limits())
    widths = [Job(edits({"resize": {"width": width}}), Output(format="webp"), Context()) for width in (50, 80)]
    assert all(isinstance(outcome, Rendered) for _, outcome in run_each(original, widths))
    assert [width for width, _ in converted] == [50, 80]
    converted.clear()
    blurred = Job(edits({"blur": 3}), Output(format="webp"), Context())
    assert all(isinstance(outcome, Rendered) for _, outcome in run_each(original, [*widths, blurred]))
    assert converted == [(source.width, source.height)]


def test_only_steps_that_move_or_reduce_pixels_come_before_the_conversion() -> None:
    assert {feature.name for feature in CATALOGUE if feature.any_color_space} == BEFORE_CONVERSION


SRGB_CASES = [
    pytest.param(step, id=f"{name}-{number}")
    for name, cases in CASES.items()
    for number, said in enumerate(cases)
    for step in edits({name: said})
    if step.feature.name == name and not step.is_noop and step.needs_srgb
]


@pytest.mark.parametrize("step", SRGB_CASES)
def test_each_step_that_needs_srgb_gets_it_after_a_resize(step: Step) -> None:
    seen: list[Picture] = []

    def look(picture: Picture, _params: Any, _context: Context) -> Report:
        seen.append(picture)
        return Report({})

    looking = Step(replace(step.feature, apply=look), step.params)
    context = Context(objects={ObjectRef("", "logo.png"): pictures.png()})
    outcome = run(in_p3(), [*edits({"resize": {"width": 64}}), looking], Output(), context)
    assert isinstance(outcome, Report)
    (picture,) = seen
    assert not picture.image.get_typeof("icc-profile-data")
    for number, colour in enumerate(COLOURS):
        place = (1 + 2 * (number % 2)) * picture.width // 4, (1 + 2 * (number // 2)) * picture.height // 4
        assert picture.image.getpoint(*place) == pytest.approx(colour, abs=2)


def in_p3() -> bytes:
    """Four patches, 64 pixels each, as a PNG in Display P3."""
    flat = [(pyvips.Image.black(64, 64, bands=3) + colour).cast("uchar") for colour in COLOURS]
    patches: Image = pyvips.Image.arrayjoin(flat, across=2).copy(interpretation="srgb")
    return bytes(patches.icc_transform("p3", input_profile="srgb", depth=8).pngsave_buffer(keep="icc"))


def test_every_feature_is_among_the_cases() -> None:
    assert set(CASES) == {feature.name for feature in CATALOGUE}


def with_alpha() -> bytes:
    return pictures.png(pictures.scene_with_alpha(), icc=pictures.profile("p3"))


def animated() -> bytes:
    return pictures.webp(pictures.film(), icc=pictures.profile("p3"))


def deep() -> bytes:
    return pictures.png(pictures.deep(), icc=pictures.profile("p3"))


def grey() -> bytes:
    return pictures.png(pictures.grey(), icc=pictures.profile("p3"))


def in_srgb() -> bytes:
    return pictures.png(icc=pictures.profile("srgb"))


def in_cmyk() -> bytes:
    return pictures.cmyk(icc=True)


def in_another_gamma() -> bytes:
    return pictures.jpeg(icc=srgb_with(struct.pack(">4s4xIH", b"curv", 1, round(1.8 * 256))))


def in_c2() -> bytes:
    return pictures.png(icc=PROFILES["c2"]())


@pytest.mark.parametrize("make", [with_alpha, animated, deep, grey, in_srgb, in_c2, in_cmyk, in_another_gamma])
def test_pictures_that_are_converted_while_they_are_decoded(make: Any) -> None:
    original = make()
    picture = decode(original, inspect(original, Limits()), Output(format="webp"), Context(), keeps_profile=True)
    assert not picture.image.get_typeof("icc-profile-data")


def test_an_upright_photograph_keeps_its_profile_until_it_is_reduced() -> None:
    scene = pictures.scene().icc_transform("p3", input_profile="srgb", depth=8)
    original = pictures.jpeg(scene, orientation=6, icc=pictures.profile("p3"), Q=100)
    picture = decode(original, inspect(original, Limits()), Output(), Context(), keeps_profile=True)
    assert picture.image.get_typeof("icc-profile-data")
    assert mean_difference(rendered(original, {"resize": {"width": 80}}), pictures.scene().resize(0.5)) < 1.5


def test_the_conversion_of_a_large_profile_is_not_kept() -> None:
    color._conversion.cache_clear()
    profile = bytearray(pictures.profile("p3") + bytes(color._KEPT_PROFILE))
    profile[:4] = len(profile).to_bytes(4, "big")
    plain, large = (pictures.jpeg(icc=each) for each in (pictures.profile("p3"), bytes(profile)))
    expected = rendered(plain, {"resize": {"width": 40}})
    assert color._conversion.cache_info().currsize == 1
    assert (rendered(large, {"resize": {"width": 40}}) - expected).abs().max() == 0
    assert color._conversion.cache_info().currsize == 1
