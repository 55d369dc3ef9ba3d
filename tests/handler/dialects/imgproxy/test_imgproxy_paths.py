"""Which paths are imgproxy's, its presets, its settings, its answers, and translations there and back."""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import pyvips
from tests import pictures
from tests.client import Answered, Client, size
from tests.tools import case

from handler.config import Settings, SettingsError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("originals")
    (made / "t.jpg").write_bytes(pictures.jpeg(pictures.scene(200, 100)))
    (made / "t.png").write_bytes(pictures.png(pictures.scene_with_alpha(200, 100)))
    (made / "mark.png").write_bytes(pictures.png(pictures.scene(20, 10)))
    (made / "film.gif").write_bytes(pictures.gif(pictures.film()))
    (made / "300x200").mkdir()
    (made / "300x200" / "t.jpg").write_bytes(pictures.jpeg(pictures.scene(60, 40)))
    return made


def client(folder: Path, **settings: str) -> Client:
    return Client({"IMGPROXY_LOCAL_FILESYSTEM_ROOT": str(folder), "DIALECTS": "imgproxy,thumbor,query", **settings})


def ask(served: Client, page: str, **query: str) -> Any:
    answer = served.get(f"/_api/{page}?" + urlencode(query))
    assert answer.status == 200, answer.body
    return answer.json()


def pixels(answer: Answered) -> bytes:
    assert answer.status == 200, answer.body
    return bytes(pyvips.Image.new_from_buffer(answer.body, "").write_to_memory())


def difference(one: Any, other: Any) -> float:
    """Return the largest difference of two images, in levels."""
    return float((one - other).abs().max())


AMBIGUOUS = {
    "/unsafe/t.jpg": ("thumbor", "404"),
    "/unsafe/20x10/t.jpg": ("thumbor", "404"),
    "/unsafe/300x200/t.jpg": ("thumbor", "404"),
    "/unsafe/filters:blur(2)/t.jpg": ("thumbor", "404"),
    "/unsafe/plain/t.jpg": ("404", "imgproxy"),
    "/unsafe/w:20/plain/t.jpg": ("404", "imgproxy"),
    "/unsafe/bG9jYWw6Ly8vdC5qcGc": ("404", "imgproxy"),
}
"""Paths of both languages → the dialect that answers with Thumbor first, and with imgproxy first; 404 if none does."""


@pytest.mark.parametrize(("order", "at"), [("thumbor,imgproxy,query", 0), ("imgproxy,thumbor,query", 1)])
def test_the_order_of_the_dialects_decides_what_unsafe_means(folder: Path, order: str, at: int) -> None:
    served = client(folder, DIALECTS=order)
    for address, expected in AMBIGUOUS.items():
        with case(address):
            assert served.get(address).status == (404 if expected[at] == "404" else 200)
    # These have one meaning only.
    for address in ("/insecure/w:20/plain/t.jpg", "/_/w:20/plain/t.jpg", "/any/w:20/plain/t.jpg", "/t.jpg?width=20"):
        assert size(served.get(address).body) == (20, 10), address


def test_without_its_name_in_dialects_no_path_is_imgproxys(folder: Path) -> None:
    served = Client({"SOURCE_BUCKETS": f"p=file://{folder}"})
    for address in ("/insecure/w:20/plain/t.jpg", "/_/w:20/plain/t.jpg", "/any/w:20/plain/t.jpg"):
        assert served.get(address).status == 404
    assert size(served.get("/unsafe/20x0/t.jpg").body) == (20, 10)


def test_alone_it_takes_any_first_segment_for_a_signature(folder: Path) -> None:
    served = client(folder, DIALECTS="imgproxy")
    for word in ("unsafe", "sig", "v2", "-", "_", "public"):
        assert size(served.get(f"/{word}/bG9jYWw6Ly8vdC5qcGc").body) == (200, 100), word
    assert served.get("/w:20/plain/t.jpg").status == 403
    assert "signature" in served.get("/w:20/w:20/plain/t.jpg").json()["message"]


