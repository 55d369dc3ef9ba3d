"""What only calls itself a part of a picture does not stay, and no number of parts keeps a walk busy."""

from __future__ import annotations

import base64
import struct
import time
import zlib
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import hostile, pictures
from tests.imaging.test_containers import opened, stripped

from imaging import Deadline, FeatureError, Limits, TimeExceeded
from imaging.codecs.containers import strip
from imaging.codecs.containers.jpeg import make_segment
from imaging.codecs.decode import inspect
from imaging.codecs.decode.parts import check_parts
from imaging.codecs.metadata import of
from imaging.codecs.metadata.xml import rewrite
from imaging.codecs.png_chunks import chunk
from imaging.picture import ImageHeader

SECRET = b"48.858222"
PROFILE = pictures.profile()
ICC = b"ICC_PROFILE\0"


def photo(*segments: bytes) -> bytes:
    plain = pictures.jpeg(keep="none")
    return plain[:2] + b"".join(segments) + plain[2:]


@pytest.mark.parametrize(
    "segment",
    [
        make_segment(0xE2, ICC + SECRET),
        make_segment(0xE2, ICC + b"\1\1" + SECRET),
        make_segment(0xE2, ICC + b"\1\2" + PROFILE + SECRET),
        make_segment(0xE2, ICC + b"\1\1" + PROFILE + SECRET),
        make_segment(0xE2, b"Adobe" + SECRET),
        make_segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + SECRET),
    ],
)
def test_a_segment_that_calls_itself_a_profile_does_not_stay(segment: bytes) -> None:
    body = stripped(photo(segment), "jpeg")
    assert body is not None
    assert SECRET not in body
    assert opened(body).width == pictures.WIDTH


def test_a_profile_in_many_segments_stays() -> None:
    profile = PROFILE + bytes(150_000)
    profile = struct.pack(">I", len(profile)) + profile[4:]
    parts = [profile[at : at + 40_000] for at in range(0, len(profile), 40_000)]
    segments = [make_segment(0xE2, ICC + bytes((number + 1, len(parts))) + part) for number, part in enumerate(parts)]
    body = stripped(photo(*reversed(segments)), "jpeg")
    assert body is not None
    assert bytes(opened(body).get("icc-profile-data")) == profile


def test_a_profile_of_a_png_has_no_name_and_nothing_behind_it() -> None:
    named = hostile.png_with(chunk(b"iCCP", SECRET + b"\0\0" + zlib.compress(PROFILE + SECRET) + SECRET))
    body = stripped(named, "png")
    assert body is not None
    assert SECRET not in body
    assert bytes(opened(body).get("icc-profile-data")) == PROFILE
    assert stripped(hostile.png_with(chunk(b"iCCP", b"k\0\0" + zlib.compress(SECRET))), "png") == hostile.png_with()


def test_chunks_of_a_png_that_are_too_long_do_not_stay() -> None:
    assert stripped(hostile.png_with(chunk(b"pHYs", bytes(9) + SECRET)), "png") == hostile.png_with()


def test_a_profile_of_a_webp_is_one() -> None:
    plain = pictures.webp(icc=PROFILE)
    assert bytes(opened(stripped(plain, "webp") or b"").get("icc-profile-data")) == PROFILE
    at = plain.index(b"ICCP") + 8
    body = stripped(plain[:at] + SECRET + plain[at + len(SECRET) :], "webp")
    assert body is not None
    assert b"ICCP" not in body
    assert opened(body).write_to_memory() == opened(plain).write_to_memory()


@pytest.mark.parametrize(
    "declared", ["", "image/png", "application/octet-stream", "text/plain", "image/jpeg;charset=x"]
)
def test_a_picture_in_a_drawing_is_what_its_bytes_say(declared: str) -> None:
    encoded = base64.b64encode(pictures.jpeg()).decode()
    body = stripped(pictures.svg(inside=f'<image href="data:{declared};base64,{encoded}"/>'), "svg")
    assert body is not None
    inside = base64.b64decode(body.split(b"base64,")[1].split(b'"')[0])
    assert inside.startswith(b"\xff\xd8\xff")
    assert not any(mark in inside for mark in pictures.GPS_MARKS)


