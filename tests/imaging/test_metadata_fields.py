"""What of an original's metadata leaves with `metadata=keep`: no position, no preview, nothing that nobody knows."""

from __future__ import annotations

import base64
import io
import time
import zlib
from typing import Any

import pytest
import pyvips
from tests import hostile, pictures
from tests.features.test_content_moderation import context as judged

from features import edits
from imaging import Context, Limits, Output, Rendered, check, run
from imaging.codecs.containers.jpeg import make_segment
from imaging.codecs.metadata import exif, iptc
from imaging.codecs.png_chunks import chunk

PLACE = "48.858222"
NAMESPACES = {
    "exif": "http://ns.adobe.com/exif/1.0/",
    "drone-dji": "http://www.dji.com/drone-dji/1.0/",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "Camera": "http://pix4d.com/camera/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "GImage": "http://ns.google.com/photos/1.0/image/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
}
POSITIONS = [
    *("exif:GPSLatitude", "exif:gpsLatitude", "drone-dji:GpsLatitude", "drone-dji:Latitude", "geo:lat"),
    *(
        "photoshop:City",
        "photoshop:Country",
        "photoshop:State",
        "Iptc4xmpExt:LocationCreated",
        "Iptc4xmpExt:CountryName",
    ),
    *("Camera:GPSXYAccuracy", "Iptc4xmpCore:Location", "Iptc4xmpExt:Sublocation", "drone-dji:AbsoluteAltitude"),
]
UNKNOWN = ["GImage:Data", "xmp:Thumbnails", "xmp:Unheard", "photoshop:Latitude2", "exif:MakerNote", "PLACE:any"]
KEPT = ["photoshop:Headline", "dc:description", "xmp:Rating", "Iptc4xmpExt:DigitalSourceType"]
FORMATS = ["jpeg", "png", "webp", "tiff", "avif"]


def packet(name: str, value: str = PLACE) -> bytes:
    """An XMP packet with one property, once an attribute and once an element."""
    prefix = name.partition(":")[0]
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:{prefix}="{NAMESPACES.get(prefix, PLACE)}" {name}="{value}">'
        f"<{name}>{value}</{name}></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def with_blob(kind: str, field: str, value: bytes) -> bytes:
    image: Any = pictures.scene().copy()
    image.set_type(pyvips.GValue.blob_type, field, value)
    if kind == "avif":
        return bytes(image.heifsave_buffer(compression="av1", effort=0))
    return bytes(getattr(image, f"{kind}save_buffer")())


def kept(original: bytes, *, position: bool = False, **output: Any) -> bytes:
    answer = run(original, (), check(Output, output), Context(limits=Limits(allow_gps=position)))
    assert isinstance(answer, Rendered)
    return answer.body


def is_inside(body: bytes, value: str = PLACE) -> bool:
    """Whether a file holds the value, as it is or in the packed XMP of a PNG."""
    at = body.find(b"zTXtXML:com.adobe.xmp\0\0")
    text = zlib.decompressobj().decompress(body[at + 23 :]) if at >= 0 else b""
    return value.encode() in body + text


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", [*POSITIONS, *UNKNOWN, *KEPT])
def test_a_packet_keeps_what_is_listed(kind: str, name: str) -> None:
    original = with_blob(kind, "xmp-data", packet(name))
    assert is_inside(original)
    answers = {
        position: is_inside(kept(original, metadata="keep", format="webp", position=position))
        for position in (False, True)
    }
    assert answers == {False: name in KEPT, True: name in [*KEPT, *POSITIONS] or name == "PLACE:any"}
    assert is_inside(kept(original, metadata="copyright")) == (name == "Iptc4xmpExt:DigitalSourceType")
    assert not is_inside(kept(original))


@pytest.mark.parametrize("chosen", FORMATS)
def test_every_format_carries_what_is_listed(chosen: str) -> None:
    for name in ("photoshop:Headline", "drone-dji:Latitude"):
        body = kept(with_blob("jpeg", "xmp-data", packet(name)), metadata="keep", format=chosen)
        assert is_inside(body) == (name in KEPT)


@pytest.mark.parametrize(
    ("tag", "stays"),
    [(0x010E, True), (0xC634, False), (0x87B1, False), (0xA480, False), (0x9C9C, False), (0xFDE8, False)],
)
def test_tags_that_are_not_listed_do_not_leave(tag: int, *, stays: bool) -> None:
    value = exif.Tag(2, len(PLACE) + 1, PLACE.encode() + b"\0")
    block = exif.write(exif.Exif(picture={tag: value}, details={0x927C: value}))
    plain = pictures.jpeg(keep="none")
    photo = plain[:2] + make_segment(0xE1, b"Exif\0\0" + block) + plain[2:]
    tiff = exif.into_tiff(bytes(pictures.scene().tiffsave_buffer()), exif.Exif(picture={tag: value}))
    for original in (photo, tiff):
        assert is_inside(original)
        for chosen in FORMATS:
            assert is_inside(kept(original, metadata="keep", format=chosen, position=True)) == stays


