"""EXIF, XMP and IPTC: what stays of them, and that no damage to them does harm."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from tests import pictures

from imaging import Context, Limits, Output, Rendered, run
from imaging.codecs.containers.jpeg import make_segment
from imaging.codecs.metadata import exif, iptc, xmp

ARTIST, COPYRIGHT = "Ada Example", "(c) Ada Example"
WITH_EXIF = ["jpeg", "jpeg-turned", "png", "webp", "avif", "heic", "webp-animated"]
TEXTS = [
    iptc.Text(2, iptc.BYLINE, "Jo Müller".encode()),
    iptc.Text(2, iptc.COPYRIGHT, b"(c) Jo"),
    iptc.Text(2, 90, b"Bonn"),
]
PACKET = f"""<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="tool"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" exif:GPSLongitude="{pictures.GPS_TEXT}" photoshop:City="Bonn"
 photoshop:Credit="Agency" xmpRights:WebStatement="https://example.com/licence"><exif:GPSLatitude>{pictures.GPS_TEXT}</exif:GPSLatitude>
 <e:LocationCreated rdf:parseType="Resource"><exif:GPSLatitude>{pictures.GPS_TEXT}</exif:GPSLatitude>
 <e:City>Bonn</e:City></e:LocationCreated><dc:creator><rdf:Seq><rdf:li>Ada &amp; Jo</rdf:li></rdf:Seq></dc:creator>
 <xmp:Thumbnails>{pictures.GPS_TEXT}</xmp:Thumbnails></rdf:Description></rdf:RDF></x:xmpmeta>
 <?xpacket end="w"?>""".encode()


def answer(body: bytes, *, allow_gps: bool = False, **options: Any) -> bytes:
    made = run(body, (), Output(**options), Context(limits=Limits(allow_gps=allow_gps)))
    assert isinstance(made, Rendered)
    return made.body


def pixels(body: bytes) -> bytes:
    return bytes(pyvips.Image.new_from_buffer(body, "").write_to_memory())


def tags(body: bytes) -> Any:
    with Pillow.open(io.BytesIO(body)) as image:
        return image.getexif()


@pytest.mark.parametrize("chosen", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("name", WITH_EXIF)
def test_strip_copyright_and_keep(name: str, chosen: Any) -> None:
    original = pictures.sample(name).body
    assert not tags(answer(original, format=chosen, quality=70))
    credit = tags(answer(original, format=chosen, metadata="copyright", allow_gps=True))
    assert (credit[exif.ARTIST], credit[exif.COPYRIGHT]) == (ARTIST, COPYRIGHT)
    assert not credit.get_ifd(0x8825)
    kept = tags(answer(original, format=chosen, metadata="keep"))
    assert (kept[exif.ARTIST], kept.get(exif.ORIENTATION, 1)) == (ARTIST, 1)
    assert not kept.get_ifd(0x8825)


@pytest.mark.parametrize("chosen", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("name", [*WITH_EXIF, "tiff"])
def test_a_position_leaves_only_when_both_ask_for_it(name: str, chosen: Any) -> None:
    position = tags(answer(pictures.sample(name).body, format=chosen, metadata="keep", allow_gps=True)).get_ifd(0x8825)
    seconds, parts = pictures.SECONDS
    assert position[2] == pytest.approx((48, 51, seconds / parts))


def test_keep_carries_xmp_into_tiff() -> None:
    body = answer(pictures.sample("jpeg").body, format="tiff", metadata="keep", allow_gps=True)
    assert pictures.GPS_TEXT.encode() in body
    assert b"dc:creator" in answer(pictures.sample("jpeg").body, format="tiff", metadata="copyright")


@pytest.mark.parametrize("name", WITH_EXIF)
def test_tiff_carries_tags_too(name: str) -> None:
    original = pictures.sample(name).body
    assert exif.ARTIST not in tags(answer(original, format="tiff"))
    for metadata in ("keep", "copyright"):
        body = answer(original, format="tiff", metadata=metadata)
        credit = tags(body)
        assert (credit[exif.ARTIST], credit[exif.COPYRIGHT]) == (ARTIST, COPYRIGHT)
        assert not credit.get_ifd(0x8825)
        assert pixels(body) == pixels(answer(original, format="tiff"))
        assert tags(answer(body, quality=80, metadata=metadata))[exif.ARTIST] == ARTIST
    position = tags(answer(original, format="tiff", metadata="keep", allow_gps=True)).get_ifd(0x8825)
    seconds, parts = pictures.SECONDS
    assert position[2] == pytest.approx((48, 51, seconds / parts))


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_of_either_order_go_into_a_tiff(order: str) -> None:
    picture = {exif.ARTIST: exif.Tag(2, 4, b"Ada\0"), 0xC000: exif.Tag(3, 2, struct.pack(order + "HH", 7, 9))}
    details = {0x829A: exif.Tag(5, 1, struct.pack(order + "II", 1, 250)), 0x9000: exif.Tag(7, 4, b"0232")}
    plain = bytes(pictures.scene().tiffsave_buffer())
    body = exif.into_tiff(plain, exif.Exif(order, picture, details))
    read = tags(body)
    assert (read[exif.ARTIST], read[0xC000]) == ("Ada", (7, 9))
    assert read.get_ifd(0x8769)[0x829A] == pytest.approx(1 / 250)
    assert pixels(body) == pixels(plain)


def test_text_beyond_ascii_survives() -> None:
    plain, artist = pictures.jpeg(keep="none"), "Zoë Müller (Bonn) 写真"
    block = exif.write(exif.Exif().with_text(exif.ARTIST, artist))
    body = answer(plain[:2] + make_segment(0xE1, b"Exif\0\0" + block) + plain[2:], format="jpeg", metadata="copyright")
    image: Any = pyvips.Image.new_from_buffer(body, "")
    assert exif.read(bytes(image.get("exif-data"))).text(exif.ARTIST) == artist
    assert artist.encode() in bytes(image.get("xmp-data"))


def test_credit_is_taken_from_iptc_too() -> None:
    plain = pictures.jpeg(keep="none")
    original = plain[:2] + make_segment(0xED, iptc.write(TEXTS)) + plain[2:]
    body = answer(original, format="jpeg", metadata="copyright")
    image: Any = pyvips.Image.new_from_buffer(body, "")
    assert exif.read(bytes(image.get("exif-data"))).text(exif.ARTIST) == "Jo Müller"
    assert iptc.read(bytes(image.get("iptc-data"))) == TEXTS[:2]
    kept: Any = pyvips.Image.new_from_buffer(answer(original, format="jpeg", metadata="keep"), "")
    assert iptc.read(bytes(kept.get("iptc-data"))) == TEXTS[:2]


def test_maker_notes_and_previews_do_not_travel() -> None:
    add_log_fields = exif.Tag(7, 6, b"secret")
    block = exif.write(exif.Exif(details={0x927C: add_log_fields, 0x9003: exif.Tag(2, 5, b"2024\0")}))
    assert b"secret" in block
    assert list(exif.read(block).details) == [0x9003]


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_is_read_as_it_was_written(order: str) -> None:
    picture = {exif.ARTIST: exif.Tag(2, 4, b"Ada\0"), 0x011A: exif.Tag(5, 1, struct.pack(order + "II", 300, 1))}
    whole = exif.Exif(order, picture, {0x9000: exif.Tag(7, 4, b"0232")}, {1: exif.Tag(2, 2, b"N\0")})
    assert exif.read(exif.write(whole)) == whole
    assert exif.read(b"Exif\0\0" + exif.write(whole)) == whole


def test_xmp_without_position_keeps_the_rest() -> None:
    left = xmp.known(PACKET, position=False)
    assert pictures.GPS_TEXT.encode() not in left
    assert b"Bonn" not in left
    assert b"<e:City>Bonn</e:City>" in xmp.known(PACKET, position=True)
    assert b"Ada &amp; Jo" in left


def test_xmp_of_credit_has_nothing_else() -> None:
    left = xmp.only_credit(PACKET)
    for said in (b"Ada &amp; Jo", b'photoshop:Credit="Agency"', b"https://example.com/licence"):
        assert said in left
    for unsaid in (pictures.GPS_TEXT.encode(), b"Bonn", b"tool", b"xpacket"):
        assert unsaid not in left
    assert xmp.only_credit(pictures.xmp()) == b""


def test_a_damaged_packet_is_left_out() -> None:
    assert xmp.known(PACKET[:-60], position=False) == b""
    assert iptc.read(b"\x1c\x02") == []


@settings(max_examples=300)
@given(
    start=st.sampled_from([pictures.exif(), pictures.exif()[:60], b"MM\0*\0\0\0\x08", PACKET, iptc.write(TEXTS)]),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=4)), max_size=5),
)
def test_damage_never_raises(start: bytes, changes: list[tuple[int, bytes]]) -> None:
    block = bytearray(start)
    for at, change in changes:
        start_of_change = at % len(block)
        block[start_of_change : start_of_change + len(change)] = change
    damaged = bytes(block)
    assert exif.read(exif.write(exif.read(damaged))) == exif.read(damaged)
    assert isinstance(iptc.write(iptc.read(damaged)), bytes)
    assert isinstance(xmp.known(damaged, position=False) + xmp.only_credit(damaged), bytes)