@pytest.mark.parametrize(
    ("content", "stays"),
    [
        ("data:font/woff2;base64,AAAA", True),
        ("data:text/css,a", True),
        ("data: 1, 2 and data:3", True),
        ("data:;base64,AAAA", False),
        ("data:application/octet-stream,%FF%D8", False),
        ("data:,x", False),
        ("data:image/jpeg;base64,", False),
    ],
)
def test_other_content_of_a_drawing_stays_where_it_is_no_picture(content: str, *, stays: bool) -> None:
    body = stripped(pictures.svg(inside=f'<image href="{content}"/>'), "svg")
    assert (body is not None and content.encode() in body) == stays


@pytest.mark.parametrize(
    ("original", "kind"),
    [
        (hostile.png_with(chunk(b"prVt", b"") * 300_000), "png"),
        (hostile.jpeg_of_segments(300_000), "jpeg"),
        (hostile.gif_of_blocks(2_000_000), "gif"),
        (hostile.webp_of_chunks(300_000), "webp"),
        (hostile.avif_of_boxes(300_000), "avif"),
    ],
    ids=["png", "jpeg", "gif", "webp", "avif"],
)
def test_a_walk_ends_by_the_number_of_parts_and_by_the_deadline(original: bytes, kind: str) -> None:
    began = time.monotonic()
    assert stripped(original, kind) is None
    assert time.monotonic() - began < 10
    source = ImageHeader(format=kind, width=1, height=1, size=len(original))
    with pytest.raises(TimeExceeded):
        strip(original, source, Deadline.after(-1))


def test_items_of_an_avif_may_not_share_their_bytes() -> None:
    body = bytearray(pictures.avif())
    at = body.index(b"iloc") + 4
    version, sizes, count = body[at], body[at + 4 : at + 6], int.from_bytes(body[at + 6 : at + 8], "big")
    assert (sizes[0], version < 2, count > 1) == (0x44, True, True)
    at += 8
    for _ in range(count):
        at += 4 + (2 if version else 0) + (sizes[1] >> 4)
        assert body[at : at + 2] == b"\0\1"
        body[at + 2 : at + 10] = struct.pack(">II", 0, len(body))
        at += 10
    assert stripped(bytes(body), "avif") is None


class _Everything:
    def element(self, namespace: str, name: str) -> bool:
        return True

    def attribute(self, namespace: str, name: str) -> bool:
        return True

    def declaration(self, namespace: str) -> bool:
        return True

    def text(self, characters: str) -> str:
        return characters


def test_namespaces_are_not_copied_for_every_element() -> None:
    declared = "".join(f' xmlns:n{number}="u{number}"' for number in range(20_000))
    began = time.monotonic()
    assert rewrite(f"<a{declared}>{'<b/>' * 100_000}</a>".encode(), _Everything()).count(b"<b>") == 100_000
    assert time.monotonic() - began < 5


def test_prefixes_mean_what_the_innermost_element_says() -> None:
    class Inner(_Everything):
        def element(self, namespace: str, name: str) -> bool:
            return namespace in ("outer", "")

    document = b'<p:a xmlns:p="outer"><p:b xmlns:p="inner"/><p:c/></p:a>'
    assert rewrite(document, Inner()) == b'<p:a xmlns:p="outer"><p:c></p:c></p:a>'


KINDS = (
    "jpeg",
    "jpeg-progressive",
    "png",
    "webp",
    "webp-animated",
    "gif",
    "gif-animated",
    "tiff",
    "avif",
    "bmp",
    "ico",
    "heic",
)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_is_refused_by_nothing_but_our_errors(name: str, data: st.DataObject) -> None:
    body = bytearray(pictures.sample(name).body)
    places = st.one_of(st.integers(0, min(200, len(body) - 1)), st.integers(0, len(body) - 1))
    for at in data.draw(st.lists(places, min_size=1, max_size=5)):
        change = data.draw(
            st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 8, bytes(4), b"\x80\0\0\0"]))
        )
        body[at : at + len(change)] = change
    original = bytes(body[: data.draw(st.one_of(st.just(len(body)), st.integers(0, len(body))))])
    for tolerant in (False, True):
        limits = Limits(tolerate_truncated=tolerant)
        with suppress(FeatureError):
            source = inspect(original, limits)
            for wanted in ("keep", "copyright"):
                of(original, source, wanted, position=True, is_hidden=tolerant)
            strip(original, source, Deadline.after(20))
    for kind in ("jpeg", "png", "webp", "gif", "tiff", "avif"):
        with suppress(FeatureError):
            check_parts(original, kind, Limits())
