"""An image over which a generated one is laid says so: IPTC's digital source type of a composite."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pyvips
from tests import pictures
from tests.client import Client
from tests.generated import GENERATED, packet_with
from tests.weights import WEIGHTS, require_weights

from imaging.codecs.decode import inspect
from imaging.codecs.metadata.label import is_generated, label_composite
from imaging.codecs.metadata.origin import read_origin
from imaging.context import Deadline, Limits

TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = TERMS + "compositeWithTrainedAlgorithmicMedia"
FORMATS = ["jpeg", "png", "webp", "avif", "tiff", "gif", "apng"]


def labelled(term: bytes = GENERATED, size: tuple[int, int] = (64, 48), kind: str = ".png") -> bytes:
    """A file with IPTC's term in its XMP packet."""
    image: Any = pictures.scene(*size).copy()
    element = b"<e:DigitalSourceType>%s</e:DigitalSourceType>" % term
    image.set_type(pyvips.GValue.blob_type, "xmp-data", packet_with((b"", element)))
    return bytes(image.write_to_buffer(kind))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overlays")
    files = {
        "photo.jpg": pictures.jpeg(pictures.scene(200, 120)),
        "plain.png": pictures.png(pictures.scene(40, 30)),
        "ai.png": labelled(),
        "ai.webp": labelled(kind=".webp"),
        "ai.jpg": labelled(kind=".jpg"),
        "part.png": labelled(COMPOSITE.encode()),
        "captured.png": labelled(f"{TERMS}digitalCapture".encode()),
        "odd.png": labelled(b"nonsense"),
    }
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return folder


@pytest.fixture(scope="module")
def service(folder: Path) -> Client:
    weights = str(WEIGHTS)
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", "PUBLIC_FEATURES": "*", "WEIGHTS": weights})


def source_type(service: Client, path: str) -> object:
    answer = service.get(path)
    assert answer.status == 200, answer.body
    header = inspect(answer.body, Limits(), Deadline())
    return read_origin(answer.body, header, position=False).get("digitalSourceType")


@pytest.mark.parametrize("chosen", FORMATS)
@pytest.mark.parametrize("overlay", ["ai.png", "ai.webp", "ai.jpg", "part.png"])
def test_a_generated_overlay_labels_the_result(service: Client, chosen: str, overlay: str) -> None:
    assert source_type(service, f"/photo.jpg?watermark={overlay}&format={chosen}") == COMPOSITE


@pytest.mark.parametrize("overlay", ["plain.png", "captured.png", "odd.png"])
def test_another_overlay_does_not(service: Client, overlay: str) -> None:
    assert source_type(service, f"/photo.jpg?watermark={overlay}") is None


@pytest.mark.parametrize(
    ("original", "metadata", "expected"),
    [
        ("photo.jpg", "keep", COMPOSITE),
        ("photo.jpg", "copyright", COMPOSITE),
        ("captured.png", "strip", COMPOSITE),
        ("captured.png", "keep", COMPOSITE),
        ("odd.png", "keep", COMPOSITE),
        ("part.png", "strip", COMPOSITE),
        ("ai.jpg", "strip", GENERATED.decode()),
        ("ai.jpg", "keep", GENERATED.decode()),
    ],
)
def test_the_label_joins_what_is_kept_of_the_original(
    service: Client, original: str, metadata: str, expected: str
) -> None:
    assert source_type(service, f"/{original}?watermark=ai.png&metadata={metadata}") == expected


@pytest.mark.parametrize(
    "query",
    [
        "watermark.0.key=plain.png&watermark.1.key=ai.png",
        "frame=ai.png",
        "boolean.key=ai.png&boolean.operator=and",
        "redact.areas=0,0,9,9&watermark=ai.png",
        "watermark.address=" + quote("/ai.png?width=20&rotate=90", safe=""),
        "watermark.address=" + quote("/plain.png?watermark=ai.png", safe=""),
        "watermark.address=" + quote("/plain.png?watermark.address=" + quote("/ai.png?blur=2", safe=""), safe=""),
    ],
)
def test_every_way_to_lay_one_image_over_another_labels_it(service: Client, query: str) -> None:
    assert source_type(service, f"/photo.jpg?{query}") == COMPOSITE
    assert source_type(service, f"/photo.jpg?{query.replace('ai.png', 'plain.png')}") is None


def test_a_card_without_an_original_is_labelled(service: Client) -> None:
    assert source_type(service, "/_canvas?width=90&height=90&color=navy&watermark=ai.png") == COMPOSITE


@pytest.mark.models
@pytest.mark.parametrize(
    "query",
    [
        "watermark.address=" + quote("/ai.png?removeBackground=true", safe=""),
        "watermark.address=" + quote("/ai.png?upscale=true", safe=""),
        "removeBackground.background=ai.png",
        "cutout.background=ai.png",
    ],
)
def test_a_cut_out_or_upscaled_overlay_and_a_background_label_the_result(service: Client, query: str) -> None:
    require_weights("optimised/u2net.onnx", "upscale/waifu2x-photo.onnx")
    assert source_type(service, f"/photo.jpg?{query}") == COMPOSITE


def test_a_packet_keeps_what_it_says_beside_the_label() -> None:
    packet = packet_with((b"", b""))
    composite = label_composite(packet)
    assert is_generated(composite)
    assert b"<dc:title>secret</dc:title>" in composite
    assert label_composite(composite) == composite
