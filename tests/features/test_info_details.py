"""What `info` tells to trusted callers: hashes, the origin that metadata names, faces."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image as Pillow
from PIL.TiffImagePlugin import IFDRational
from tests.client import Client
from tests.local_server import SAMPLES
from tests.pictures import GPS_MARKS, NAMES, SECONDS, jpeg, png, sample, scene, scene_with_alpha
from tests.stand_ins.rekognition import rekognition_server

from features import edits
from features.info.thumb_hash import encode
from imaging import Context, Label, Limits, Output, Region, Report, run
from imaging.codecs.containers.jpeg import make_segment
from imaging.detection import DetectionNotConfigured

PACKET = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" photoshop:Credit="Agency &amp; Sons"
 xmpRights:WebStatement="https://example.com/licence" photoshop:City="Bonn"
 e:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Two cats</rdf:li>
<rdf:li xml:lang="de">Katzen</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Jo</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
# By the reference in Rust (the crate thumbhash, through fast_thumbhash 1.0.0), of random pixels.
THUMB_HASHES = [
    (1, 3, 5, True, "e1d7054c1080b775b7dcb99a8568097b64f888"),
    (2, 8, 8, True, "9f18061f04912a05ac54a6a69b8678cb9cd7e50045725f06"),
    (3, 16, 9, True, "a007021484858dd9377295f88626f638ccfbac"),
    (4, 100, 75, True, "df070205808479b46f758865a9a6a88744cf09c54b"),
    (6, 3, 5, False, "5f1986230627b5ac80d597f3bca9f8bf6497877a7f8769"),
    (7, 16, 9, False, "2008820b8207960b47e8738980bab8f885b86098977885"),
    (8, 75, 100, False, "20f8810400075f2dbe96ca73918f324c8f7f7c69eba5b50f04"),
]


def report(body: bytes, *, allow_gps: bool = False, **requested: bool) -> dict[str, Any]:
    outcome = run(body, edits({"info": requested or True}), Output(), Context(limits=Limits(allow_gps=allow_gps)))
    assert isinstance(outcome, Report)
    return json.loads(json.dumps(outcome.content))  # type: ignore[no-any-return]  # json gives Any


def degrees(*parts: int) -> tuple[IFDRational, ...]:
    return tuple(map(IFDRational, parts))


def camera_file() -> bytes:
    """A JPEG as a camera and a photo editor leave it."""
    tags = Pillow.Exif()
    tags[0x010F], tags[0x0110] = "Canon", "Canon EOS R5"
    tags.get_ifd(0x8769).update(
        {0x9003: "2026:05:01 12:30:00", 0x9011: "+02:00", 0x829A: IFDRational(1, 250),
         0x829D: IFDRational(28, 10), 0x8827: 400, 0x920A: IFDRational(35), 0xA405: 35, 0xA434: "RF35mm F1.8"}
    )  # fmt: skip
    tags.get_ifd(0x8825).update({1: "N", 2: degrees(48, 51, 30), 3: "W", 4: degrees(2, 30, 0)})
    file = io.BytesIO()
    Pillow.new("RGB", (32, 24), "navy").save(file, "jpeg", exif=tags)
    body = file.getvalue()
    return body[:2] + make_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PACKET) + body[2:]


def test_what_camera_and_editor_wrote_is_reported() -> None:
    assert report(camera_file(), details=True)["origin"] == {
        "camera": "Canon EOS R5",
        "lens": "RF35mm F1.8",
        "takenAt": "2026-05-01T12:30:00+02:00",
        "exposureSeconds": 0.004,
        "aperture": 2.8,
        "iso": 400.0,
        "focalLength": 35.0,
        "focalLength35": 35.0,
        "title": "Two cats",
        "creator": "Ada",
        "credit": "Agency & Sons",
        "licence": "https://example.com/licence",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }


def test_a_position_is_reported_only_where_the_operator_allows_it() -> None:
    found = report(camera_file(), details=True, allow_gps=True)["origin"]
    assert (found["latitude"], found["longitude"]) == (48.858333, -2.5)


@pytest.mark.parametrize("name", NAMES)
def test_no_position_is_reported_of_any_format(name: str) -> None:
    text = json.dumps(report(sample(name).body, details=True))
    assert all(str(second) not in text for second in SECONDS)
    assert not any(mark in text.encode() for mark in GPS_MARKS)
    assert "latitude" not in text


def test_credits_of_exif_and_iptc_are_reported() -> None:
    origin = report(sample("jpeg").body, details=True)["origin"]
    assert origin["creator"]
    assert origin["copyright"] == "(c) Ada Example"


def test_damaged_metadata_is_left_out() -> None:
    body = jpeg(keep="none")
    for at in range(2, 400, 7):
        broken = bytearray(camera_file())
        broken[at + 100] ^= 0xFF
        report(bytes(broken), details=True)
    assert report(body, details=True)["origin"] == {}


def test_the_file_hash_is_that_of_the_stored_bytes() -> None:
    body = sample("png").body
    assert report(body, details=True)["sha256"] == hashlib.sha256(body).hexdigest()


def differing_bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_images_that_look_alike_have_similar_perceptual_hashes() -> None:
    original = report(jpeg(scene(640, 480)), details=True)["perceptualHash"]
    assert len(original) == 16
    alike = [png(scene(160, 120)), jpeg(scene(320, 240), Q=30), png(scene(640, 480) * 0.9)]
    assert all(differing_bits(original, report(body, details=True)["perceptualHash"]) <= 10 for body in alike)
    others = [jpeg(scene(640, 480).rot90()), png(pyvips.Image.gaussnoise(200, 200, mean=128).cast("uchar"))]
    assert all(differing_bits(original, report(body, details=True)["perceptualHash"]) > 16 for body in others)


@pytest.mark.parametrize(("seed", "width", "height", "opaque", "expected"), THUMB_HASHES)
def test_thumb_hash_is_that_of_the_reference(
    seed: int, width: int, height: int, *, opaque: bool, expected: str
) -> None:
    pixels = bytearray(random.Random(seed).randbytes(width * height * 4))
    if opaque:
        pixels[3::4] = b"\xff" * (width * height)
    encoded = encode(bytes(pixels), width, height).hex()
    assert len(encoded) == len(expected)
    # The reference computes with 32 bits, so that an amplitude halfway between two steps may be rounded otherwise.
    differences = [abs(int(one, 16) - int(other, 16)) for one, other in zip(encoded, expected, strict=True)]
    assert max(differences) <= 1
    assert sum(differences) <= 3


def test_placeholders_show_the_image_and_its_transparency() -> None:
    opaque, clear = report(jpeg(scene())), report(png(scene_with_alpha()))
    assert base64.b64decode(opaque["thumbHash"])[2] < 0x80
    assert base64.b64decode(clear["thumbHash"])[2] >= 0x80
    for told, bands in ((opaque, 3), (clear, 4)):
        head, _, body = told["preview"].partition(",")
        shown = pyvips.Image.new_from_buffer(base64.b64decode(body), "")
        assert head == "data:image/webp;base64"
        assert (shown.width, shown.height, shown.bands) == (16, 12, bands)
        assert len(told["preview"]) < 500


def test_shares_belong_to_the_colours() -> None:
    told = report(jpeg(scene()))
    assert len(told["paletteShares"]) == len(told["palette"])
    assert sum(told["paletteShares"]) == pytest.approx(1, abs=0.01)
    assert told["paletteShares"] == sorted(told["paletteShares"], reverse=True)


class OneFace(DetectionNotConfigured):
    def labels(self) -> tuple[Label, ...]:
        return (Label("Weapons", 91.5, ("Violence",)),)

    def faces(self) -> tuple[Region, ...]:
        return (Region(0.25, 0.5, 0.125, 0.25),)


def test_faces_are_reported_in_pixels() -> None:
    outcome = run(jpeg(scene(160, 120)), edits({"info": {"faces": True}}), Output(), Context(vision=OneFace()))
    assert isinstance(outcome, Report)
    assert outcome.content["faces"] == [{"left": 40, "top": 60, "width": 20, "height": 30}]


def test_moderation_labels_are_reported() -> None:
    outcome = run(jpeg(), edits({"info": {"moderation": True}}), Output(), Context(vision=OneFace()))
    assert isinstance(outcome, Report)
    assert outcome.content["moderationLabels"] == [{"name": "Weapons", "confidence": 91.5, "above": ["Violence"]}]


def test_a_url_reports_faces_and_moderation_labels() -> None:
    with rekognition_server() as rekognition:
        rekognition.labels = lambda _: {"Smoking": 97.2}
        settings = {"SOURCE_BUCKETS": f"p=file://{SAMPLES}", "PUBLIC_FEATURES": "info"}
        client = Client({**settings, **rekognition.environment})
        labels = client.get("/photos/astronaut.jpg?info.moderation=true").json()["moderationLabels"]
    assert [label["name"] for label in labels] == ["Smoking"]
    (face,) = Client({**settings, "VISION": "local"}).get("/photos/astronaut.jpg?info.faces=true").json()["faces"]
    assert 150 < face["left"] < 250
    assert 30 < face["top"] < 120


@pytest.mark.parametrize("query", ["info.details=true", "info.faces=true", "info.moderation=true"])
def test_strangers_get_the_public_report_only(tmp_path: Path, query: str) -> None:
    (tmp_path / "cat.jpg").write_bytes(camera_file())
    source = {"SOURCE_BUCKETS": f"p=file://{tmp_path}"}
    refused = Client(source).get(f"/cat.jpg?{query}")
    assert refused.status == 403
    assert "PUBLIC_FEATURES" in refused.body.decode()
    assert Client(source).get("/cat.jpg?info=true").status == 200
    assert Client({**source, "PUBLIC_FEATURES": "info", "VISION": "local"}).get(f"/cat.jpg?{query}").status != 403


def test_exif_tags_are_reported_by_name_without_what_identifies() -> None:
    tags = Pillow.Exif()
    tags[0x010F], tags[0x0131], tags[0x010E] = "Canon", "Editor 3", "Two cats"
    tags.get_ifd(0x8769).update(
        {0x829D: IFDRational(28, 10), 0x8827: 400, 0x9286: b"ASCII\0\0\0secret", 0xA430: "Ada", 0xA431: "123456",
         0xA434: "RF35mm F1.8", 0xA435: "98765", 0xA432: (IFDRational(24), IFDRational(70))}
    )  # fmt: skip
    tags.get_ifd(0x8825).update({1: "N", 2: degrees(48, 51, 30), 3: "W", 4: degrees(2, 30, 0)})
    file = io.BytesIO()
    Pillow.new("RGB", (32, 24), "navy").save(file, "jpeg", exif=tags)
    found = report(file.getvalue(), allow_gps=True, exif=True)["exif"]
    assert found["image"] == {"ImageDescription": "Two cats", "Make": "Canon", "Software": "Editor 3"}
    assert found["photo"] == {
        "FNumber": 2.8,
        "ISOSpeedRatings": 400,
        "LensSpecification": [24, 70],
        "LensModel": "RF35mm F1.8",
    }


@pytest.mark.parametrize("name", NAMES)
def test_exif_of_any_file_tells_no_position(name: str) -> None:
    found = report(sample(name).body, allow_gps=True, exif=True)["exif"]
    assert set(found) == {"image", "photo"}
    assert not any("GPS" in tag for group in found.values() for tag in group)


def test_exif_is_closed_to_the_public(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(camera_file())
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    assert client.get("/cat.jpg?info.exif=true").status == 403
    assert client.get("/cat.jpg?info.result=true").status == 200


def test_the_edited_image_is_reported_beside_the_original(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(jpeg(scene(640, 480)))
    (tmp_path / "film.gif").write_bytes(sample("gif-animated").body)
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    answer = client.get("/cat.jpg?rotate=90&width=60&roundCrop=true&grayscale=true&info.result=true").json()
    assert (answer["width"], answer["height"]) == (640, 480)
    size = pyvips.Image.new_from_buffer(client.get("/cat.jpg?rotate=90&width=60&roundCrop=true&format=png").body, "")
    assert answer["result"] == {"width": size.width, "height": size.height, "frames": 1, "alpha": True}
    red, green, blue = bytes.fromhex(answer["dominantColor"][1:])
    assert max(red, green, blue) - min(red, green, blue) <= 2
    # The decoder may reduce the image for the thumbnail, which changes nothing of its size.
    assert client.get("/cat.jpg?info.result=true").json()["result"]["width"] == 640
    assert client.get("/film.gif?format=webp&info.result=true").json()["result"]["frames"] == 3
