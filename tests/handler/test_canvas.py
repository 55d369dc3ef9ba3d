"""An address without an original: a canvas of one colour, on which everything that edits an image works."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests import pictures
from tests.client import Answered, Client, answered, size

from handler.auth.signature import sign
from handler.config import SettingsError
from imaging import Canvas, InvalidParameter

SECRET = "a secret of forty characters, as it should be"
MISSING = "AuthorizationQueryParametersError"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("canvas")
    (folder / "photos").mkdir()
    (folder / "photos" / "cat.jpg").write_bytes(pictures.jpeg())
    (folder / "secret").write_text(SECRET)
    return folder


def client_of(folder: Path, **environment: str) -> Client:
    return Client({"SOURCE_BUCKETS": f"photos=file://{folder}/photos", **environment})


@pytest.fixture(scope="module")
def client(folder: Path) -> Client:
    return client_of(folder)


def opened(answer: Answered) -> Image.Image:
    """Decode by Pillow, which shares nothing with what has made the file."""
    import io

    assert answer.status == 200, answer.body
    return Image.open(io.BytesIO(answer.body))


@pytest.mark.parametrize(
    ("query", "expected", "color"),
    [
        ("", (1200, 630), (255, 255, 255, 255)),
        ("width=31&height=17&color=navy", (31, 17), (0, 0, 128, 255)),
        ("width=8&height=9&color=ff880080", (8, 9), (255, 136, 0, 128)),
        ("width=1&height=1&color=transparent", (1, 1), (0, 0, 0, 0)),
        ("width=4096&height=3&color=rgb(1,2,3)", (4096, 3), (1, 2, 3, 255)),
    ],
)
def test_a_canvas_has_the_given_size_and_colour(
    client: Client, query: str, expected: tuple[int, int], color: tuple[int, ...]
) -> None:
    image = opened(client.get(f"/_canvas?{query}"))
    assert image.size == expected
    assert image.convert("RGBA").getcolors() == [(expected[0] * expected[1], color)]


def test_features_and_output_options_apply_to_a_canvas(client: Client) -> None:
    answer = client.get("/_canvas?width=200&height=100&color=navy&text=Hello&resize.width=100&format=jpeg")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert size(answer.body) == (100, 50)
    levels = pyvips.Image.new_from_buffer(answer.body, "")
    assert (levels[2].min(), levels.max()) != (128, 128), "a text must be on it"
    facts = client.get("/_canvas?width=20&height=10&info=true").json()
    assert (facts["width"], facts["height"], facts["format"]) == (20, 10, "png")


def test_a_canvas_is_an_object_of_a_source_in_every_language(folder: Path) -> None:
    client = client_of(folder, SOURCE_PATHS="cards/=_canvas")
    expected = client.get("/_canvas?width=30&height=20&color=ff0000&rotate=90")
    request = {"bucket": "_canvas", "key": "30x20-ff0000", "edits": {"rotate": 90}}
    in_json = base64.b64encode(json.dumps(request).encode()).decode()
    event = {"imageKey": "30x20-ff0000", "bucket": "_canvas", "rotate": 90}
    others = [
        client.get(f"/{in_json}"),
        client.get("/30x20-ff0000?bucket=_canvas&rotate=90"),
        client.get("/cards/30x20-ff0000?rotate=90"),
        client.get("/unsafe/filters:rotate(90)/cards/30x20-ff0000"),
        answered(client.invoke(event)),
    ]
    assert [other.body for other in others] == [expected.body] * len(others)
    explained = client.get("/_api/explain?url=%2F_canvas%3Fwidth%3D30%26height%3D20%26color%3Dred").json()
    assert (explained["bucket"], explained["key"]) == ("_canvas", "30x20-ff0000")


def test_a_canvas_can_be_laid_over_an_image(client: Client) -> None:
    query = "watermark.bucket=_canvas&watermark.key=10x10-ff0000&watermark.left=0&watermark.top=0&format=png"
    image = opened(client.get(f"/cat.jpg?{query}"))
    assert image.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("width=0", "`width` must be whole pixels from 1 to 4096, got '0'"),
        ("width=4097", "`width` must be whole pixels from 1 to 4096, got '4097'"),
        ("height=1e3", "`height` must be whole pixels from 1 to 4096, got '1e3'"),
        ("height=%D9%A3", "`height` must be whole pixels"),
        ("color=no", "`color` must be a colour"),
        ("width=3&width=4", "`width` must be given once"),
        ("bucket=photos", "`bucket` must be given once"),
        ("hue=3&nothing=3", "`nothing` must be a known parameter"),
    ],
)
def test_what_is_wrong_is_named(client: Client, query: str, message: str) -> None:
    answer = client.get(f"/_canvas?{query}")
    assert answer.status == 400
    assert message in answer.json()["message"]
    assert "max-age=31536000" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "key", ["30x20", "30-red", "x-red", "30x20-", "30x20-red/", " 30x20-red", "-1x20-red", "a.png"]
)
def test_a_key_that_is_no_canvas_is_a_client_s_mistake(client: Client, key: str) -> None:
    assert client.get(f"/_key/{key}?bucket=_canvas").status == 400


def test_only_this_path_is_a_canvas(client: Client) -> None:
    assert [client.get(path).status for path in ("/_canvas/", "/_canvas/a", "/_canvases", "/_Canvas")] == [404] * 4
    assert client.get("/_canvas", method="POST").status == 405


def test_a_canvas_has_an_etag_of_its_own_and_is_cached_as_images_are(client: Client) -> None:
    one = client.get("/_canvas?width=9&height=9&color=red")
    assert one.headers["Cache-Control"] == client.get("/cat.jpg").headers["Cache-Control"]
    assert client.get("/_canvas?width=9&height=9&color=red", if_none_match=one.headers["ETag"]).status == 304
    assert client.get("/_canvas?color=ff0000&height=9&width=9").headers["ETag"] == one.headers["ETag"]
    assert client.get("/_canvas?width=9&height=8&color=red").headers["ETag"] != one.headers["ETag"]


def test_a_canvas_needs_a_signature_where_images_do(folder: Path) -> None:
    client = client_of(folder, ENABLE_SIGNATURE="Yes", SIGNATURE_SECRET_FILE=str(folder / "secret"))
    pairs = (("color", "red"), ("width", "9"))
    signature = sign("/_canvas", pairs, SECRET)
    assert client.get("/_canvas?color=red&width=9").json()["code"] == MISSING
    assert client.get(f"/_canvas?color=red&width=9&signature={signature}").status == 200
    assert client.get(f"/_canvas?color=red&width=10&signature={signature}").status == 403


def test_canvases_can_be_private(folder: Path) -> None:
    client = client_of(folder, PRIVATE_SOURCES="_canvas", SIGNATURE_SECRET_FILE=str(folder / "secret"))
    assert client.get("/cat.jpg?width=9").status == 200
    assert client.get("/_canvas").json()["code"] == MISSING
    assert client.get("/9x9-red?bucket=_canvas").json()["code"] == MISSING
    assert client.get(f"/_canvas?signature={sign('/_canvas', (), SECRET)}").status == 200


def test_an_expensive_feature_stays_closed_on_a_canvas(client: Client) -> None:
    assert client.get("/_canvas?removeBackground=true").status == 403


def test_with_presets_only_the_default_canvas_is_served(folder: Path) -> None:
    presets = {"card": {"resize": {"width": 60, "height": 60, "fit": "fill"}, "tint": "red"}}
    client = client_of(folder, PRESETS=json.dumps(presets), PRESETS_ONLY="Yes")
    assert size(client.get("/_canvas?preset=card").body) == (60, 60)
    assert client.get("/_canvas?preset=card&width=90").status == 403
    assert client.get("/9x9-red?bucket=_canvas&preset=card").status == 403


def test_without_the_query_language_a_canvas_can_still_be_named(folder: Path) -> None:
    client = client_of(folder, DIALECTS="json")
    assert client.get("/_canvas?width=9").status == 200
    assert client.get("/_canvas?width=9&grayscale=true").status == 403


def test_no_source_may_take_the_name(folder: Path) -> None:
    with pytest.raises(SettingsError, match="_canvas"):
        Client({"SOURCE_BUCKETS": f"_canvas=file://{folder}/photos"})


@given(st.integers(1, 4096), st.integers(1, 4096), st.tuples(*[st.integers(0, 255)] * 4))
def test_a_key_is_read_as_the_canvas_that_wrote_it(width: int, height: int, color: tuple[int, int, int, int]) -> None:
    written = "".join(f"{level:02x}" for level in color)
    canvas = Canvas.parse({"width": width, "height": height, "color": written})
    assert Canvas.of_key(canvas.key) == canvas
    assert canvas.color.rgba == list(color)


@given(st.text())
def test_any_other_key_is_refused(key: str) -> None:
    try:
        canvas = Canvas.of_key(key)
    except InvalidParameter:
        return
    assert Canvas.of_key(canvas.key) == canvas


def test_the_file_of_the_largest_canvas_is_small() -> None:
    assert len(Canvas(4096, 4096).as_png()) < 20_000
