"""smartCropping through the real door, with Rekognition's eyes and with this machine's."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from tests import pictures, similarity
from tests.client import Client, size
from tests.handler.detection.conftest import Serve
from tests.stand_ins.rekognition import Rekognition
from tests.tools import lacking

from handler.config import Settings
from handler.detection import local as local_module
from handler.detection.local import LocalFaces, _box, _salient_region
from imaging import Deadline, Limits, Region, has_saliency, render_previews

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[3] / "samples"
FACE = (0.3514, 0.1211, 0.1699, 0.2207)
"""Of the astronaut, as shares: 180 to 267 pixels across and 62 to 175 down, of 512."""


# --- Rekognition


@pytest.mark.parametrize("name", ["jpeg-turned", "png-grey-alpha", "gif-animated", "heic", "svg"])
def test_faces_are_found_in_every_kind_of_source(
    serve: Serve, folder: Path, rekognition: Rekognition, name: str
) -> None:
    rekognition.faces = [(0.5, 0.5, 0.25, 0.25)]
    (folder / "picture").write_bytes(pictures.sample(name).body)
    made = serve().get("/picture?smartCrop=true&format=png&animated=false")
    assert made.status == 200
    assert size(made.body) == (40, 30)
    assert rekognition.asked == ["DetectFaces"]


def test_an_upright_picture_is_shown(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    rekognition.faces = [(0.0, 0.0, 0.25, 0.25)]
    (folder / "turned.jpg").write_bytes(pictures.jpeg(orientation=6))
    made = serve().get("/turned.jpg?smartCrop=true&format=png")
    assert size(made.body) == (40, 30)
    shown = rekognition.pictures[0]
    assert (shown.width, shown.height) > (160, 0)
    assert shown.width > shown.height


@pytest.mark.parametrize("sides", [(40, 30), (20, 1000), (3000, 12), (1, 1)])
def test_small_and_thin_pictures_are_filled_up(
    serve: Serve, folder: Path, rekognition: Rekognition, sides: tuple[int, int]
) -> None:
    (folder / "odd.png").write_bytes(pictures.png(pictures.scene(*sides)))
    rekognition.faces = [(0.0, 0.0, 1.0, 1.0)]
    made = serve().get("/odd.png?smartCrop=true")
    assert size(made.body) == sides


def test_boxes_are_clamped_to_the_picture(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    (folder / "scene.png").write_bytes(pictures.png())
    rekognition.faces = [(-0.25, 0.75, 0.5, 0.5), (1.5, 0.0, 0.1, 0.1)]
    assert size(serve().get("/scene.png?smartCrop=true").body) == (40, 30)


def test_faces_are_counted_in_the_order_of_the_service(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    (folder / "scene.png").write_bytes(pictures.png())
    rekognition.faces = [(0, 0, 0.1, 0.1), (0.5, 0.5, 0.5, 0.5)]
    client = serve()
    assert size(client.get("/scene.png?feature=smartCropping&faceIndex=1").body) == (80, 60)
    assert size(client.get("/scene.png?feature=smartCropping&faceIndex=0").body) == (16, 12)
    refused = client.get("/scene.png?feature=smartCropping&faceIndex=2")
    assert (refused.status, refused.json()["code"]) == (400, "SmartCrop::FaceIndexOutOfRange")
    assert rekognition.asked == ["DetectFaces"]


def test_aws_words_for_it(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    (folder / "scene.png").write_bytes(pictures.png())
    rekognition.faces = [(0.25, 0.25, 0.25, 0.25)]
    edits = {"smartCrop": {"faceIndex": 0, "padding": 10}}
    path = base64.b64encode(json.dumps({"key": "scene.png", "edits": edits}).encode()).decode()
    assert size(serve().get(f"/{path}").body) == (60, 50)


def test_objects_with_boxes(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    (folder / "scene.png").write_bytes(pictures.png())
    rekognition.objects = {"Car": [(0, 0, 0.25, 0.5), (0.25, 0.5, 0.25, 0.5)], "Sky": [], "Dog": [(0.9, 0.9, 0.1, 0.1)]}
    made = serve().get("/scene.png?feature=smartCropping&subject=objects")
    assert size(made.body) == (80, 120)
    assert size(serve().get("/scene.png?feature=smartCropping").body) == (80, 120)
    assert rekognition.asked == ["DetectLabels", "DetectFaces", "DetectLabels"]


def test_nothing_to_be_seen_falls_back_to_what_draws_the_eye(
    serve: Serve, folder: Path, rekognition: Rekognition
) -> None:
    (folder / "scene.png").write_bytes(pictures.png())
    made = serve().get("/scene.png?feature=smartCropping&width=50&height=60")
    assert size(made.body) == (50, 60)
    assert rekognition.asked == ["DetectFaces", "DetectLabels"]


def test_a_large_picture_is_sent_small(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    bands: list[Any] = [pyvips.Image.gaussnoise(2400, 1800, mean=128, sigma=80, seed=seed) for seed in (1, 2, 3)]
    noise = bands[0].bandjoin(bands[1:])
    body = noise.cast("uchar").copy(interpretation="srgb").jpegsave_buffer(Q=95)
    (folder / "large.jpg").write_bytes(bytes(body))
    rekognition.faces = [(0.5, 0.5, 0.25, 0.25)]
    assert size(serve().get("/large.jpg?smartCrop=true").body) == (600, 450)
    assert max(rekognition.pictures[0].width, rekognition.pictures[0].height) == 1920


def test_without_credentials_it_says_what_to_do(serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "scene.png").write_bytes(pictures.png())
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    answer = serve(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="").get("/scene.png?smartCrop=true")
    assert answer.status == 501
    assert "credentials" in answer.json()["message"]


# --- this machine


@pytest.fixture(scope="module")
def local() -> LocalFaces:
    return LocalFaces()


def faces(local: LocalFaces, body: bytes) -> list[Region]:
    shown = render_previews(body, Limits(), Deadline.after(60), side=local.side)
    return list(local.detect(shown, Deadline.after(60)).regions)


def overlap(one: Region, other: tuple[float, ...]) -> float:
    """Shared area by the area of both."""
    across = min(one.left + one.width, other[0] + other[2]) - max(one.left, other[0])
    down = min(one.top + one.height, other[1] + other[3]) - max(one.top, other[1])
    shared = max(0.0, across) * max(0.0, down)
    return shared / (one.width * one.height + other[2] * other[3] - shared)


def test_the_astronaut_is_found(local: LocalFaces) -> None:
    (face,) = faces(local, (SAMPLES / "photos" / "astronaut.jpg").read_bytes())
    assert overlap(face, FACE) > 0.8


@pytest.mark.parametrize(
    "sides", [(512, 256, 128, 64), (400, 300, 200, 100), (1024, 512, 256, 128), (300, 220, 160, 110)]
)
@pytest.mark.parametrize("ground", [0, 200])
def test_four_of_four_are_found_on_a_sheet(local: LocalFaces, sides: tuple[int, ...], ground: int) -> None:
    astronaut: Any = pyvips.Image.new_from_file(str(SAMPLES / "photos" / "astronaut.jpg"))
    sheet = (pyvips.Image.black(sum(sides) + 100, max(sides) + 40, bands=3) + ground).cast("uchar")
    sheet = sheet.copy(interpretation="srgb")
    expected, left = [], 20
    for side in sides:
        sheet = sheet.insert(astronaut.resize(side / 512), left, 20)
        box = (left + FACE[0] * side, 20 + FACE[1] * side, FACE[2] * side, FACE[3] * side)
        room = (sheet.width, sheet.height)
        expected.append(tuple(length / room[at % 2] for at, length in enumerate(box)))
        left += side + 20
    found = faces(local, bytes(sheet.jpegsave_buffer(Q=92)))
    assert len(found) == 4
    assert all(overlap(face, box) > 0.6 for face, box in zip(found, expected, strict=True))


@pytest.mark.parametrize("side", [80, 100])
def test_small_faces_are_found_wherever_tiles_meet(local: LocalFaces, side: int) -> None:
    """Of 13 and 17 pixels, in an image that is looked at in four tiles."""
    astronaut: Any = pyvips.Image.new_from_file(str(SAMPLES / "photos" / "astronaut.jpg")).resize(side / 512)
    for left, top in ((555, 555), (590, 600), (540, 30), (1100, 1100)):
        scene = (pyvips.Image.black(1216, 1216, bands=3) + 90).cast("uchar").copy(interpretation="srgb")
        scene = scene.insert(astronaut, left, top)
        expected = (
            (left + FACE[0] * side) / 1216,
            (top + FACE[1] * side) / 1216,
            *(FACE[at] * side / 1216 for at in (2, 3)),
        )
        (face,) = faces(local, bytes(scene.pngsave_buffer(compression=1)))
        assert overlap(face, expected) > 0.6


@pytest.mark.parametrize("degrees", [15, 45, 90])
def test_turned_faces_are_found(local: LocalFaces, degrees: int) -> None:
    astronaut: Any = pyvips.Image.new_from_file(str(SAMPLES / "photos" / "astronaut.jpg"))
    turned = astronaut.rotate(degrees, background=[128])
    assert len(faces(local, bytes(turned.jpegsave_buffer(Q=92)))) == 1


def test_the_networks_file_is_the_published_one() -> None:
    (path,) = Path(local_module.__file__).parent.glob("*.onnx")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == (
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
    )


OTHERS = [path for path in sorted(SAMPLES.rglob("*.*")) if path.stem != "astronaut" and path.suffix != ".md"]


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_nothing_is_found_in_the_other_samples(local: LocalFaces, path: Path) -> None:
    assert faces(local, path.read_bytes()) == []


@pytest.mark.parametrize("sides", [(1, 1), (11, 500), (12, 12), (2000, 3)])
def test_pictures_of_any_size_can_be_looked_at(local: LocalFaces, sides: tuple[int, int]) -> None:
    assert faces(local, pictures.png(pictures.scene(*sides))) == []


def test_http_works_without_aws() -> None:
    client = Client({"SOURCE_BUCKETS": f"samples=file://{SAMPLES}", "PUBLIC_FEATURES": "*", "WEIGHTS": "/none"})
    made = client.get("/photos/astronaut.jpg?feature=smartCropping&width=120&height=160&format=png")
    assert (made.status, size(made.body)) == (200, (120, 160))
    refused = client.get("/photos/astronaut.jpg?feature=smartCropping&subject=objects")
    assert refused.status == 501
    assert "VISION=rekognition" in refused.json()["message"]
    cat = client.get("/photos/cat.jpg?feature=smartCropping&width=120&height=160&subject=faces")
    assert (cat.status, size(cat.body)) == (200, (120, 160))


def weights() -> str:
    """The folder of U²-Net's weights."""
    folder = Settings().weights_folder
    if has_saliency(folder):
        return folder
    return lacking("the weights of u2net are needed: make setup")


