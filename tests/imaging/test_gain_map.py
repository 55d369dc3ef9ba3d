"""Gain maps of HDR photographs: the light of a result is that of its original with the same edits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pictures
from tests.ultra_hdr import (
    GAIN,
    Light,
    gain_levels,
    light_of,
    luminance,
    parameters_in_xmp,
    reduced,
    second_image,
    ultra_hdr,
)

from features.steps import edits
from imaging import Context, Output, Rendered, check, run
from imaging.codecs.metadata.reader import Malformed
from imaging.codecs.ultra_hdr.container import add_gain_map, read_gain_map
from imaging.codecs.ultra_hdr.parameters import read_binary, read_xmp, write_binary, write_xmp
from imaging.gain_map import GainMapParameters, StoredGainMap

TOLERANCE = 0.02
"""Mean difference of the luminance, as a share of the mean: JPEG at quality 95, and levels of the map."""


def rendered(body: bytes, changes: dict[str, Any], **output: object) -> Rendered:
    options = check(Output, {"hdr": "keep", "quality": 95, **output})
    outcome = run(body, edits(changes), options, Context(accepts=frozenset({"webp", "avif"})))
    assert isinstance(outcome, Rendered)
    return outcome


def difference(one: Light, other: Light) -> float:
    assert one.shape == other.shape
    return float(np.abs(luminance(one) - luminance(other)).mean() / luminance(other).mean())


EDITS: list[tuple[dict[str, Any], Callable[[Light], Light]]] = [
    ({"crop": {"left": 40, "top": 20, "width": 160, "height": 120}}, lambda light: light[20:140, 40:200]),
    ({"crop": {"left": 33, "top": 21, "width": 155, "height": 99}}, lambda light: light[21:120, 33:188]),
    ({"rotate": 90}, lambda light: np.rot90(light, -1)),
    ({"rotate": 180}, lambda light: np.rot90(light, 2)),
    ({"rotate": 270}, lambda light: np.rot90(light, 1)),
    ({"flip": True}, lambda light: light[::-1]),
    ({"flop": True}, lambda light: light[:, ::-1]),
    ({"resize": {"width": 160}}, lambda light: reduced(light, 160, 120)),
    ({"resize": {"width": 97, "height": 120, "fit": "fill"}}, lambda light: reduced(light, 97, 120)),
    (
        {"resize": {"width": 120, "height": 120, "fit": "cover"}},
        lambda light: reduced(light, 160, 120)[:, 20:140],
    ),
    (
        {
            "crop": {"left": 10, "top": 30, "width": 300, "height": 200}, "resize": {"width": 150}, "flop": True,
            "rotate": 90,
        },
        lambda light: np.rot90(reduced(light[30:230, 10:310], 150, 100)[:, ::-1], -1),
    ),
    (
        {"flip": True, "rotate": 270, "extract": {"left": 7, "top": 50, "width": 200, "height": 101}},
        lambda light: np.rot90(light[::-1], 1)[50:151, 7:207],
    ),
    (
        {"smartCropping": {"subject": "salient", "width": 320, "height": 240}, "rotate": 90},
        lambda light: np.rot90(light, -1),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "applied"), EDITS, ids=lambda each: "+".join(each) if isinstance(each, dict) else ""
)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_light_of_a_result_is_that_of_its_original(
    changes: dict[str, Any], applied: Callable[[Light], Light], channels: int
) -> None:
    body = ultra_hdr(gain_map=gain_levels(80, 60, channels=channels))
    outcome = rendered(body, changes)
    assert outcome.gain_map == "kept"
    expected = applied(light_of(body))
    assert difference(light_of(outcome.body), expected) < TOLERANCE


def test_a_map_that_stays_as_it_is_would_be_noticed() -> None:
    body = ultra_hdr()
    for changes, applied in EDITS[:6]:
        wrong = StoredGainMap(
            second_image(body), GainMapParameters((0.0,), (GAIN,), (1.0,), (1 / 64,), (1 / 64,), 0.0, GAIN)
        )
        base = rendered(body, changes, hdr="sdr").body
        assert difference(light_of(add_gain_map(base, wrong)), applied(light_of(body))) > 5 * TOLERANCE


@settings(max_examples=40, deadline=None)
@given(
    left=st.integers(0, 200), top=st.integers(0, 150), width=st.integers(24, 120), height=st.integers(24, 90),
    turns=st.sampled_from([0, 90, 180, 270]), flip=st.booleans(), flop=st.booleans(),
)  # fmt: skip
def test_chains_of_edits_move_the_map_with_the_pixels(
    left: int, top: int, width: int, height: int, turns: int, flip: bool, flop: bool
) -> None:
    body = _BODY
    changes = {
        "crop": {"left": left, "top": top, "width": width, "height": height},
        "flip": flip,
        "flop": flop,
        "rotate": turns,
    }
    expected = light_of(body)[top : top + height, left : left + width]
    expected = expected[:: -1 if flip else 1, :: -1 if flop else 1]
    expected = np.rot90(expected, -turns // 90)
    assert difference(light_of(rendered(body, changes).body), expected) < 2 * TOLERANCE


_BODY = ultra_hdr()


def test_a_border_is_as_bright_as_on_an_ordinary_screen() -> None:
    body = ultra_hdr()
    changes = {"crop": {"left": 40, "top": 40, "width": 200, "height": 160}, "extend": {"all": 40, "background": "fff"}}
    light = light_of(rendered(body, changes).body)
    assert light.shape[:2] == (240, 280)
    assert np.abs(light[:34] - 1).max() < 0.05
    assert np.abs(light[:, 246:] - 1).max() < 0.05
    assert difference(light[44:196, 44:236], light_of(body)[44:196, 44:236]) < TOLERANCE
    contained = light_of(
        rendered(body, {"resize": {"width": 200, "height": 200, "fit": "contain", "background": "fff"}}).body
    )
    assert np.abs(contained[:20] - 1).max() < 0.05
    assert difference(contained[29:171, 4:196], reduced(light_of(body), 200, 150)[4:146, 4:196]) < 2 * TOLERANCE


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_counts_for_both_images(orientation: int) -> None:
    upright, body = light_of(ultra_hdr()), ultra_hdr(orientation=orientation)
    assert difference(light_of(rendered(body, {"resize": {"width": 160}}).body), reduced(upright, 160, 120)) < TOLERANCE
    assert difference(light_of(rendered(body, {}).body), upright) < TOLERANCE


def test_an_original_without_edits_keeps_both_images_as_they_are() -> None:
    body = ultra_hdr()
    outcome = rendered(body, {}, quality=None)
    assert difference(light_of(outcome.body), light_of(body)) < 1e-6
    scans = [whole[whole.rindex(b"\xff\xda") :] for whole in (second_image(body), second_image(outcome.body))]
    assert scans[0] == scans[1]


def test_both_ways_to_write_the_parameters_agree() -> None:
    for channels in (1, 3):
        body = rendered(ultra_hdr(gain_map=gain_levels(80, 60, channels=channels)), {"flop": True}).body
        found = parameters_in_xmp(body)
        assert found["GainMapMax"] == [pytest.approx(GAIN)] * len(found["GainMapMax"])
        assert found["GainMapMin"] == [0.0] * len(found["GainMapMin"])
        assert found["OffsetSDR"] == pytest.approx([1 / 64] * len(found["OffsetSDR"]))
        assert (found["HDRCapacityMin"], found["HDRCapacityMax"]) == ([0.0], [GAIN])
        assert b'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="%d"' % len(second_image(body)) in body


def test_without_the_option_the_map_is_removed() -> None:
    for changes in ({}, {"resize": {"width": 100}}):
        outcome = rendered(ultra_hdr(), changes, hdr="sdr")
        assert outcome.gain_map == ""
        assert b"MPF\0" not in outcome.body
        assert outcome.body.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize(
    ("changes", "output", "reason"),
    [
        ({"grayscale": True}, {}, "dropped by grayscale"),
        ({"redact": {"areas": "0,0,50,50"}}, {}, "dropped by redact"),
        ({"rotate": 12}, {}, "dropped by rotate"),
        ({"resize": {"width": 50}, "blur": 3}, {}, "dropped by blur"),
        ({"extend": {"all": 9, "mode": "mirror"}}, {}, "dropped by extend"),
        ({"resize": {"width": 50}}, {"format": "webp"}, "dropped by the format webp"),
        ({"resize": {"width": 50}}, {"format": "auto"}, "kept"),
        ({"resize": {"width": 50}, "sharpen": True}, {}, "kept"),
        ({"trim": True}, {"maxBytes": 20_000}, "kept"),
        ({}, {"progressive": True}, "kept"),
    ],
)  # fmt: skip
def test_what_becomes_of_the_map_is_told(changes: dict[str, Any], output: dict[str, object], reason: str) -> None:
    outcome = rendered(ultra_hdr(), changes, **output)
    assert outcome.gain_map == reason
    assert (b"MPF\0" in outcome.body) == (reason == "kept")
    assert outcome.media_type == ("image/webp" if output.get("format") == "webp" else "image/jpeg")
    if "maxBytes" in output:
        assert len(outcome.body) <= 20_000


def test_an_original_without_a_map_is_not_changed_by_the_option() -> None:
    for body in (pictures.jpeg(), pictures.sample("png").body):
        plain = run(
            body, edits({"resize": {"width": 50}}), Output(format="auto"), Context(accepts=frozenset({"webp", "avif"}))
        )
        kept = rendered(body, {"resize": {"width": 50}}, quality=None, format="auto")
        assert isinstance(plain, Rendered)
        assert (kept.gain_map, kept.media_type, kept.body) == ("", plain.media_type, plain.body)


def test_neither_image_leaks_metadata() -> None:
    # The second image has a position of its own, in EXIF and in XMP.
    parameters = GainMapParameters((0.0,), (GAIN,), (1.0,), (0.0,), (0.0,), 0.0, GAIN)
    body = add_gain_map(
        pictures.jpeg(pictures.scene(320, 240)), StoredGainMap(pictures.jpeg(gain_levels(80, 60)), parameters)
    )
    assert any(mark in second_image(body) for mark in pictures.GPS_MARKS)
    for changes in ({}, {"resize": {"width": 100}}, {"rotate": 90}):
        for metadata in ("strip", "keep", "copyright"):
            outcome = rendered(body, changes, metadata=metadata)
            assert outcome.gain_map == "kept"
            assert not [mark for mark in pictures.GPS_MARKS if mark in outcome.body]
            second = second_image(outcome.body)
            assert b"Exif" not in second
            assert second.count(b"http://ns.adobe.com/xap/1.0/") == 1
            assert (pictures.ARTIST in outcome.body) == (metadata != "strip")


def test_a_wide_gamut_keeps_its_profile_where_the_map_needs_it() -> None:
    icc = pictures.profile("p3")
    wide = pictures.scene(320, 240)
    for channels in (1, 3):
        body = ultra_hdr(wide, gain_levels(80, 60, channels=channels), icc=icc)
        outcome = rendered(body, {"resize": {"width": 160}})
        base = pyvips.Image.new_from_buffer(outcome.body, "")
        assert base.get_typeof("icc-profile-data")
        assert difference(light_of(outcome.body), reduced(light_of(body), 160, 120)) < TOLERANCE
    # A step that needs sRGB converts the base image: what a map of three channels says of it is then no longer true.
    assert b"MPF\0" in rendered(ultra_hdr(wide, gain_levels(80, 60), icc=icc), {"sharpen": True}).body
    assert b"MPF\0" not in rendered(ultra_hdr(wide, gain_levels(80, 60, channels=3), icc=icc), {"sharpen": True}).body


def test_adobes_parameters_are_read_where_there_are_no_others() -> None:
    body = rendered(ultra_hdr(), {"flop": True}).body
    without = body.replace(b"urn:iso:std:iso:ts:21496:-1", b"urn:iso:std:iso:ts:00000:-1")
    found, expected = read_gain_map(without), read_gain_map(body)
    assert found is not None
    assert expected is not None
    assert found.parameters.gain_max == pytest.approx(expected.parameters.gain_max)
    assert found.body == expected.body


PARAMETERS = GainMapParameters(
    (-0.5, 0.0, 0.25), (2.0, 3.0, 4.0), (1.0, 1.5, 2.0), (0.0,) * 3, (0.015625,) * 3, 0.0, 4.0
)


def test_parameters_are_written_and_read_again() -> None:
    assert read_binary(write_binary(PARAMETERS)) == PARAMETERS
    assert read_xmp(write_xmp(PARAMETERS)) == PARAMETERS


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120))
def test_damaged_parameters_are_refused(payload: bytes) -> None:
    for read, body in (
        (read_binary, payload),
        (read_xmp, b'hdrgm:GainMapMax="' + payload + b'" hdrgm:HDRCapacityMax="1"'),
    ):
        with suppress(Malformed):
            assert isinstance(read(body), GainMapParameters)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_is_answered_with_or_without_its_map(data: st.DataObject) -> None:
    body = bytearray(_BODY)
    first = _BODY.index(b"MPF\0")
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(first, first + 85) | st.integers(len(body) - 2500, len(body) - 1))
        body[place] = data.draw(st.integers(0, 255))
    outcome = rendered(bytes(body), {"resize": {"width": 40}})
    assert outcome.gain_map in ("", "kept", "damaged")
