"""The examples of imgproxy's documentation, moved here as its users would: each answers, or has a row that says why."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import pyvips
from tests import pictures
from tests.client import Client

from handler.requests.dialects.imgproxy.handlers import HANDLERS
from handler.requests.dialects.imgproxy.paid import REFUSED

DOCUMENT = (Path(__file__).parents[4] / "docs" / "compatibility.md").read_text(encoding="utf-8")
PHOTO = "plain/http://example.com/images/curiosity.jpg"
ENCODED = "aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn"
PRESETS = (
    "sharp=sharpen:0.7,awesome=resizing_type:fill/format:jpg,thumbnail=rs:fill:200:150,blurry=blur:2,"
    "watermarked=wm:0.5:soea:10:10:0.3,first=rs:fit:100:100/-/trim:10"
)


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


MARK = b64("http://example.com/images/mark.png")
EXAMPLES = [
    f"/unsafe/preset:sharp/resize:fill:300:400:0/gravity:sm/{PHOTO}@png",
    f"/unsafe/pr:sharp/rs:fill:300:400:0/g:sm/{PHOTO}@png",
    f"/unsafe/pr:sharp/rs:fill:300:400:0/g:sm/{ENCODED}.png",
    f"/_/{PHOTO}", f"/unsafe/{PHOTO}@png", f"/unsafe/{ENCODED}", f"/unsafe/{ENCODED}.png",
    f"/unsafe/pr:awesome/{PHOTO}", f"/unsafe/preset:thumbnail:blurry:watermarked/{PHOTO}@png",
    # Chained pipelines
    f"/unsafe/width:500/crop:1000/-/trim:10/{PHOTO}",
    f"/unsafe/rs:fit:500:500/wm:0.5:nowe/wmu:{MARK}/-/wm:0.7:soea/wmu:{MARK}/{PHOTO}",
    f"/unsafe/rs:fit:500:500/-/trim:10/{PHOTO}", f"/unsafe/pr:first/{PHOTO}", f"/unsafe/width:300/pr:first/{PHOTO}",
    # The info endpoint
    f"/info/unsafe/{PHOTO}", f"/info/unsafe/{ENCODED}", f"/info/unsafe/size:1/format:t/dimensions:true/{PHOTO}",
    f"/info/unsafe/palette:8/average:1:1/blurhash:4:3/{PHOTO}",
    f"/info/unsafe/exif:1/iptc:1/xmp:1/video_meta:1/{PHOTO}",
    # Each option, as the guide writes it, with values
    *(f"/unsafe/{option}/{PHOTO}" for option in (
        "resize:fit:300:200:0:0", "rs:fill:300:200:1:1:ce", "size:300:200:1:0", "resizing_type:auto", "rt:fill-down",
        "width:300", "height:200", "min-width:300", "mh:200", "zoom:1.5", "z:0.5:0.7", "dpr:2", "enlarge:1",
        "extend:1:so:0:10",
        "extend_aspect_ratio:1", "exar:t:fp:0.5:0.5", "gravity:noea:10:20", "g:sm", "g:fp:0.5:0.3",
        "crop:100:200:nowe:10:10",
        "trim:10:ff00ff:1:1", "padding:10:20:30:40", "pd:10", "auto_rotate:1", "rotate:90", "flip:1:1",
        "background:255:128:0",
        "bg:ff8000", "blur:2", "sharpen:0.7", "pixelate:8", "watermark:0.5:soea:10:10:0.2", "wm:1:re:10:10",
        "strip_metadata:1",
        "keep_copyright:1", "strip_color_profile:1", "preserve_hdr:1", "enforce_thumbnail:1", "quality:80",
        "format_quality:jpeg:80:webp:70", "max_bytes:10000", "format:png", "skip_processing:jpg:gif", "raw:1",
        "cachebuster:abc",
        "expires:4102444800", "filename:cat", "fn:Y2F0:1", "return_attachment:1",
    )),
    # The options of the paid edition that are built
    *(f"/unsafe/{option}/{PHOTO}" for option in (
        "resizing_algorithm:cubic", "crop_aspect_ratio:1.5", "car:1.5:1", "background_alpha:0.5", "adjust:10:1.2:0.8",
        "brightness:20", "contrast:1.5", "saturation:0.5", "monochrome:0.8:ff8800", "duotone:1:000033:ffeecc",
        "colorize:0.3:ff0000", "gradient:0.5:000000:down:0:1", "gr:1:ff0000:45", "blur_areas:5:0.1:0.1:0.3:0.3",
        f"watermark_text:{b64('Hello')}/wm:1", f"wm:1/wmu:{MARK}", "jpeg_options:1:1", "png_options:1:1:16",
        "webp_options:lossless",
        "avif_options:on", "page:0", "disable_animation:1",
    )),
]  # fmt: skip
NEEDS_SIGNATURE = [
    f"/unsafe/{option}/{PHOTO}" for option in (
        "gravity:obj:face", "rs:fill:100:80/g:objw:face:2:cat:1", "rs:fill:100:80/g:obj:face/op:so",
        "g:obj:face/rs:fill:100:80/objects_position:fp:0.2:0.7", "crop_objects:1.5:face",
        "blur_detections:8:face", "draw_detections:1:face",
    )
]  # fmt: skip
"""Examples that run a model: the operator opens them by PUBLIC_FEATURES or by signatures."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    folder = tmp_path_factory.mktemp("images")
    (folder / "curiosity.jpg").write_bytes(pictures.jpeg(pictures.scene(640, 480)))
    (folder / "mark.png").write_bytes(pictures.png(pictures.scene_with_alpha(60, 40)))
    return Client({
        "SOURCE_BUCKETS": f"p=file://{folder}", "DIALECTS": "imgproxy", "IMGPROXY_PRESETS": PRESETS,
        "IMGPROXY_URL_REPLACEMENTS": "http://example.com/images/=", "IMGPROXY_WATERMARK_URL": "mark.png",
    })  # fmt: skip