def test_what_stands_out_is_cut_out_where_the_weights_are() -> None:
    client = Client({"SOURCE_BUCKETS": f"samples=file://{SAMPLES}", "PUBLIC_FEATURES": "*", "WEIGHTS": weights()})
    cup = client.get("/photos/coffee.jpg?feature=smartCropping&subject=salient&format=png")
    width, height = size(cup.body)
    assert 300 < width < 500
    assert 250 < height < 400
    shaped = client.get("/photos/coffee.jpg?feature=smartCropping&width=60&height=60")
    assert size(shaped.body) == (60, 60)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ((slice(80, 160), slice(160, 320)), (0.5, 0.25, 0.5, 0.25)),
        ((slice(0, 320), slice(0, 320)), (0.0, 0.0, 1.0, 1.0)),
        ((slice(0, 2), slice(0, 2)), None),
    ],
)
def test_a_figure_has_a_box(drawn: Any, expected: Any) -> None:
    mask = np.zeros((320, 320), bool)
    mask[drawn] = True
    found = _box(mask)
    assert found == (None if expected is None else pytest.approx(expected, abs=0.01))
    if expected == (0.5, 0.25, 0.5, 0.25):
        mask[310, 5] = True  # a speck far off
        assert _box(mask) == pytest.approx(expected, abs=0.01)


