"""`redact` through the real entrypoint, with Rekognition and with the local detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures
from tests.client import Client
from tests.handler.detection.conftest import Serve
from tests.stand_ins.rekognition import Rekognition
from tests.steps import pixel

SAMPLES = Path(__file__).parents[3] / "samples"
FILL = "&redact.mode=fill&redact.margin=0&format=png"
BLACK = [0.0, 0.0, 0.0]


def shown(body: bytes) -> Any:
    return pyvips.Image.new_from_buffer(body, "")


def is_hidden(image: Any, x: float, y: float) -> bool:
    return pixel(image, int(x * image.width), int(y * image.height))[:3] == BLACK


@pytest.fixture
def scene(folder: Path) -> None:
    white: Any = (pyvips.Image.black(160, 120, bands=3) + 255).cast("uchar").copy(interpretation="srgb")
    (folder / "scene.png").write_bytes(white.pngsave_buffer())


@pytest.mark.usefixtures("scene")
def test_faces_objects_and_text_each_by_one_call(serve: Serve, rekognition: Rekognition) -> None:
    rekognition.faces = [(0.0, 0.0, 0.25, 0.25)]
    rekognition.objects = {"Car": [(0.5, 0.0, 0.25, 0.25)], "Dog": [(0.0, 0.5, 0.25, 0.25)]}
    rekognition.text = [(0.5, 0.5, 0.25, 0.25)]
    client = serve()
    places = ((0.1, 0.1), (0.6, 0.1), (0.1, 0.6), (0.6, 0.6))
    for asked, hidden in (
        ("faces", (True, False, False, False)),
        ("faces,text", (True, False, False, True)),
        ("objects", (False, True, True, False)),
        ("objects&redact.labels=Car", (False, True, False, False)),
        ("faces,objects,text", (True, True, True, True)),
    ):
        made = client.get(f"/scene.png?redact={asked}{FILL}")
        assert made.status == 200
        assert tuple(is_hidden(shown(made.body), *place) for place in places) == hidden
    assert sorted(rekognition.asked) == ["DetectFaces", "DetectLabels", "DetectText"]


@pytest.mark.usefixtures("scene")
def test_one_call_for_objects_serves_crops_around_each_of_their_labels(serve: Serve, rekognition: Rekognition) -> None:
    rekognition.objects = {"Car": [(0.5, 0.0, 0.25, 0.25)], "Dog": [(0.0, 0.5, 0.5, 0.5)]}
    client = serve(DIALECTS="imgproxy,query")
    for query, expected in (
        ("labels=car", (40, 30)),
        ("labels=Dog", (80, 60)),
        ("labels=Dog&smartCropping.zoom=50", (160, 120)),
        ("labels=Car,Dog", (120, 120)),
    ):
        answer = client.get(f"/scene.png?smartCropping=objects&smartCropping.{query}&format=png")
        assert (shown(answer.body).width, shown(answer.body).height) == expected, query
    cropped = shown(client.get("/unsafe/crop_objects:1:dog/plain/scene.png@png").body)
    assert (cropped.width, cropped.height) == (80, 60)
    filled = shown(client.get("/unsafe/rs:fill:30:30/g:objw:dog:1:car:0/op:soea/plain/scene.png@png").body)
    assert (filled.width, filled.height) == (30, 30)
    assert rekognition.asked == ["DetectLabels"]
    assert serve(PUBLIC_FEATURES="").get("/scene.png?smartCropping.labels=Dog").status == 403


@pytest.mark.usefixtures("scene")
def test_one_call_for_objects_serves_smart_cropping_too(serve: Serve, rekognition: Rekognition) -> None:
    rekognition.objects = {"Car": [(0.5, 0.0, 0.25, 0.25)]}
    client = serve()
    assert client.get(f"/scene.png?redact=objects{FILL}").status == 200
    assert client.get("/scene.png?feature=smartCropping&subject=objects").status == 200
    assert rekognition.asked == ["DetectLabels"]


def test_every_frame_is_looked_at(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    animation = pictures.sample("gif-animated").body
    (folder / "moving.gif").write_bytes(animation)
    rekognition.faces = [(0.25, 0.25, 0.5, 0.5)]
    frames = shown(animation).get("n-pages")
    client = serve()
    made = client.get("/moving.gif?redact=faces&redact.mode=fill&redact.margin=0&format=webp&lossless=true")
    assert made.status == 200
    animated: Any = pyvips.Image.new_from_buffer(made.body, "", n=-1)
    height = animated.get("page-height")
    assert all(
        pixel(animated, animated.width // 2, height * index + height // 2)[:3] == BLACK for index in range(frames)
    )
    assert rekognition.asked == ["DetectFaces"] * frames
    assert client.get("/moving.gif?redact=faces&width=20&format=gif").status == 200
    assert rekognition.asked == ["DetectFaces"] * frames
    assert client.get("/moving.gif?redact=faces&page=1&format=png").status == 200
    assert rekognition.asked == ["DetectFaces"] * (frames + 1)


def test_more_frames_than_are_looked_at_are_refused(serve: Serve, folder: Path, rekognition: Rekognition) -> None:
    frames = [pictures.scene(8, 6).linear([1], [index]).cast("uchar") for index in range(61)]
    joined: Any = pyvips.Image.arrayjoin(frames, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", 6)
    (folder / "long.gif").write_bytes(joined.gifsave_buffer(keep_duplicate_frames=True))
    client = serve()
    refused = client.get("/long.gif?redact=faces&format=webp")
    assert (refused.status, rekognition.asked) == (413, [])
    assert "at most 60 frames, got 61" in refused.json()["message"]
    assert client.get("/long.gif?redact=faces&animated=false&format=png").status == 200


@pytest.mark.usefixtures("scene")
@pytest.mark.parametrize("overlays", [True, False])
def test_always_hides_faces_of_overlays_too(
    serve: Serve, folder: Path, rekognition: Rekognition, overlays: bool
) -> None:
    (folder / "logo.png").write_bytes((folder / "scene.png").read_bytes())
    rekognition.faces = [(0.25, 0.25, 0.5, 0.5)]
    always = f'{{"redact": {{"mode": "fill", "margin": 0, "overlays": {str(overlays).lower()}}}}}'
    client = serve(ALWAYS=always)
    plain = client.get("/scene.png")
    assert is_hidden(shown(plain.body), 0.5, 0.5)
    covered = client.get("/scene.png?watermark.key=logo.png&watermark.opacity=100&format=png")
    assert is_hidden(shown(covered.body), 0.5, 0.5) is overlays
    # The same overlay with edits of its own: it is hidden before these.
    address = "/logo.png%3Fsteps=[{%22extend%22:{%22left%22:0}},{%22extract%22:{%22width%22:80,%22height%22:60}}]"
    edited = shown(client.get(f"/scene.png?watermark.address={address}&watermark.position=top-left&format=png").body)
    assert edited.width == 160
    assert max(pixel(edited, 50, 40)[:3]) == (0 if overlays else 255)
    report = client.get("/scene.png?info=true")
    assert (report.status, report.json()["width"]) == (200, 160)


@pytest.mark.usefixtures("scene")
def test_a_clients_own_step_cannot_take_off_that_of_always(serve: Serve, rekognition: Rekognition) -> None:
    rekognition.faces = [(0.25, 0.25, 0.5, 0.5)]
    client = serve(ALWAYS='{"redact": {"mode": "fill", "margin": 0}}')
    for query in ("redact=false", "redact.areas=0,0,1,1", "redact.draw=true", "redact=faces&redact.mode=blur"):
        made = client.get(f"/scene.png?{query}&format=png")
        assert made.status == 400 or max(pixel(shown(made.body), 80, 60)[:3]) < 10, query


@pytest.mark.usefixtures("scene")
def test_areas_are_open_to_all_but_detection_and_drawing_are_not(serve: Serve) -> None:
    client = serve(PUBLIC_FEATURES="")
    assert client.get(f"/scene.png?redact.areas=10,10,50,50{FILL}").status == 200
    for query in ("redact=true", "redact=faces", "redact.areas=1,1,5,5&redact.draw=true"):
        assert client.get(f"/scene.png?{query}").status == 403


def test_previews_in_the_metadata_are_gone(serve: Serve, folder: Path) -> None:
    image: Any = pictures.scene(160, 120).copy()
    image.set_type(pyvips.GValue.gstr_type, "exif-ifd0-Copyright", "Ada")
    image.set_type(pyvips.GValue.gstr_type, "exif-ifd0-ImageDescription", "the face of Ada")
    (folder / "photo.jpg").write_bytes(image.jpegsave_buffer(keep="all"))
    client = serve()
    kept = client.get("/photo.jpg?metadata=keep&width=40")
    assert b"the face of Ada" in kept.body
    hidden = client.get("/photo.jpg?metadata=keep&width=40&redact.areas=10,10,50,50")
    assert hidden.status == 200
    assert b"the face of Ada" not in hidden.body


def test_without_rekognition_objects_and_text_say_what_they_need(folder: Path) -> None:
    (folder / "scene.png").write_bytes(pictures.png())
    client = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "VISION": "local", "PUBLIC_FEATURES": "*"})
    for kind, action in (("objects", "rekognition:DetectLabels"), ("text", "rekognition:DetectText")):
        refused = client.get(f"/scene.png?redact={kind}")
        assert refused.status == 501
        assert f"redact.detect={kind}" in refused.json()["message"]
        assert action in refused.json()["message"]


@pytest.mark.slow
def test_the_local_detector_hides_the_astronauts_face_alone() -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{SAMPLES / 'photos'}", "VISION": "local", "PUBLIC_FEATURES": "*"})
    made = client.get("/astronaut.jpg?redact=faces&redact.mode=fill&redact.color=lime&format=png")
    assert made.status == 200
    image = shown(made.body)
    green = (image == [0, 255, 0]).bandand()
    left, top, width, height = green.find_trim(background=[0], threshold=1)
    # The face is 180 to 267 pixels across and 62 to 175 down.
    assert (120 <= left <= 180, 267 <= left + width <= 330, 10 <= top <= 62, 175 <= top + height <= 240) == (True,) * 4
