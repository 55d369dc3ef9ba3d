"""Metadata leaves a container, and nothing that is seen does."""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Callable
from typing import Any

import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from tests import pictures

from imaging.codecs.containers import strip
from imaging.codecs.containers.jpeg import make_segment
from imaging.codecs.png_chunks import chunk
from imaging.context import Deadline
from imaging.picture import ImageHeader

STRIPPABLE = ("jpeg", "png", "apng", "webp", "gif", "avif", "svg")
NAMES = [name for name in pictures.NAMES if name.startswith(STRIPPABLE)]


def stripped(body: bytes, kind: str, orientation: int = 1) -> bytes | None:
    source = ImageHeader(format=kind, width=1, height=1, size=len(body), orientation=orientation)
    return strip(body, source, Deadline())


def opened(body: bytes) -> Any:
    if body[8:12] == b"avis":  # libvips opens its still image, but does not know the file
        return pyvips.Image.heifload_buffer(body)
    image: Any = pyvips.Image.new_from_buffer(body, "")
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    return pyvips.Image.new_from_buffer(body, "", n=pages) if pages > 1 else image


def known(image: pyvips.Image, field: str, missing: object) -> object:
    return image.get(field) if image.get_typeof(field) else missing


@pytest.mark.parametrize("name", NAMES)
def test_position_is_gone_and_pixels_are_the_same(name: str) -> None:
    sample = pictures.sample(name)
    body = stripped(sample.body, sample.format, sample.orientation)
    assert body is not None
    assert any(mark in sample.body for mark in pictures.GPS_MARKS)
    assert not any(mark in body for mark in pictures.GPS_MARKS)
    before, after = opened(sample.body), opened(body)
    assert after.write_to_memory() == before.write_to_memory()
    for field, missing in {"orientation": 1, "delay": [], "loop": 0, "icc-profile-data": b"", "interlaced": 0}.items():
        assert known(after, field, missing) == known(before, field, missing)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "svg"])
def test_another_reader_takes_what_is_left(name: str) -> None:
    sample = pictures.sample(name)
    body = stripped(sample.body, sample.format, sample.orientation)
    assert body is not None
    with Pillow.open(io.BytesIO(body)) as image:
        assert image.size == (pictures.HEIGHT, pictures.WIDTH) if sample.orientation > 4 else (160, 120)
        assert getattr(image, "n_frames", 1) == sample.frames
        assert image.getexif().get(0x0112, 1) == sample.orientation
        image.load()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("write", [pictures.jpeg, pictures.png, pictures.webp])
def test_orientation_stays(write: Callable[..., bytes], orientation: int) -> None:
    kind = write.__name__
    body = stripped(write(orientation=orientation), kind, orientation)
    assert body is not None
    assert known(opened(body), "orientation", 1) == orientation


@pytest.mark.parametrize("name", ["tiff", "bmp", "ico", "heic"])
def test_other_formats_take_decoding(name: str) -> None:
    sample = pictures.sample(name)
    assert stripped(sample.body, sample.format) is None


def test_jpeg_loses_comment_second_picture_thumbnail_and_what_follows() -> None:
    plain = pictures.jpeg(keep="none")
    jfif = make_segment(0xE0, b"JFIF\x00\x01\x01\x01\x00\x48\x00\x48\x01\x01abc")
    extra = make_segment(0xFE, b"secret") + make_segment(0xE2, b"MPF\x00secret") + make_segment(0xEB, b"JP secret")
    body = stripped(b"\xff\xd8" + jfif + extra + b"\xff\xff" + plain[3:] + plain + b"secret", "jpeg")
    assert body is not None
    assert b"secret" not in body
    assert b"abc" not in body
    assert body.count(b"\xff\xd8\xff") == 1
    assert opened(body).write_to_memory() == opened(plain).write_to_memory()


def test_png_loses_text_and_unknown_chunks() -> None:
    plain = pictures.png(keep="none")
    extra = chunk(b"tEXt", b"Comment\x00secret") + chunk(b"prVt", b"secret") + chunk(b"tIME", b"1234567")
    body = stripped(plain[:33] + extra + plain[33:] + b"secret", "png")
    assert body == plain


def test_png_with_an_unknown_critical_chunk_is_left_to_the_decoder() -> None:
    plain = pictures.png(keep="none")
    assert stripped(plain[:33] + chunk(b"NEWC", b"") + plain[33:], "png") is None


def test_webp_loses_unknown_chunks_in_frames_too() -> None:
    plain = pictures.webp(pictures.film(), keep="none")
    at = plain.index(b"ANMF")
    length = int.from_bytes(plain[at + 4 : at + 8], "little")
    frame = plain[at + 8 : at + 8 + length] + b"prVt\x06\x00\x00\x00secret"
    inner = plain[8:at] + b"ANMF" + struct.pack("<I", len(frame)) + frame + plain[at + 8 + length :]
    inner += b"prVt\x06\x00\x00\x00secret"
    assert stripped(b"RIFF" + struct.pack("<I", len(inner)) + inner, "webp") == plain


