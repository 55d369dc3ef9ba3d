"""Animated AVIF and APNG: frames, delays and loops as in GIF and WebP, each read by a decoder of others as well."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from tests import pictures
from tests.similarity import mean_difference

from features.steps import edits
from imaging import Context, Deadline, FeatureError, Limits, Output, Rendered, Report, check, run
from imaging.codecs.animations.apng_chunks import is_animated, read_frames
from imaging.codecs.animations.avif_boxes import read_animation, write_loop
from imaging.codecs.decode.sniff import sniff
from imaging.errors import DamagedSource, InvalidParameter, TooLarge
from imaging.picture import ImageHeader

ANIMATED = ("gif-animated", "webp-animated", "avif-animated", "apng")
WRITTEN = ("avif", "apng", "webp", "gif")
Frame = tuple[bytes, float]
"""The pixels of a frame in red, green, blue and alpha, and its milliseconds."""


def rendered(body: bytes, changes: dict[str, Any] | None = None, limits: Any = None, **output: Any) -> Rendered:
    context = Context(limits=limits or Limits(), accepts=frozenset({"avif", "webp"}))
    outcome = run(body, edits(changes or {}), check(Output, output), context)
    assert isinstance(outcome, Rendered)
    return outcome


def facts(body: bytes) -> dict[str, Any]:
    outcome = run(body, edits({"info": True}), Output(), Context())
    assert isinstance(outcome, Report)
    return dict(outcome.content)


def frames_by_pillow(body: bytes) -> list[Frame]:
    file, frames = Pillow.open(io.BytesIO(body)), []
    for number in range(getattr(file, "n_frames", 1)):
        file.seek(number)
        pixels = file.convert("RGBA").tobytes()
        frames.append((pixels, file.info.get("duration", 0)))
    return frames


def difference(one: bytes, other: bytes) -> float:
    assert len(one) == len(other)
    images = [pyvips.Image.new_from_memory(each, len(each) // 4, 1, 4, "uchar").premultiply() for each in (one, other)]
    return float((images[0] - images[1]).abs().avg())


def film_with_alpha() -> Any:
    """Three frames of which parts are clear, and fade."""
    film = pictures.film()
    alpha = (pyvips.Image.xyz(film.width, film.height)[0] * 2).cast("uchar")
    return film.bandjoin(alpha).copy()


@pytest.mark.parametrize("target", WRITTEN)
@pytest.mark.parametrize("name", ANIMATED)
def test_every_animation_becomes_any_other(name: str, target: str) -> None:
    body = pictures.sample(name).body
    outcome = rendered(body, {"resize": {"width": 80}}, format=target)
    assert (outcome.frames, outcome.width, outcome.height) == (3, 80, 60)
    frames = frames_by_pillow(outcome.body)
    assert [delay for _, delay in frames] == list(pictures.DELAYS)
    for (pixels, _), (expected, _) in zip(frames, frames_by_pillow(body), strict=True):
        small = Pillow.frombytes("RGBA", (160, 120), expected).resize((80, 60), Pillow.Resampling.BOX).tobytes()
        assert difference(pixels, small) < 9
    known = run(outcome.body, [], Output(format="apng", loop=None), Context())
    assert isinstance(known, Rendered)
    assert (known.source.delays, known.source.loop) == (pictures.DELAYS, 2)


@pytest.mark.parametrize("target", ["avif", "apng"])
def test_transparency_and_requested_loop_and_delays_are_kept(target: str) -> None:
    body = pictures.webp(film_with_alpha(), lossless=True)
    outcome = rendered(body, {}, format=target, loop=7, delay="40,1000")
    frames = frames_by_pillow(outcome.body)
    assert [delay for _, delay in frames] == [40, 1000, 1000]
    for (pixels, _), (expected, _) in zip(frames, frames_by_pillow(body), strict=True):
        assert difference(pixels, expected) < (4 if target == "avif" else 0.5)
    header = rendered(outcome.body, {"flip": True}).source
    assert (header.loop, header.delays, header.alpha) == (7, (40, 1000, 1000), True)


@pytest.mark.parametrize("name", ["avif-animated", "apng"])
def test_a_still_and_single_frames_are_selected(name: str) -> None:
    body = pictures.sample(name).body
    frames = frames_by_pillow(body)
    for output, number in (
        ({"animated": False}, 0),
        ({"page": 0}, 0),
        ({"page": 1}, 1),
        ({"page": 2}, 2),
        ({}, 0),
        ({"format": "jpeg"}, 0),
    ):
        outcome = rendered(body, {}, **{"format": "png", **output})
        assert outcome.frames == 1
        assert difference(frames_by_pillow(outcome.body)[0][0], frames[number][0]) < 6
    with pytest.raises(InvalidParameter, match=r"^`page` must be 0 to 2, got 3$"):
        rendered(body, {"flip": True}, page=3)


@pytest.mark.parametrize("name", ["avif-animated", "apng"])
def test_an_unedited_animation_is_not_encoded_anew(name: str) -> None:
    body = pictures.sample(name).body
    assert frames_by_pillow(rendered(body).body) == frames_by_pillow(body)


def test_a_secret_between_the_samples_of_an_avif_is_removed() -> None:
    body = (
        pictures.animated_avif()
        + struct.pack(">I4s6s", 14, b"mdat", b"secret")
        + struct.pack(">I4s4s", 12, b"udta", b"hide")
    )
    answer = rendered(body).body
    assert b"secret" not in answer
    assert b"hide" not in answer
    assert frames_by_pillow(answer) == frames_by_pillow(pictures.animated_avif())


@pytest.mark.parametrize("name", ["avif-animated", "apng"])
def test_features_apply_to_every_frame(name: str) -> None:
    body = pictures.sample(name).body
    turned = rendered(body, {"rotate": 90, "crop": {"left": 8, "top": 8, "width": 100, "height": 80}, "negate": True})
    assert (turned.frames, turned.width, turned.height) == (3, 80, 100)
    for (pixels, _), (original, _) in zip(frames_by_pillow(turned.body), frames_by_pillow(body), strict=True):
        expected = (
            Pillow.frombytes("RGBA", (160, 120), original).crop((8, 8, 108, 88)).transpose(Pillow.Transpose.ROTATE_270)
        )
        red, green, blue, alpha = expected.split()
        negative = Pillow.merge(
            "RGBA", [*(band.point(lambda level: 255 - level) for band in (red, green, blue)), alpha]
        )
        assert difference(pixels, negative.tobytes()) < 8


@pytest.mark.parametrize("name", ["avif-animated", "apng"])
def test_limits_count_all_frames(name: str) -> None:
    body = pictures.sample(name).body
    with pytest.raises(TooLarge, match="at most 2 frames, got 3"):
        rendered(body, {"flip": True}, Limits(frames=2))
    with pytest.raises(TooLarge, match="at most 50000 pixels together"):
        rendered(body, {"flip": True}, Limits(animation_pixels=50_000))
    assert rendered(body, {"flip": True}, Limits(frames=2), animated=False).frames == 1
    with pytest.raises(TooLarge):
        rendered(body, {"flip": True}, Limits(result_pixels=50_000, result_pixels_of={}))


def test_info_counts_frames() -> None:
    assert {name: facts(pictures.sample(name).body)["frames"] for name in ANIMATED} == dict.fromkeys(ANIMATED, 3)
    assert facts(pictures.sample("apng").body)["mediaType"] == "image/apng"


def test_negotiation_chooses_animated_avif_up_to_a_size() -> None:
    body = pictures.sample("gif-animated").body
    assert rendered(body, {"resize": {"width": 100}}, format="auto").media_type == "image/avif"
    webp_only = run(body, edits({"flip": True}), Output(format="auto"), Context(accepts=frozenset({"webp"})))
    assert isinstance(webp_only, Rendered)
    assert (webp_only.media_type, webp_only.frames) == ("image/webp", 3)
    # An animation that every browser shows stays what it is.
    apng = run(pictures.sample("apng").body, edits({"flip": True}), Output(format="auto"), Context())
    assert isinstance(apng, Rendered)
    assert (apng.media_type, apng.frames) == ("image/apng", 3)
    limits = Limits(auto_pixels_of={"avif": 160 * 120 - 1})
    assert rendered(body, {"flip": True}, limits, format="auto").media_type == "image/webp"


def test_an_animated_avif_cannot_be_lossless() -> None:
    with pytest.raises(InvalidParameter, match=r"^`lossless` must be left out or false for an animated avif"):
        rendered(pictures.sample("gif-animated").body, {"flip": True}, format="avif", lossless=True)


def test_a_png_stays_a_png() -> None:
    assert sniff(pictures.sample("png").body) == "png"
    assert rendered(pictures.sample("gif-animated").body, {}, format="png").frames == 1
    # The name of the chunk in a text, and an animation of one frame.
    assert sniff(_with_chunk(pictures.png(), b"tEXt", b"acTL\0 in a text")) == "png"
    single = _with_chunk(pictures.png(), b"acTL", struct.pack(">II", 1, 0))
    assert not is_animated(single)
    assert sniff(single) == "png"


def _with_chunk(png: bytes, kind: bytes, payload: bytes) -> bytes:
    from imaging.codecs.png_chunks import chunk

    return png[:33] + chunk(kind, payload) + png[33:]


Part = tuple[Any, tuple[int, int], int, int]
"""A picture, its corner, its disposal and its blending."""


def apng_of(parts: list[Part]) -> bytes:
    """An APNG of parts with colours and alpha."""
    from imaging.codecs.png_chunks import chunk

    files = [[*_chunks(bytes(picture.pngsave_buffer(keep="none")))] for picture, *_ in parts]
    file, number = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", files[0][0][1])], 0
    file.append(chunk(b"acTL", struct.pack(">II", len(parts), 0)))
    for chunks, (picture, (left, top), disposal, blending) in zip(files, parts, strict=True):
        file.append(
            chunk(
                b"fcTL",
                struct.pack(">IIIIIHHBB", number, picture.width, picture.height, left, top, 1, 10, disposal, blending),
            )
        )
        data = b"".join(payload for kind, payload in chunks if kind == b"IDAT")
        file.append(chunk(b"fdAT", struct.pack(">I", number + 1) + data) if number else chunk(b"IDAT", data))
        number += 2 if number else 1
    return b"".join([*file, chunk(b"IEND", b"")])


def _chunks(png: bytes) -> Any:
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


PARTS = st.tuples(
    st.integers(0, 40), st.integers(0, 30), st.integers(1, 24), st.integers(1, 18), st.integers(0, 2), st.integers(0, 1)
)


@settings(max_examples=30, deadline=None)
@given(first=st.integers(0, 2), parts=st.lists(PARTS, min_size=1, max_size=6))
def test_disposal_and_blending_are_those_of_the_standard(
    first: int, parts: list[tuple[int, int, int, int, int, int]]
) -> None:
    made: list[Part] = [(pictures.scene_with_alpha(64, 48), (0, 0), first, 0)]
    for number, (left, top, width, height, disposal, blending) in enumerate(parts):
        piece = pictures.scene_with_alpha(64, 48).fliphor().crop(number, number, width, height).copy_memory()
        made.append((piece, (left, top), disposal, blending))
    outcome = rendered(apng_of(made), {}, format="apng", effort=1)
    drawn = frames_by_pillow(outcome.body)
    for (pixels, _), expected in zip(drawn, _drawn(made), strict=True):
        assert np.abs(np.frombuffer(pixels, np.uint8).reshape(48, 64, 4) - expected).max() <= 2


def _drawn(parts: list[Part]) -> Iterator[Any]:
    """The canvas after each part, by the formulas of the standard (PNG, third edition, 13.16)."""
    canvas = np.zeros((48, 64, 4))
    for number, (picture, (left, top), disposal, blending) in enumerate(parts):
        before, place = canvas.copy(), np.s_[top : top + picture.height, left : left + picture.width]
        pixels, below = picture.numpy().astype(float), canvas[place]
        alpha, alpha_below = pixels[..., 3:] / 255, below[..., 3:] / 255
        both = alpha + alpha_below * (1 - alpha)
        colours = pixels[..., :3] * alpha + below[..., :3] * alpha_below * (1 - alpha)
        blended = np.concatenate((np.divide(colours, both, where=both > 0, out=np.zeros_like(colours)), both * 255), 2)
        canvas[place] = blended if blending else pixels
        # What is clear has no colour that could be compared.
        yield np.where(canvas[..., 3:] >= 1, canvas, 0) if blending or not number else canvas.copy()
        if disposal == 1 or (disposal == 2 and not number):
            canvas[place] = 0
        elif disposal == 2:
            canvas = before


def test_only_what_changes_is_written() -> None:
    film = pictures.film(delays=(50,) * 8).copy()
    dots = [pictures.scene().draw_rect([level] * 3, 20, 30, 5, 4, fill=True) for level in range(0, 240, 30)]
    still = pyvips.Image.arrayjoin(dots, across=1).copy()
    for name, kind in (("page-height", pyvips.GValue.gint_type), ("delay", pyvips.GValue.array_int_type)):
        still.set_type(kind, name, film.get(name))
    body = rendered(pictures.webp(still, lossless=True), {}, format="apng").body
    assert {frame[:4] for frame in list(read_frames(body))[1:]} == {(5, 4, 20, 30)}
    palette = rendered(pictures.webp(film, lossless=True), {}, format="apng", palette=True).body
    assert len(frames_by_pillow(palette)) == 8
    assert b"PLTE" in palette


def test_frames_with_a_palette_of_few_bits() -> None:
    body = rendered(pictures.sample("gif-animated").body, {}, format="apng", palette=True, colors=4).body
    frames = frames_by_pillow(body)
    assert len(frames) == 3
    colours = {bytes(pixels[at : at + 4]) for pixels, _ in frames for at in range(0, len(pixels), 4)}
    assert len(colours) <= 4


def test_the_number_of_plays_of_an_avif() -> None:
    body = pictures.animated_avif()
    for loop in (0, 1, 3, 65_535):
        found = read_animation(write_loop(body, loop))
        assert found is not None
        assert (found.loop, found.delays) == (loop or 2, pictures.DELAYS)


@pytest.mark.parametrize("name", ["avif-animated", "apng"])
def test_neither_format_leaks_a_position(name: str) -> None:
    body = pictures.sample(name).body
    assert any(mark in body for mark in pictures.GPS_MARKS)
    for changes in ({}, {"flip": True}):
        for metadata in ("strip", "keep"):
            answer = rendered(body, changes, metadata=metadata).body
            assert not [mark for mark in pictures.GPS_MARKS if mark in answer]
            assert len(frames_by_pillow(answer)) == 3
            if changes:
                assert (pictures.ARTIST[:-1] in answer) == (metadata == "keep")


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["avif-animated", "apng"]), st.data())
def test_damaged_files_are_refused_or_drawn(name: str, data: st.DataObject) -> None:
    body = bytearray(pictures.sample(name).body)
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(12, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(40, len(body) - 1))
    context = Context(deadline=Deadline.after(20))
    with suppress(FeatureError):
        assert isinstance(run(bytes(body[:cut]), edits({"flip": True}), Output(), context), Rendered)


def test_an_apng_without_its_last_frame_is_cut_off() -> None:
    body = pictures.sample("apng").body
    last = body.rindex(b"fcTL") - 4
    with pytest.raises(DamagedSource):
        rendered(body[:last], {"flip": True})
    assert rendered(body[:last], {"flip": True}, Limits(tolerate_truncated=True)).frames == 2
    beyond = bytearray(body)
    beyond[last + 8 + 4 : last + 8 + 8] = (4000).to_bytes(4, "big")
    with pytest.raises(DamagedSource):
        rendered(bytes(beyond), {"flip": True})


def test_too_many_announced_frames_are_refused() -> None:
    body = pictures.sample("apng").body
    at = body.index(b"acTL") + 4
    many = body[:at] + struct.pack(">I", 2**31) + body[at + 4 :]
    with pytest.raises(TooLarge, match="at most 10000 frames"):
        rendered(many, {"flip": True})
    avif = pictures.sample("avif-animated").body
    at = avif.index(b"stts") + 12
    with pytest.raises(TooLarge, match="at most 10000 frames"):
        rendered(avif[:at] + struct.pack(">I", 2**31) + avif[at + 4 :], {"flip": True})


def test_the_still_of_an_animated_avif_is_not_decoded_with_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    from imaging.codecs.animations import avif_read

    monkeypatch.setattr(avif_read, "decode_frames", None)
    outcome = rendered(pictures.sample("avif-animated").body, {"resize": {"width": 40}}, format="webp", animated=False)
    assert mean_difference(pyvips.Image.new_from_buffer(outcome.body, ""), pictures.scene().resize(0.25)) < 6


def test_the_header_is_read_without_pillow() -> None:
    header = rendered(pictures.sample("avif-animated").body, {"flip": True}, animated=False).source
    assert isinstance(header, ImageHeader)
    assert (header.frames, header.delays, header.is_animation) == (3, pictures.DELAYS, True)
