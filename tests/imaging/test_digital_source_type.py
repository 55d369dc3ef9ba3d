"""IPTC's digital source type, which marks generated images, stays where all other metadata is removed."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pytest
import pyvips
from PIL import Image as Pillow
from PIL.TiffImagePlugin import TiffImageFile
from tests import pictures
from tests.generated import ATTRIBUTE, ELEMENT, GENERATED, RESOURCE, packet_with, with_label
from tests.ultra_hdr import ultra_hdr

from features import edits
from imaging import Context, Rendered, check, run
from imaging.codecs.png_chunks import chunk
from imaging.params.output import Output

XMP_END = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
SOURCE_TYPES = {"attribute": ATTRIBUTE, "element": ELEMENT, "resource": RESOURCE}


def answer(body: bytes, said: dict[str, Any] | None = None, **options: Any) -> bytes:
    made = run(body, edits(said or {}), check(Output, options), Context())
    assert isinstance(made, Rendered)
    return made.body


def pixels(body: bytes) -> bytes:
    return bytes(pyvips.Image.new_from_buffer(body, "").write_to_memory())


def xmp_of(body: bytes) -> bytes:
    """The XMP packet, found by another program than the one that wrote it."""
    if body.startswith(b"GIF"):  # Pillow does not read it
        return body.partition(b"\x21\xff\x0bXMP DataXMP")[2].partition(XMP_END)[0]
    with Pillow.open(io.BytesIO(body)) as image:
        packet: Any = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
        if isinstance(image, TiffImageFile):
            packet = image.tag_v2.get(700, b"")
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def labelled(inside: tuple[bytes, bytes], kind: str = "jpeg") -> bytes:
    """A file with such a packet."""
    packet = packet_with(inside) + b" " * 300
    if kind == "gif":
        body = pictures.film(64, 48).gifsave_buffer(keep="none")
        extension = b"\x21\xff\x0bXMP DataXMP" + packet + XMP_END
        return bytes(body[:-1] + extension + body[-1:])
    if kind == "animated-avif":
        first, *others = pictures.frames_of(pictures.film(64, 48))
        out = io.BytesIO()
        first.save(out, "AVIF", save_all=True, append_images=others, xmp=packet, duration=100)
        return out.getvalue()
    image: Any = pictures.film(64, 48) if kind == "animated-webp" else pictures.scene(64, 48).copy()
    image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
    return bytes(image.write_to_buffer("." + kind.removeprefix("animated-")))


KINDS = ["jpeg", "png", "webp", "avif", "tiff", "gif", "animated-webp", "animated-avif"]


@pytest.mark.parametrize("chosen", [None, "jpeg", "png", "webp", "avif", "tiff", "gif", "apng"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_label_of_generated_images_survives_stripping(kind: str, chosen: Any) -> None:
    body = answer(labelled(ELEMENT, kind), **({"format": chosen} if chosen else {}))
    packet = xmp_of(body)
    assert packet.count(GENERATED) == 1
    assert b"secret" not in body + packet
    assert Pillow.open(io.BytesIO(body)).tobytes()


@pytest.mark.parametrize("form", SOURCE_TYPES)
def test_each_way_to_write_the_label_is_read(form: str) -> None:
    for body in (answer(labelled(SOURCE_TYPES[form])), answer(labelled(SOURCE_TYPES[form]), format="png")):
        assert xmp_of(body).count(GENERATED) == 1


@pytest.mark.parametrize(
    ("said", "output"),
    [
        ({"resize": {"width": 30}}, {}),
        ({"redact": {"areas": "0,0,100p,100p"}}, {}),
        ({}, {"metadata": "copyright"}),
        ({"rotate": 33}, {"format": "png", "colors": 8, "palette": True}),
        ({"flip": True}, {"maxBytes": 2000}),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_label_of_generated_images_survives_edits(kind: str, said: dict[str, Any], output: Any) -> None:
    body = answer(labelled(ELEMENT, kind), said, **output)
    assert GENERATED in xmp_of(body)
    assert b"secret" not in body + xmp_of(body)


@pytest.mark.parametrize("output", [{}, {"hdr": "keep"}])
def test_the_label_of_generated_images_survives_beside_a_gain_map(output: Any) -> None:
    original = with_label(ultra_hdr())
    for said in ({}, {"resize": {"width": 100}}):
        body = answer(original, said, **output)
        assert body.count(GENERATED) == 1
        assert (b"hdrgm:GainMapMax" in body) == bool(output)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif", "gif"])
def test_an_unedited_labelled_file_keeps_its_pixels(kind: str) -> None:
    original = labelled(ATTRIBUTE, kind)
    body = answer(original)
    assert len(body) <= len(original)
    assert pixels(body) == pixels(original)


def test_a_label_in_a_compressed_text_of_a_png_survives() -> None:
    plain, packet = pictures.png(keep="none"), zlib.compress(xmp_of(labelled(ELEMENT)))
    body = answer(plain[:33] + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packet) + plain[33:], format="webp")
    assert GENERATED in xmp_of(body)


@pytest.mark.parametrize(
    "value", [b"secret", GENERATED + b"?secret", b"http://example.com/newscodes/digitalsourcetype/x", GENERATED[:-24]]
)
def test_what_is_no_term_of_the_vocabulary_is_removed(value: bytes) -> None:
    body = answer(labelled((b'e:DigitalSourceType="%s"' % value, b"")), format="png")
    assert not xmp_of(body)