def test_presets_are_merged_option_by_option(folder: Path) -> None:
    presets = "small=rs:fill:50:50,tall=h:80/pr:small/w:30,loop=pr:loop/w:10,default=q:50"
    served = client(folder, IMGPROXY_PRESETS=presets)
    for path, expected in {
        "pr:small": (50, 50),
        "pr:small/w:20": (20, 50),
        "preset:small:tall": (30, 50),
        "h:70/pr:tall": (30, 50),
        "pr:loop": (10, 5),
    }.items():
        with case(path):
            assert size(served.get(f"/unsafe/{path}/plain/t.jpg").body) == expected
    assert served.get("/unsafe/pr:nosuch/plain/t.jpg").status == 404
    # `default` applies to every request, and later options win over it.
    default = len(served.get("/unsafe/plain/t.jpg@jpg").body)
    assert default < len(served.get("/unsafe/q:90/plain/t.jpg@jpg").body)
    # They are presets of the service, too.
    assert size(served.get("/t.jpg?preset=small").body) == (50, 50)


def test_sides_of_padding_that_are_left_out_take_those_that_are_set(folder: Path) -> None:
    """applyPaddingOption of options/parser/apply.go."""
    served = client(folder)
    for options, expected in {
        "pd::10": (220, 100),
        "pd:10/pd::20": (240, 120),
        "pd:1:2:3:4/pd::20": (240, 102),
        "pd:1:2:3:4/pd::::7": (208, 102),
        "pd:5/pd:0": (200, 100),
    }.items():
        with case(options):
            assert size(served.get(f"/unsafe/{options}/plain/t.jpg").body) == expected


def test_presets_of_presets_are_bounded(folder: Path) -> None:
    presets = ["a0=w:20", *(f"a{at}=" + "/".join([f"pr:a{at - 1}"] * 10) for at in (1, 2, 3))]
    served = client(folder, IMGPROXY_PRESETS=",".join(presets))
    assert size(served.get("/unsafe/pr:a3/plain/t.jpg").body) == (20, 10)
    refused = served.get("/unsafe/pr:a3" + ":a3" * 20 + "/plain/t.jpg")
    assert (refused.status, refused.json()["code"]) == (404, "InvalidURL")


def test_presets_can_be_in_imgproxys_syntax_in_a_file_and_in_presets(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "presets").write_text("# sizes\nsmall = rs:fill:40:40\n\nwide=w:90\n")
    by_file = client(folder, IMGPROXY_PRESETS_PATH=str(tmp_path / "presets"))
    assert size(by_file.get("/unsafe/pr:small/plain/t.jpg").body) == (40, 40)
    for value in (
        "small=rs:fill:40:40,wide=w:90",
        json.dumps({"small": "rs:fill:40:40", "own": {"resize": {"width": 9}}}),
    ):
        served = client(folder, PRESETS=value)
        assert size(served.get("/unsafe/pr:small/h:20/plain/t.jpg").body) == (40, 20)
        assert size(served.get("/t.jpg?preset=small").body) == (40, 40)
    # A preset in another dialect is applied as a whole.
    served = client(folder, PRESETS='{"own": {"resize": {"width": 9}}}')
    assert size(served.get("/unsafe/pr:own/plain/t.jpg").body) == (9, 4 + 1)