def test_gif_loses_plain_text_and_keeps_the_loop() -> None:
    plain = pictures.gif(pictures.film(loop=3))
    at = plain.index(b"\x21\xf9")
    text = b"\x21\xf9\x04\x00\x00\x00\x00\x00\x21\x01\x0c" + bytes(12) + b"\x06secret\x00"
    body = stripped(plain[:at] + text + plain[at:], "gif")
    assert body is not None
    assert b"secret" not in body
    assert opened(body).get("loop") == 3
    assert opened(body).get("delay") == list(pictures.DELAYS)


def test_avif_loses_boxes_nobody_asked_for() -> None:
    plain = pictures.avif()
    body = stripped(plain + struct.pack(">I4s6s", 14, b"uuid", b"secret"), "avif")
    assert body is not None
    assert b"secret" not in body
    assert len(body) == len(plain) + 14


def test_svg_keeps_the_drawing_alone() -> None:
    photo = base64.b64encode(pictures.jpeg(orientation=6)).decode()
    body = stripped(
        f"""<?xml version="1.0"?><!-- secret --><?secret x?>
        <!DOCTYPE svg [<!ENTITY ns "http://www.w3.org/2000/svg">]>
        <svg xmlns="&ns;" xmlns:i="http://www.inkscape.org/" xmlns:xlink="http://www.w3.org/1999/xlink"
          xmlns:x="http://www.w3.org/2000/svg" width="9" height="9" i:secret="1" onload="secret()">
        <metadata>secret</metadata><x:metadata>secret</x:metadata><i:view>secret<g/></i:view><script>secret</script>
        <style><![CDATA[a>b {{}}]]></style><x:rect width="5" height="5" id="a &lt;&quot;"/>
        <image xlink:href="data:image/jpeg;base64,{photo}"/></svg>""".encode(),
        "svg",
    )
    assert body is not None
    text = body.decode()
    assert "secret" not in text
    assert "a&gt;b {}" in text
    assert "<x:rect" in text
    inside = base64.b64decode(text.split("base64,")[1].split('"')[0])
    assert not any(mark in inside for mark in pictures.GPS_MARKS)
    assert opened(inside).get("orientation") == 6


@pytest.mark.parametrize(
    "inside",
    [
        '<image href="data:image/svg+xml,%3Csvg/%3E"/>',
        '<image href="data:image/tiff;base64,AAAA"/>',
        "<text>&unknown;</text>",
        "<g>" * 1000 + "</g>" * 1000,
        "<g>",
    ],
)
def test_svg_that_cannot_be_stripped_is_left_to_the_decoder(inside: str) -> None:
    declared = '<!DOCTYPE svg SYSTEM "http://example.com/svg.dtd">'
    assert stripped(f'{declared}<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'.encode(), "svg") is None


def test_svg_of_a_billion_laughs_is_refused() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE svg [<!ENTITY e0 "{"ha" * 50}">{entities}]><svg xmlns="http://www.w3.org/2000/svg">&e9;</svg>'
    assert stripped(bomb.encode(), "svg") is None


@pytest.mark.parametrize("name", ["jpeg", "png", "webp-animated", "gif-animated", "avif", "svg"])
def test_a_file_cut_off_is_left_to_the_decoder(name: str) -> None:
    sample = pictures.sample(name)
    end = sample.body.rstrip(b"\x00\n")
    for share in range(50):
        assert stripped(end[: len(end) * share // 50], sample.format) is None


@pytest.mark.parametrize(
    "name", ["jpeg-turned", "jpeg-progressive", "png", "webp-animated", "gif-animated", "avif", "svg"]
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damage_never_raises(name: str, data: st.DataObject) -> None:
    sample = pictures.sample(name)
    body = bytearray(sample.body)
    positions = st.one_of(st.integers(0, min(400, len(body) - 1)), st.integers(0, len(body) - 1))
    for at in data.draw(st.lists(positions, min_size=1, max_size=6)):
        body[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(body)), st.integers(0, len(body))))
    assert stripped(bytes(body[:cut]), sample.format, sample.orientation) is None or cut


@settings(max_examples=200)
@given(kind=st.sampled_from(STRIPPABLE), tail=st.binary(max_size=200))
def test_noise_behind_a_signature_never_raises(kind: str, tail: bytes) -> None:
    head = pictures.sample(kind).body[:12]
    assert isinstance(stripped(head + tail, kind), bytes | None)