@pytest.mark.parametrize(
    ("number", "stays"),
    [
        *((120, True), (105, True), (116, True), (202, False), (231, False)),
        *((90, False), (92, False), (95, False), (100, False), (101, False), (26, False)),
    ],
)
def test_datasets_that_are_not_listed_do_not_leave(number: int, *, stays: bool) -> None:
    original = with_blob("jpeg", "iptc-data", iptc.write([iptc.Text(2, number, PLACE.encode())]))
    assert is_inside(kept(original, metadata="keep", format="jpeg", quality=70)) == stays
    position = is_inside(kept(original, metadata="keep", format="jpeg", quality=70, position=True))
    assert position == (stays or number in (26, 90, 92, 95, 100, 101))


def test_large_packets_of_datasets_cost_little() -> None:
    image: Any = pictures.scene().copy()
    image.set_type(pyvips.GValue.blob_type, "iptc-data", b"\x1c\x02\x50\0\0" * 3_000_000)
    original = bytes(image.tiffsave_buffer())
    began = time.monotonic()
    assert len(kept(original, metadata="keep", format="jpeg")) < 100_000
    assert time.monotonic() - began < 5


def test_values_that_a_tiff_shares_are_not_copied_for_every_tag() -> None:
    long = b"\0" * 70_000
    tags = {tag: exif.Tag(2, len(long), long) for tag in (0x010E, 0x010F, 0x0110)}
    original = exif.into_tiff(bytes(pictures.scene().tiffsave_buffer()), exif.Exif(picture=tags))
    assert exif.read(original).picture.keys().isdisjoint(tags)


SMALL = bytes(pictures.scene(60, 40).jpegsave_buffer(keep="none"))
PREVIEWS = {
    "iptc": ("iptc-data", iptc.write([iptc.Text(2, 202, SMALL), iptc.Text(2, 116, b"(c) Ada")])),
    "xmp": ("xmp-data", packet("GImage:Data", base64.b64encode(SMALL).decode())),
    "xmp of a credit": ("xmp-data", packet("dc:rights", base64.b64encode(SMALL).decode())),
    "iptc of a credit": ("iptc-data", iptc.write([iptc.Text(2, 116, SMALL)])),
}


@pytest.mark.parametrize("chosen", FORMATS)
@pytest.mark.parametrize("name", PREVIEWS)
@pytest.mark.parametrize("metadata", ["keep", "copyright"])
def test_no_preview_leaves_where_something_is_hidden(name: str, chosen: str, metadata: str) -> None:
    original = with_blob("jpeg", *PREVIEWS[name])
    shown = base64.b64encode(SMALL).decode()[:400]
    assert SMALL in original or shown.encode() in original
    hiding = edits({"contentModeration": {"action": "blur"}})
    answer = run(original, hiding, check(Output, {"metadata": metadata, "format": chosen}), judged())
    assert isinstance(answer, Rendered)
    assert SMALL not in answer.body
    assert not is_inside(answer.body, shown)


def test_a_short_credit_leaves_where_something_is_hidden() -> None:
    original = pictures.jpeg()
    answer = run(
        original, edits({"contentModeration": True}), check(Output, {"metadata": "keep", "format": "jpeg"}), judged()
    )
    assert isinstance(answer, Rendered)
    image: Any = pyvips.Image.new_from_buffer(answer.body, "")
    left = exif.read(bytes(image.get("exif-data")))
    assert left.text(exif.ARTIST) == "Ada Example"
    assert not left.gps


@pytest.mark.parametrize("metadata", ["keep", "copyright"])
def test_metadata_of_an_image_sequence_is_read(metadata: str) -> None:
    frames = [pictures.pillow(pictures.scene(turn=turn)) for turn in (0, 90)]
    out = io.BytesIO()
    frames[0].save(out, "AVIF", save_all=True, append_images=frames[1:])
    original = out.getvalue()
    assert original[8:12] == b"avis"
    assert pyvips.Image.new_from_buffer(kept(original, metadata=metadata, format="png"), "").width == pictures.WIDTH


def test_a_packet_of_a_png_is_read_in_every_kind_of_text() -> None:
    name, text = b"XML:com.adobe.xmp\0", packet("photoshop:Headline")
    for part in (
        chunk(b"tEXt", name + text),
        chunk(b"zTXt", name + b"\0" + zlib.compress(text)),
        chunk(b"iTXt", name + b"\0\0\0\0" + text),
        chunk(b"iTXt", name + b"\1\0en\0x\0" + zlib.compress(text)),
    ):
        assert is_inside(kept(hostile.png_with(part), metadata="keep", format="webp"))
    bomb = chunk(b"zTXt", name + b"\0" + zlib.compress(text + b" " * 50_000_000))
    assert not is_inside(kept(hostile.png_with(bomb), metadata="keep", format="webp"))