def test_presets_only_takes_names_and_nothing_else(folder: Path) -> None:
    served = client(folder, IMGPROXY_ONLY_PRESETS="true", IMGPROXY_PRESETS="small=rs:fill:50:50,grow=h:80/el:1")
    assert size(served.get("/unsafe/small/plain/t.jpg").body) == (50, 50)
    assert size(served.get("/unsafe/small:grow/plain/t.jpg@png").body) == (50, 80)
    for path in ("w:50/plain/t.jpg", "nosuch/plain/t.jpg", "small/grow/plain/t.jpg"):
        assert served.get("/unsafe/" + path).status == 404, path
    assert served.get("/unsafe/small/plain/t.jpg?width=10").status == 403


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"IMGPROXY_PRESETS": "small"}, "IMGPROXY_PRESETS must be name=options"),
        ({"PRESETS": "small=w:1,x"}, "PRESETS, which is not a JSON object, must be name=options, got 'x'"),
        ({"IMGPROXY_PRESETS": "small=w:abc"}, "the preset small of imgproxy: `small.w` must be"),
        ({"IMGPROXY_PRESETS": "small=msr:5"}, "the preset small of imgproxy"),
        ({"IMGPROXY_ALLOWED_PROCESSING_OPTIONS": "w,klingon"}, "must name options, got 'klingon'"),
        ({"IMGPROXY_FORMAT_QUALITY": "webp=200"}, "IMGPROXY_FORMAT_QUALITY must be format=quality"),
        ({"IMGPROXY_PREFERRED_FORMATS": "jpeg,ico"}, "IMGPROXY_PREFERRED_FORMATS must be a list of formats"),
        ({"IMGPROXY_URL_REPLACEMENTS": "x"}, "IMGPROXY_URL_REPLACEMENTS must be pattern=replacement"),
        ({"IMGPROXY_WATERMARK_URL": "https://nowhere.example/a.png"}, "IMGPROXY_WATERMARK_URL must be the URL"),
        ({"IMGPROXY_WATERMARK_OPACITY": "2"}, "IMGPROXY_WATERMARK_OPACITY must be a number from 0 to 1"),
        ({"IMGPROXY_QUALITY": "101"}, "IMGPROXY_QUALITY must be a whole number from 0 to 100"),
    ],
)
def test_a_wrong_setting_stops_the_service(folder: Path, settings: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        client(folder, **settings)


def test_settings_of_imgproxy_are_read_under_its_names(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    settings = Settings.from_environment({
        "IMGPROXY_TTL": "60", "IMGPROXY_MAX_SRC_RESOLUTION": "16.8", "IMGPROXY_MAX_SRC_FILE_SIZE": "1000",
        "IMGPROXY_AUTO_WEBP": "true", "IMGPROXY_ALLOW_ORIGIN": "https://a.example", "IMGPROXY_TIMEOUT": "9",
        "IMGPROXY_MAX_RESULT_DIMENSION": "0", "IMGPROXY_ENABLE_CLIENT_HINTS": "1", "IMGPROXY_QUALITY": "70",
        "IMGPROXY_BIND": ":8080", "CDN_MAX_AGE": "5",
    })  # fmt: skip
    assert (settings.responses.browser_max_age, settings.responses.cdn_max_age) == (60, 5)
    assert settings.limits.max_source_pixels == 16_800_000
    assert settings.limits.max_source_bytes == 1000
    assert settings.limits.max_result_side == 8192
    assert settings.requests.auto_webp
    assert settings.requests.client_hints
    assert (settings.responses.cors_enabled, settings.responses.cors_origin) == (True, "https://a.example")
    assert settings.limits.max_seconds == 9
    assert settings.imgproxy.imgproxy_quality == 70
    lines = [record.getMessage() for record in caplog.records]
    assert "IMGPROXY_TTL sets BROWSER_MAX_AGE" in lines
    assert any("IMGPROXY_BIND is not used here" in line for line in lines)


@pytest.mark.parametrize(("word", "value"), [("t", True), ("T", True), ("TRUE", True), ("F", False), ("f", False)])
def test_booleans_of_settings_are_those_of_imgproxy(word: str, value: bool) -> None:
    names = ("ONLY_PRESETS", "AUTO_WEBP", "STRIP_METADATA", "ENABLE_CLIENT_HINTS")
    settings = Settings.from_environment({"SOURCE_BUCKETS": "a", **{f"IMGPROXY_{name}": word for name in names}})
    requests = settings.requests
    found = (
        requests.presets_only,
        requests.auto_webp,
        settings.imgproxy.imgproxy_strip_metadata,
        requests.client_hints,
    )
    assert found == (value,) * 4


def test_limits_of_imgproxy_that_are_off_leave_those_of_this_service(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    plain = Settings.from_environment({"SOURCE_BUCKETS": "a"}).limits
    for value in ("0", "-1"):
        names = {"IMGPROXY_MAX_RESULT_DIMENSION": value, "IMGPROXY_MAX_SRC_FILE_SIZE": value}
        assert Settings.from_environment({"SOURCE_BUCKETS": "a", **names}).limits == plain
    assert "sets nothing: the default of this service applies" in caplog.text


def test_formats_that_are_not_read_here_may_be_in_lists(folder: Path) -> None:
    lists = {"IMGPROXY_SKIP_PROCESSING_FORMATS": "jxl,svg", "IMGPROXY_FORMAT_QUALITY": "webp = 79, jxl = 60"}
    served = client(folder, **lists)
    assert size(served.get("/unsafe/w:50/plain/t.jpg").body) == (50, 25)
    assert size(served.get("/unsafe/w:50/skp:jxl:png/plain/t.jpg").body) == (50, 25)


def test_source_urls_are_replaced_and_have_a_base(folder: Path) -> None:
    served = client(
        folder,
        IMGPROXY_BASE_URL="local:///",
        IMGPROXY_URL_REPLACEMENTS="img://*/=local:///${1}/;old-=local:///",
        IMGPROXY_ALLOWED_SOURCES="local:///",
    )
    assert size(served.get("/unsafe/plain/t.jpg").body) == (200, 100)
    assert size(served.get("/unsafe/plain/img://300x200/t.jpg").body) == (60, 40)
    assert size(served.get("/unsafe/plain/old-t.jpg").body) == (200, 100)
    refused = client(folder, IMGPROXY_ALLOWED_SOURCES="local:///300x200/")
    assert refused.get("/unsafe/plain/local:///t.jpg").json()["code"] == "InvalidSourceURL"
    assert refused.get("/unsafe/plain/local:///300x200/t.jpg").status == 200


def test_sources_are_those_of_source_buckets(folder: Path) -> None:
    buckets = f"main=file://{folder / '300x200'},photos=file://{folder},shop=https://shop.example/img"
    served = Client({"SOURCE_BUCKETS": buckets, "DIALECTS": "imgproxy,query"})
    explained = {
        "t.jpg": ("main", "t.jpg"),
        "local:///t.jpg": ("main", "t.jpg"),
        "https://shop.example/img/a/b.jpg": ("shop", "a/b.jpg"),
        "http://shop.example/img/a.jpg": ("shop", "a.jpg"),
    }
    for source, (bucket, key) in explained.items():
        found = ask(served, "explain", url=f"/unsafe/w:10/plain/{source}")
        assert (found["bucket"], found["key"]) == (bucket, key), source
    for source in ("https://other.example/a.jpg", "s3://nosuch/a.jpg", "gs://x/y", "abs://x/y", "ftp://a/b"):
        assert served.get(f"/unsafe/plain/{source}").status == 404, source
    assert size(served.get("/unsafe/plain/t.jpg").body) == (60, 40)


def test_a_bucket_of_s3_is_served_below_the_prefix_of_its_source_alone() -> None:
    served = Client({"SOURCE_BUCKETS": "media=s3://bkt/pre,photos=gs://bkt", "DIALECTS": "imgproxy"})
    for source in ("s3://bkt/pre/a.jpg", "s3://media/a.jpg"):
        found = ask(served, "explain", url=f"/unsafe/w:10/plain/{source}")
        assert (found["bucket"], found["key"]) == ("media", "a.jpg"), source
    assert served.get("/unsafe/w:10/plain/s3://bkt/other/a.jpg").json()["code"] == "InvalidSourceURL"


def test_other_settings_of_the_language(folder: Path) -> None:
    served = client(folder, IMGPROXY_ARGUMENTS_SEPARATOR=",", IMGPROXY_ALLOWED_PROCESSING_OPTIONS="w,h,pr",
                    IMGPROXY_PRESETS_SEPARATOR=";", IMGPROXY_PRESETS="a=w,20/q,50")  # fmt: skip
    assert size(served.get("/unsafe/w,50/plain/t.jpg").body) == (50, 25)
    assert size(served.get("/unsafe/pr,a/plain/t.jpg").body) == (20, 10)
    assert served.get("/unsafe/width,50/plain/t.jpg").status == 404
    named = client(folder, IMGPROXY_BASE64_URL_INCLUDES_FILENAME="true")
    assert size(named.get("/unsafe/w:50/bG9jYWw6Ly8vdC5qcGc/a-cat.jpg").body) == (50, 25)
    moving = client(folder, IMGPROXY_MAX_ANIMATION_FRAMES="100")
    answer = moving.get("/unsafe/w:80/plain/film.gif")
    assert pyvips.Image.new_from_buffer(answer.body, "").get("n-pages") == 3


def test_formats_are_negotiated_before_the_preferred_ones(folder: Path) -> None:
    (folder / "t.webp").write_bytes(pictures.webp(pictures.scene(200, 100)))
    (folder / "t.svg").write_bytes(pictures.svg(200, 100))
    served = client(folder, IMGPROXY_AUTO_WEBP="true")
    for name, accept, expected in (
        ("t.jpg", "image/webp", "image/webp"),
        ("t.jpg", "*/*", "image/jpeg"),
        ("t.webp", "*/*", "image/jpeg"),
        ("t.png", "*/*", "image/png"),
        ("t.svg", "image/webp", "image/svg+xml"),
    ):
        with case(f"{name} {accept}"):
            answer = served.get(f"/unsafe/w:20/plain/{name}", accept=accept)
            assert answer.headers["Content-Type"] == expected
    assert served.get("/unsafe/w:20/plain/t.jpg@png", accept="image/webp").headers["Content-Type"] == "image/png"


def test_headers_are_imgproxys(folder: Path) -> None:
    served = client(folder)
    named = served.get("/unsafe/fn:cat/plain/t.jpg@png").headers["Content-Disposition"]
    assert named == "inline; filename=\"cat.png\"; filename*=UTF-8''cat.png"
    saved = served.get("/unsafe/fn:Y2F0:1/att:1/plain/t.jpg").headers["Content-Disposition"]
    assert saved.startswith('attachment; filename="cat.jpg"')
    unnamed = served.get("/unsafe/att:1/plain/local:///t.jpg@png").headers["Content-Disposition"]
    assert unnamed.startswith('attachment; filename="t.png"')
    expiring = served.get("/unsafe/exp:4102444800/plain/t.jpg")
    assert "max-age=31536000" in expiring.headers["Cache-Control"]
    assert expiring.headers["Expires"] == "Fri, 01 Jan 2100 00:00:00 GMT"
    assert served.get("/unsafe/exp:4102444800/plain/t.jpg?expires=20000101T000000Z").status == 400


@pytest.mark.parametrize("url", ["t.jpg", "local:///t.jpg"])
def test_a_fallback_image_is_a_key_or_a_url(folder: Path, url: str) -> None:
    answer = client(folder, IMGPROXY_FALLBACK_IMAGE_URL=url).get("/unsafe/w:20/plain/nosuch.jpg")
    assert (answer.status, size(answer.body)) == (404, (200, 100))
    with pytest.raises(SettingsError, match="DEFAULT_FALLBACK_IMAGE_KEY must be a key, or a URL under"):
        client(folder, IMGPROXY_FALLBACK_IMAGE_URL="s3://nosuch/t.jpg")


def test_empty_settings_of_imgproxy_are_not_set(folder: Path) -> None:
    names = ("KEY", "SALT", "TTL", "QUALITY", "ONLY_PRESETS", "ALLOW_ORIGIN", "FALLBACK_IMAGE_URL", "WATERMARK_URL")
    served = client(folder, **{f"IMGPROXY_{name}": "" for name in names})
    assert size(served.get("/unsafe/w:20/plain/t.jpg").body) == (20, 10)


def test_a_watermark_is_placed_and_scaled(folder: Path) -> None:
    plain = client(folder).get("/unsafe/plain/t.png@png")
    assert pixels(client(folder).get("/unsafe/wm:1/plain/t.png@png")) == pixels(plain)
    served = client(folder, IMGPROXY_WATERMARK_URL="local:///mark.png")
    mark = pyvips.Image.new_from_file(str(folder / "mark.png"))
    for option, (left, top) in {
        "wm:1:nowe": (0, 0),
        "wm:1:soea:10:20": (170, 70),
        "wm:1:nowe:0.1:0.5": (20, 50),
    }.items():
        image = pyvips.Image.new_from_buffer(served.get(f"/unsafe/{option}/plain/t.jpg@png").body, "")
        found = image.crop(left, top, 20, 10)[:3]
        assert difference(found, mark) <= 1, option
    scaled = served.get("/unsafe/wm:1:nowe:0:0:0.5/plain/t.jpg@png")
    assert scaled.status == 200
    other = served.get("/unsafe/wm:1/wmu:bG9jYWw6Ly8vdC5wbmc/plain/t.jpg@png")
    assert other.status == 200
    tiled = pyvips.Image.new_from_buffer(served.get("/unsafe/wm:1:re:5:5/plain/t.jpg@png").body, "")
    assert tiled.width == 200


def test_it_is_translated_there_and_back(folder: Path) -> None:
    served = client(folder)
    for path in (
        "rs:fill:50:40/g:so:1:2/plain/t.jpg",
        "rs:fit:50:0/bl:2/sh:1/plain/t.jpg@webp",
        "c:0.5:20:nowe/plain/t.jpg",
    ):
        there = ask(served, "translate", url="/unsafe/" + path, to="query")
        assert there["unsaid"] == []
        assert pixels(served.get(there["url"])) == pixels(served.get("/unsafe/" + path)), path
    # In the catalogue's order a rotation follows the resize, so `steps` has the order of the path.
    for path in ("rs:fit:50:0/rot:90/plain/t.jpg", "w:50/-/rot:90/w:20/plain/t.jpg"):
        turned = ask(served, "translate", url="/unsafe/" + path, to="query")
        assert turned["unsaid"] == []
        assert "steps=" in turned["url"]
        assert pixels(served.get(turned["url"])) == pixels(served.get("/unsafe/" + path)), path
    back = ask(
        served, "translate", url="/t.jpg?width=50&height=40&fit=inside&blur=2&format=webp&quality=50", to="imgproxy"
    )
    assert back["url"] == "/unsafe/rs:fit:50:40:1/bl:2/f:webp/q:50/plain/t.jpg"


def test_lenient_mode_ignores_what_it_cannot_do_and_names_it(folder: Path) -> None:
    path = "/unsafe/w:20/ush:always/el:yes/plain/t.jpg"
    refused = client(folder).get(path)
    assert (refused.status, refused.json()["code"]) == (404, "InvalidURL")
    assert "`ush` must be left out" in refused.json()["message"]
    answer = client(folder, COMPATIBILITY="lenient").get(path)
    assert size(answer.body) == (20, 10)
    assert answer.headers["X-Ignored"] == "ush, el"
    # An unknown option is an error in imgproxy, too.
    assert client(folder, COMPATIBILITY="lenient").get("/unsafe/klingon:1/plain/t.jpg").status == 404


def test_options_of_the_paid_edition(folder: Path) -> None:
    served = client(folder)
    for option in (
        "ra:nearest/w:50", "br:20", "co:1.5", "sa:0.5", "a:10:1.2:0.8", "mc:1:b3b3b3", "dt:0.5:000066:ffeecc",
        "bg:fff/bga:0.5",
        "col:0.5:ff0000", "jpgo:1:1", "pngo:1:1:16/f:png", "webpo:lossless/f:webp", "avifo:off/f:avif",
        "gr:0.5", "gr:1:ff0000:up:0.2:0.9", "gr:1:000:90", "wm:0.5:soea/wmt:SGVsbG8", "pg:0", "da:1",
    ):  # fmt: skip
        with case(option):
            assert served.get(f"/unsafe/{option}/plain/t.png").status == 200
    assert size(served.get("/unsafe/car:1/plain/t.jpg").body) == (100, 100)
    assert size(served.get("/unsafe/c:100:50/car:1/plain/t.jpg").body) == (50, 50)
    assert size(served.get("/unsafe/c:80:50/car:1:1/plain/t.jpg").body) == (80, 80)
    # Chained pipelines: the second one works on the result of the first one.
    assert size(served.get("/unsafe/rs:fill:50:50/-/pd:5/-/rs:fit:30:30/plain/t.jpg").body) == (30, 30)
    # The shades of one colour have its hue.
    grey = pyvips.Image.new_from_buffer(served.get("/unsafe/mc:1:b3b3b3/plain/t.jpg@png").body, "")
    assert difference(grey[0], grey[1]) <= 1


def test_a_format_that_is_not_written_is_422(folder: Path) -> None:
    for name in ("jxl", "ico"):
        assert client(folder).get(f"/unsafe/plain/t.jpg@{name}").status == 422


def test_a_file_that_cannot_be_small_enough_is_sent_all_the_same(folder: Path) -> None:
    answer = client(folder).get("/unsafe/mb:210/plain/t.jpg")
    assert (answer.status, len(answer.body) > 210) == (200, True)


def test_paths_may_have_a_prefix(folder: Path) -> None:
    served = client(folder, IMGPROXY_PATH_PREFIX="/img")
    assert size(served.get("/img/unsafe/w:20/plain/t.jpg").body) == (20, 10)
    assert served.get("/insecure/w:20/plain/t.jpg").status == 404
    assert size(served.get("/t.jpg?width=20").body) == (20, 10)


def test_the_info_endpoint_has_imgproxys_shape(folder: Path) -> None:
    served = client(folder)
    body = (folder / "t.jpg").stat().st_size
    facts = {"size": body, "format": "jpeg", "mime_type": "image/jpeg", "width": 200, "height": 100, "orientation": 1}
    assert served.get("/info/unsafe/plain/local:///t.jpg").json() == facts
    assert served.get("/info/insecure/bG9jYWw6Ly8vdC5qcGc").json() == facts
    assert served.get("/info/unsafe/s:0/exif:1/d:0/f:0/bands:1/plain/t.jpg").json() == {"bands": 3}
    more = served.get("/info/unsafe/p:4/avg:1/bh:4:3/alpha:1/pn:1/th:1/plain/t.png").json()
    assert {"palette", "average", "blurhash", "alpha", "pages_number", "thumb_hash"} <= set(more)
    assert set(more["palette"][0]) == set(more["average"]) == {"R", "G", "B", "A"}
    assert more["alpha"] == {"has_alpha": True}
    for path in ("detect_objects:1/plain/t.jpg", "plain/nosuch.jpg", "s:0/f:0/d:0/plain/t.jpg", "w:10/plain/t.jpg"):
        assert served.get("/info/unsafe/" + path).status == 404, path


def test_a_signature_of_an_image_is_none_of_its_report(folder: Path) -> None:
    """imgproxy's signature covers what follows it, and not the word `info` before it."""
    served = client(folder, IMGPROXY_KEY="aa", IMGPROXY_SALT="bb")
    digest = hmac.digest(b"\xaa", b"\xbb/plain/t.jpg", "sha256")
    signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert served.get(f"/{signature}/plain/t.jpg").status == 200
    assert served.get(f"/info/{signature}/plain/t.jpg").status == 403


def test_the_paid_options_of_watermarks(folder: Path) -> None:
    served = client(folder)
    pictures.scene(20, 10).pngsave(str(folder / "mark.png"))
    mark = base64.urlsafe_b64encode(b"local:///mark.png").decode().rstrip("=")
    common = "watermark=mark.png&watermark.anchor=nowe:5:6&format=png"
    shadow = "watermark.shadow=black&watermark.shadowBlur=3&watermark.shadowX=0&watermark.shadowY=0"
    tiles = "watermark=mark.png&watermark.tile=true&watermark.anchor=ce&watermark.gapX=3&watermark.gapY=4&format=png"
    for options, query in (
        ("wm:1:nowe:5:6/wmr:90", f"{common}&watermark.rotate=90"),
        ("wm:1:nowe:5:6/watermark_rotate:-30", f"{common}&watermark.rotate=330"),
        ("wm:1:nowe:5:6/wms:40:0", f"{common}&watermark.boxWidth=40&watermark.boxFit=contain"),
        ("wm:1:nowe:5:6:0.5/wms:40:0", f"{common}&watermark.width=50&watermark.height=50"),
        ("wm:1:nowe:5:6/wmsh:3", f"{common}&{shadow}"),
        ("wm:1:re:3:4", tiles),
        ("wm:1:ch:3:4", f"{tiles}&watermark.chessboard=true"),
    ):  # fmt: skip
        path = f"/unsafe/wmu:{mark}/{options}/plain/t.jpg@png"
        ours = served.get(f"/t.jpg?{query}&metadata=strip")
        assert pixels(served.get(path)) == pixels(ours), options
    for options, name in (("wmr:x", "wmr"), ("wmsh:-1", "wmsh"), ("wms:a:b", "wms")):
        refused = served.get(f"/unsafe/{options}/plain/t.jpg")
        assert refused.status in (400, 404)
        assert name in refused.json()["message"]