@pytest.mark.parametrize("address", EXAMPLES)
def test_an_example_answers(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("address", NEEDS_SIGNATURE)
def test_an_example_that_runs_a_model_is_read_and_needs_permission(client: Client, address: str) -> None:
    assert client.get("/_api/explain?url=" + address).status == 200
    refused = client.get(address)
    assert refused.status in (200, 403), refused.body


@pytest.mark.parametrize("option", sorted({*HANDLERS, *REFUSED}))
def test_each_option_has_a_row(option: str) -> None:
    assert f"`{option}`" in DOCUMENT, option


@pytest.mark.parametrize("option", sorted(REFUSED))
def test_a_refused_option_is_named_with_its_reason(client: Client, option: str) -> None:
    answer = client.get(f"/unsafe/{option}:1/{PHOTO}")
    assert answer.status == 404
    assert REFUSED[option] in answer.json()["message"]


def test_an_area_is_hidden_and_the_rest_is_not(client: Client) -> None:
    plain, hidden = (
        pyvips.Image.new_from_buffer(client.get(f"/unsafe/{option}f:png/{PHOTO}").body, "")
        for option in ("", "ba:5:0.25:0.25:0.5:0.5/")
    )
    apart = (plain.cast("float") - hidden.cast("float")).abs()
    assert apart.crop(160, 120, 320, 240).avg() > 1
    assert apart.crop(0, 0, 640, 110).max() == 0
    # A sigma of 0 switches the option off, and areas come in fours.
    assert client.get(f"/unsafe/ba:0:0.25:0.25:0.5:0.5/f:png/{PHOTO}").body == client.get(f"/unsafe/f:png/{PHOTO}").body
    assert client.get(f"/unsafe/ba:5:0.25:0.25/{PHOTO}").status == 404