def test_a_figure_tells_how_it_is_spread() -> None:
    mask = np.zeros((320, 320), np.uint8)
    assert _salient_region(mask) is None
    mask[:, 160:] = 255
    figure = _salient_region(mask)
    assert figure is not None
    assert figure.region == pytest.approx((0.5, 0.0, 0.5, 1.0), abs=0.01)
    assert len(figure.across) == len(figure.down) == 65
    assert [figure.across[line] for line in (0, 32, 48, 64)] == pytest.approx([0.0, 0.0, 0.5, 1.0], abs=1e-4)
    assert [figure.down[line] for line in (0, 32, 48, 64)] == pytest.approx([0.0, 0.5, 0.75, 1.0], abs=1e-4)


def test_a_wide_crop_of_who_stands_keeps_the_head() -> None:
    client = Client({"SOURCE_BUCKETS": f"samples=file://{SAMPLES}", "PUBLIC_FEATURES": "*", "WEIGHTS": weights()})
    address = "/photos/astronaut.jpg?feature=smartCropping&subject=salient&width=320&height=180&format=png"
    made = pyvips.Image.new_from_buffer(client.get(address).body, "")
    astronaut: Any = pyvips.Image.new_from_file(str(SAMPLES / "photos" / "astronaut.jpg"))
    # Of 512 pixels her hair begins at 24 and her chin ends at 178.
    assert min(
        similarity.mean_difference(made, astronaut.crop(0, top, 512, 288).resize(0.625)) for top in range(24)
    ) < 3  # fmt: skip


PROGRAM = """
import json, os, sys
from tests.client import Client
client = Client(json.loads(sys.argv[1]))
answer = client.get(sys.argv[2])
print(json.dumps([answer.status, sorted(sys.modules)]))
"""


@pytest.mark.parametrize(
    ("vision", "absent"),
    [("local", {"boto3", "rembg", "skimage", "cv2", "scipy"}), ("rekognition", {"onnxruntime", "rembg"})],
)
def test_only_those_who_look_are_imported(rekognition: Rekognition, vision: str, absent: set[str]) -> None:
    rekognition.faces = [FACE]
    environment = {
        "SOURCE_BUCKETS": f"samples=file://{SAMPLES}", "PUBLIC_FEATURES": "*", "VISION": vision,
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_REKOGNITION": rekognition.url, "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret",
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(environment), "/photos/astronaut.jpg?smartCrop=true"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SAMPLES.parent)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    status, modules = json.loads(ran.stdout.splitlines()[-1])
    assert status == 200
    assert absent.isdisjoint(modules)
