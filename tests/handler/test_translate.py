"""What addresses mean, and how other languages say it: directly, over HTTP and on the command line."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pyvips
from hypothesis import example, given
from hypothesis import strategies as st
from libthumbor import CryptoURL
from tests import pictures
from tests.client import Client

from features import CATALOGUE
from handler.auth.signature import signed_url
from handler.cli.commands import run
from imaging import Output, Params, fields

SECRET = "s3cret"


def client(folder: Path, **more: str) -> Client:
    (folder / "secret").write_text(SECRET)
    return Client({"SOURCE_BUCKETS": f"photos=file://{folder},other=file://{folder}", **more})


@pytest.fixture
def plain(tmp_path: Path) -> Client:
    return client(tmp_path)


def explained(asked: Client, url: str, **headers: Any) -> Any:
    answer = asked.get("/_api/explain?" + urlencode({"url": url}), **headers)
    assert answer.status == 200, answer.body
    return answer.json()


def translated(asked: Client, url: str, to: str) -> Any:
    answer = asked.get("/_api/translate?" + urlencode({"url": url, "to": to}))
    assert answer.status == 200, answer.body
    return answer.json()


def in_json(said: dict[str, Any]) -> str:
    return "/" + base64.b64encode(json.dumps(said).encode()).decode()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/a/cat.jpg", {"dialect": "query", "steps": [], "output": {}}),
        ("https://cdn.example/a/cat.jpg?blur=3&format=webp&utm_source=x",
         {"dialect": "query", "steps": [{"feature": "blur", "sigma": 3.0}], "output": {"format": "webp"}}),
        (in_json({"bucket": "other", "key": "a/cat.jpg", "edits": {"flip": True}}),
         {"dialect": "json", "bucket": "other", "steps": [{"feature": "flip"}]}),
        ("/unsafe/fit-in/30x20/filters:rotate(90):quality(40)/a/cat.jpg",
         {"dialect": "thumbor", "output": {"quality": 40},
          "steps": [{"feature": "resize", "width": 30, "height": 20, "fit": "inside", "withoutEnlargement": True},
                    {"feature": "rotate", "angle": 270.0}]}),
        ("/s3:other/30x20/a/cat.jpg", {"dialect": "thumbor", "bucket": "other"}),
        ("/_key/a/cat.jpg?preset=thumb", {"steps": [{"feature": "resize", "width": 99}], "output": {"format": "webp"}}),
    ],
)  # fmt: skip
def test_an_address_is_explained(tmp_path: Path, url: str, expected: dict[str, Any]) -> None:
    presets = json.dumps({"thumb": {"resize": {"width": 99}, "toFormat": "webp"}})
    meaning = explained(client(tmp_path, PRESETS=presets), url)
    assert meaning == {**meaning, "bucket": "photos", "key": "a/cat.jpg", "signature": "none", **expected}
    assert set(meaning) == {
        "dialect", "bucket", "key", "steps", "output", "signature", "compatibility", "ignored"
    }  # fmt: skip


def test_explain_includes_what_always_applies(tmp_path: Path) -> None:
    always = client(tmp_path, ALWAYS=json.dumps({"grayscale": True}))
    assert explained(always, "/cat.jpg")["steps"] == [{"feature": "grayscale"}]


SIGNED = {"ENABLE_SIGNATURE": "Yes"}


@pytest.mark.parametrize("closed", [SIGNED, {"PRESETS_ONLY": "Yes"}, {**SIGNED, "PRESETS_ONLY": "Yes"}])
def test_without_proof_explain_shows_what_the_url_itself_contains(tmp_path: Path, closed: dict[str, str]) -> None:
    """Where signatures are on or presets alone are allowed, nobody but the operator learns what the settings add."""
    (tmp_path / "token").write_text("the token")
    settings = {
        "SIGNATURE_SECRET_FILE": str(tmp_path / "secret"),
        "OPERATOR_TOKEN_FILE": str(tmp_path / "token"),
        "PRESETS": '{"vip": {"overlayWith": {"bucket": "other", "key": "unreleased.png"}}}',
        "ALWAYS": '{"overlayWith": {"key": "mark.png"}}',
        "SOURCE_PATHS": "hidden/=other",
    }
    asked = client(tmp_path, **settings, **closed)
    whole = signed_url("/hidden/cat.jpg?width=30", SECRET)
    of_path = CryptoURL(key=SECRET).generate(image_url="cat.jpg", width=30)
    resized = [{"feature": "resize", "width": 30}]
    for url in (whole, whole[:-1] + "x", "/hidden/cat.jpg?width=30"):
        told = {"dialect": "query", "key": "hidden/cat.jpg", "steps": resized, "output": {}, "ignored": []}
        assert explained(asked, url) == explained(asked, url, authorization="Bearer wrong") == told
        assert explained(asked, url, authorization="Bearer the token")["bucket"] == "other"
    assert [step["feature"] for step in explained(asked, of_path)["steps"]] == ["resize"]
    assert explained(asked, of_path) == explained(asked, of_path.replace(of_path[1:9], "AAAAAAAA"))
    assert explained(asked, "/cat.jpg?preset=vip") == explained(asked, "/cat.jpg?preset=nosuch")
    assert "unreleased.png" in str(explained(asked, "/cat.jpg?preset=vip", authorization="Bearer the token"))
    for to in ("query", "json", "thumbor"):
        made = translated(asked, whole, to)
        assert "other" not in json.dumps(made), made
        assert explained(asked, made["url"])["key"] == "hidden/cat.jpg"


def test_explain_shows_whether_a_signature_is_valid(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("the token")
    secrets = {"SIGNATURE_SECRET_FILE": str(tmp_path / "secret"), "OPERATOR_TOKEN_FILE": str(tmp_path / "token")}
    asked = client(tmp_path, ENABLE_SIGNATURE="Yes", **secrets)
    of_path = CryptoURL(key=SECRET).generate(image_url="cat.jpg", width=30)
    whole = signed_url("/cat.jpg?width=30", SECRET)
    for url, state in (
        ("/cat.jpg?width=30", "missing"),
        (whole, "valid"),
        (whole.replace("30", "31"), "invalid"),
        (of_path, "valid"),
        (of_path.replace("30", "31"), "invalid"),
        (of_path + "?blur=3", "invalid"),
        ("/unsafe/30x0/cat.jpg", "missing"),
    ):
        assert explained(asked, url, authorization="Bearer the token")["signature"] == state, url
    off = client(tmp_path, SIGNATURE_SECRET_FILE=str(tmp_path / "secret"))
    assert explained(off, of_path)["signature"] == "valid"
    assert explained(off, "/cat.jpg")["signature"] == "none"
    for without in ({}, {"SIGNATURE_SECRET_FILE": str(tmp_path / "secret"), "DIALECTS": "json,query"}):
        meaning = explained(client(tmp_path, **without), of_path)
        # As the service reads it: no signature is possible there, so this is a key.
        assert (meaning["dialect"], meaning["key"], meaning["steps"]) == ("query", of_path[1:], [])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "`url`"), ("url=", "`url`"), ("url=cat.jpg", "path"), ("url=/cat.jpg&x=1", "`url`"),
        ("url=/cat.jpg%3Fblur%3D0", "blur.sigma"),
        ("url=/&to=query", "`url`"),
    ],
)  # fmt: skip
def test_what_cannot_be_parsed_is_refused(plain: Client, query: str, names: str) -> None:
    answer = plain.get("/_api/explain?" + query)
    assert answer.status in (400, 404)
    assert names in answer.json()["message"]


@pytest.mark.parametrize("mode", ["strict", "lenient"])
def test_explain_lists_what_strict_mode_would_refuse(tmp_path: Path, mode: str) -> None:
    meaning = explained(client(tmp_path, COMPATIBILITY=mode), "/unsafe/filters:nosuch():blur(3)/cat.jpg")
    assert [step["feature"] for step in meaning["steps"]] == ["blur"]
    assert (meaning["compatibility"], [each["name"] for each in meaning["ignored"]]) == (mode, ["filters:nosuch"])
    refused = client(tmp_path).get("/unsafe/filters:nosuch():blur(3)/cat.jpg")
    assert (refused.status, refused.json()["message"]) == (400, meaning["ignored"][0]["message"])


@pytest.mark.parametrize(
    ("url", "to", "expected"),
    [
        ("/unsafe/300x200/filters:noise(3)/a/cat.jpg", "query",
         "/a/cat.jpg?width=300&height=200&resize.centred=true&noise=3"),
        ("/a/cat.jpg?width=300&height=200&fit=inside&blur=3&quality=40", "thumbor",
         "/unsafe/fit-in/300x200/filters:upscale():blur(5,3):quality(40)/a/cat.jpg"),
        ("/cat.jpg?crop.left=10&crop.top=20&crop.width=30&crop.height=40&flip=true&bucket=other", "thumbor",
         "/unsafe/10x20:40x60/0x-0/cat.jpg?bucket=other"),
        ("/_key/300x200/cat.jpg?flip=true", "query", "/_key/300x200/cat.jpg?flip=true"),
        ("/cat.jpg?preset=thumb&v=2", "query", "/cat.jpg?preset=thumb&v=2"),
    ],
)  # fmt: skip
def test_an_address_is_translated(plain: Client, url: str, to: str, expected: str) -> None:
    assert translated(plain, url, to)["url"] == expected


def test_json_expresses_what_every_other_dialect_does(plain: Client) -> None:
    made = translated(plain, "/unsafe/30x20/left/top/filters:format(png):max_age(60)/a/cat.jpg?bucket=other", "json")
    assert json.loads(base64.urlsafe_b64decode(made["url"][1:])) == {
        "bucket": "other",
        "key": "a/cat.jpg",
        "edits": {"resize": {"width": 30, "height": 20, "position": "top-left", "centred": True}, "toFormat": "png"},
        "headers": {"Cache-Control": "public, max-age=60"},
    }
    assert made["unsaid"] == []


@pytest.mark.parametrize(
    "edits",
    [
        {"resize": {"width": 300, "height": 200}, "flip": True},
        {"resize": {"width": 300, "height": 200, "fit": "contain"}, "rotate": 90},
        {"rotate": 0},
        {"rotate": 90, "resize": {"width": 300}},
        {"resize": {"width": 300}, "smartCrop": {"faceIndex": 1, "padding": 9}},
        {"roundCrop": True, "resize": {"width": 300}, "grayscale": True},
        {"crop": {"left": 1}, "resize": {"width": 300}, "extract": {"top": 5}},
    ],
)
def test_json_translated_to_json_is_the_same(plain: Client, edits: dict[str, Any]) -> None:
    url = in_json({"key": "cat.jpg", "edits": edits})
    made = translated(plain, url, "json")
    assert made["unsaid"] == []
    assert explained(plain, made["url"]) == explained(plain, url)


@pytest.mark.parametrize(
    ("url", "to", "unsaid"),
    [
        (in_json({"key": "a.jpg", "edits": {"resize": {"width": 30, "height": 20}, "flop": True}}), "query",
         ["the order of resize, flop, resize"]),
        (in_json({"key": "a.jpg", "edits": {"linear": {"b": 5}, "blur": 2}}), "query", []),
        ("/cat.jpg?pixelate=9&width=30&resize.dpr=2&effort=3", "thumbor", ["resize.dpr", "pixelate", "output.effort"]),
        ("/unsafe/filters:noise(3):contrast(9)/cat.jpg", "query", []),
        ("/unsafe/filters:noise(3):rotate(90)/cat.jpg", "query", []),
        ("/unsafe/filters:noise(3):rotate(90)/cat.jpg", "thumbor", []),
        ("/unsafe/filters:max_age(60)/cat.jpg", "query", ["headers.Cache-Control"]),
        ("/cat.jpg?width=3&expires=29990101T000000Z&signature=00", "json", ["signature", "expires"]),
    ],
)  # fmt: skip
def test_what_a_dialect_cannot_express_is_listed(plain: Client, url: str, to: str, unsaid: list[str]) -> None:
    assert translated(plain, url, to)["unsaid"] == unsaid


@pytest.mark.parametrize(
    ("query", "path", "unsaid"),
    [
        ("format=auto&width=9", "9x0/cat.jpg", ["output.format"]),
        ("format=tiff", "cat.jpg", ["output.format"]),
        ("rotate=45.5&noise=3", "filters:noise(3,0)/cat.jpg", ["rotate"]),
        ("resize.ratio=2", "cat.jpg", ["resize"]),
        ("roundCorners=20p", "cat.jpg", ["roundCorners"]),
        ("watermark=logo.png&watermark.opacity=55.5", "cat.jpg", ["watermark"]),
        ("convolve.kernel=1,2,3,4&convolve.width=2&convolve.height=2", "cat.jpg", ["convolve"]),
        ("crop.left=60p&crop.top=0p&crop.width=60p&crop.height=50p", "cat.jpg", ["crop"]),
        ("watermark=a,b.png", "filters:watermark('a,b.png',center,center,0,none,none)/cat.jpg", []),
        ("watermark=a(b.png", "filters:watermark('a(b.png',center,center,0,none,none)/cat.jpg", []),
        ("watermark=a)b.png", "filters:watermark('a)b.png',center,center,0,none,none)/cat.jpg", []),
        ("frame=it's.png", "filters:frame(it's.png)/cat.jpg", []),
        ("frame=it's,x.png", "cat.jpg", ["frame"]),
        ("frame=a)/x.png", "cat.jpg", ["frame"]),
        ("frame=a):equalize(", "cat.jpg", ["frame"]),
        ("frame=' a.png", "cat.jpg", ["frame"]),
    ],
)
def test_a_path_of_thumbors_holds_what_is_read_back(plain: Client, query: str, path: str, unsaid: list[str]) -> None:
    made = translated(plain, "/cat.jpg?" + quote(query, safe="&=/"), "thumbor")
    assert (made["url"], made["unsaid"]) == ("/unsafe/" + quote(path, safe="/:(),;|'[]@!*~"), unsaid)
    again = explained(plain, made["url"])
    assert again["key"] == "cat.jpg"
    assert unsaid or again["steps"] == explained(plain, "/cat.jpg?" + quote(query, safe="&=/"))["steps"]


def test_other_languages_and_keys_are_refused(plain: Client) -> None:
    answer = plain.get("/_api/translate?url=/cat.jpg&to=klingon")
    assert (answer.status, "`to`" in answer.json()["message"]) == (400, True)
    answer = plain.get("/_api/translate?" + urlencode({"url": "/_key/smart/cat.jpg", "to": "thumbor"}))
    assert (answer.status, "smart/cat.jpg" in answer.json()["message"]) == (400, True)


def test_keys_stay_where_they_lie(tmp_path: Path) -> None:
    asked = client(tmp_path, SOURCE_PATHS="a/=other")
    own = in_json({"key": "_own/cat.jpg"})
    assert translated(asked, own, "query")["url"] == "/_key/_own/cat.jpg"
    assert asked.get("/_api/explain?url=/_own/cat.jpg").status == 404
    assert translated(asked, "/a/cat.jpg", "query")["url"] == "/cat.jpg?bucket=other"
    for to in ("query", "json", "thumbor"):
        for url in ("/a/cat.jpg", "/_key/a/cat.jpg", "/_key/_own/cat.jpg"):
            made = translated(asked, url, to)["url"]
            assert {**explained(asked, made), "dialect": ""} == {**explained(asked, url), "dialect": ""}


FILTERS = st.sampled_from(
    ["blur(3)", "blur(4,2)", "brightness(20)", "contrast(-30)", "rgb(20,-20,40)", "colorize(10,20,30,ff8800)",
     "convolution(1;2;1;2;4;2;1;2;1,3,true)", "convolution(0;-1;0;-1;5;-1;0;-1;0,3,false)",
     "curve([(0,0),(128,140),(255,255)],[],[],[])", "equalize()", "fill(ff0000)", "fill(auto,true)", "fill(blur)",
     "background_color(00ff00)", "frame(f.png)", "grayscale()", "noise(9,4)", "proportion(0.5)", "rotate(90)",
     "round_corner(20|30,255,0,0)", "round_corner(9,0,0,0,true)", "saturation(0.5)", "sharpen(2,1,true)",
     "sharpen(1.5,0.5,false)", "upscale()", "no_upscale()",
     "stretch()", "watermark(l.png,-10,20p,30,40,none)", "watermark(l.png,center,-0,0)", "red_eye()",
     "watermark(l.png,repeat,repeat,50)", "format(webp)", "quality(7)", "max_bytes(9000)", "autojpg()", "cover()",
     "max_age(5)", "focal(10x20:30x40)"]
)  # fmt: skip
GEOMETRY = st.tuples(
    st.sampled_from(["", "meta/"]),
    st.sampled_from(["", "trim/", "trim:bottom-right:7/"]),
    st.sampled_from(["", "10x20:100x200/", "0.1x0.2:0.5x0.75/"]),
    st.sampled_from(["", "fit-in/", "full-fit-in/", "adaptive-fit-in/", "adaptive-full-fit-in/"]),
    st.sampled_from(["300x200/", "-300x0/", "0x-200/", "-0x-0/", "origx200/", "300xorig/", "", "0x0/"]),
    st.sampled_from(["", "left/", "right/top/", "bottom/", "smart/"]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@given(GEOMETRY, st.lists(FILTERS, max_size=4))
@example(("", "", "10x20:100x200/", "", "300x200/", ""), ["focal(20x40:60x80)"])
@example(("", "", "", "fit-in/", "300x200/", ""), ["rotate(90)", "no_upscale()", "fill(ff0000)"])
@example(("", "", "", "", "300x200/", ""), ["rotate(90)", "fill(ff0000)"])
def test_thumbor_to_thumbor_is_the_same(folder: Path, geometry: tuple[str, ...], filters: list[str]) -> None:
    asked = client(folder)
    chain = f"filters:{':'.join(filters)}/" if filters else ""
    url = "/unsafe/" + "".join(geometry) + chain + "a/cat.jpg"
    if (answer := asked.get("/_api/translate?to=thumbor&url=" + quote(url))).status == 400:
        assert explained(asked, url)["ignored"] != []
        return
    made = answer.json()
    assert made["unsaid"] == []
    assert explained(asked, made["url"]) == explained(asked, url)


BOXES = st.fixed_dictionaries({name: st.integers(1, 90) for name in ("left", "top", "width", "height")})
SIZED = st.fixed_dictionaries(
    {"width": st.sampled_from([30, 300])},
    optional={
        "height": st.just(200),
        "fit": st.sampled_from(["cover", "contain", "inside", "outside", "fill"]),
        "position": st.sampled_from(["left", "top-right", "attention", 3, 17]),
        "background": st.sampled_from(["red", {"r": 1, "g": 2, "b": 3, "alpha": 0.5}]),
        "withoutEnlargement": st.booleans(),
    },
)
SAID_IN_JSON: dict[str, st.SearchStrategy[Any]] = {
    "resize": SIZED, "crop": BOXES, "extract": BOXES, "rotate": st.sampled_from([0, 90, 180, 30, None]),
    "flip": st.just(True), "flop": st.booleans(), "trim": st.just(True),
    "roundCrop": st.sampled_from([True, {"rx": 9}]),
    "smartCrop": st.sampled_from([True, {"faceIndex": 1, "padding": 9}]), "grayscale": st.just(True),
    "blur": st.sampled_from([0.5, 3]), "flatten": st.just({"background": "red"}), "gamma": st.just(2.2),
    "tint": st.just({"r": 255, "g": 0, "b": 9}), "linear": st.sampled_from([{"b": 5}, {"a": [1, 2, 3]}]),
    "modulate": st.just({"brightness": 2, "hue": 30}), "negate": st.sampled_from([True, {"alpha": False}]),
    "recomb": st.just([[1, 0, 0], [0, 1, 0], [0, 0, 1]]), "extend": st.just({"top": 3, "background": "#12345678"}),
    "convolve": st.just({"width": 3, "height": 3, "kernel": [0, 1, 0, 1, -4, 1, 0, 1, 0]}),
    "affine": st.just([[1, 0.3], [0.1, 0.7]]), "toColourspace": st.just("b-w"), "sharpen": st.just({"sigma": 2}),
    "overlayWith": st.just({"bucket": "other", "key": "w.png", "alpha": 3, "options": {"left": "-5p", "top": 4}}),
    "contentModeration": st.just({"minConfidence": 60, "moderationLabels": ["Violence"]}),
    "toFormat": st.sampled_from(["webp", "jpeg"]), "jpeg": st.just({"quality": 7}), "animated": st.just(False),
    "extractChannel": st.just("red"), "boolean": st.just({"key": "w.png", "operator": "and"}),
}  # fmt: skip


@st.composite
def said_in_json(draw: st.DrawFn) -> str:
    """Edits with their keys in any order, which counts."""
    names = draw(st.lists(st.sampled_from(sorted(SAID_IN_JSON)), unique=True, max_size=5))
    return in_json({"key": "a/cat.jpg", "edits": {name: draw(SAID_IN_JSON[name]) for name in names}})


@st.composite
def said_in_thumbor(draw: st.DrawFn) -> str:
    filters = draw(st.lists(FILTERS, max_size=4))
    return "/unsafe/" + "".join(draw(GEOMETRY)) + (f"filters:{':'.join(filters)}/" if filters else "") + "a/cat.jpg"


QUERIES = st.lists(
    st.sampled_from(
        ["width=30&height=20&fit=inside", "width=300&resize.focalPoint=0.2,0.3", "blur=3", "feature=sharpen", "flip=1",
         "rotate=33&rotate.background=red", "format=webp&quality=9", "maxBytes=9999", "page=3", "metadata=keep",
         "smartCropping=faces", "removeBackground=true", "contentModeration.labels=Violence", "quantize=5", "info=true",
         "linear.a=1,2,3", "curve.all=0,0,255,128", "watermark=a/w.png&watermark.left=-5p", "grayscale=true",
         "crop.left=1p&crop.top=3&crop.width=9&crop.height=50p", "download=a%20b.jpg", "animated=false", "extend=5,6"]
    ), unique=True, max_size=5,
).map(lambda said: "/a/cat.jpg?" + "&".join(said))  # fmt: skip


@given(st.one_of(said_in_json(), said_in_thumbor(), QUERIES), st.sampled_from(["query", "json", "thumbor"]))
def test_a_complete_translation_is_the_same_request(folder: Path, url: str, to: str) -> None:
    asked = client(folder)
    answer = asked.get("/_api/translate?" + urlencode({"url": url, "to": to}))
    if answer.status == 400:
        told = asked.get("/_api/explain?" + urlencode({"url": url})).json()
        # What lenient mode tolerates is explained, with the message of strict mode.
        assert told == answer.json() or told["ignored"][0]["message"] == answer.json()["message"]
        return
    made, meant = answer.json(), explained(asked, url)
    again = explained(asked, made["url"])
    if to == meant["dialect"] != "json":
        assert made["unsaid"] == []
    if not made["unsaid"]:
        for steps in (meant["steps"], again["steps"]):
            for step in steps:
                step.pop("centred", None)  # where pixels lie in an enlargement, by less than one of them
                if "thumbor" in (to, meant["dialect"]):
                    step.pop("minAmplitude", None)  # the width of the kernel, in whole pixels the same
                    step.pop("precision", None)
        assert {**again, "dialect": ""} == {**meant, "dialect": ""}


def list_single_parameters() -> list[tuple[str, str]]:
    """Each feature and each parameter by itself, with the name of the feature or of the output option."""
    simple = [(f"{feature.name}=true", feature.name) for feature in CATALOGUE]
    for feature in CATALOGUE:
        simple += [(f"{feature.name}.{name}={value}", feature.name) for name, value in sample_values(feature.params)]
    return simple + [(f"output.{name}={value}", f"output.{name}") for name, value in sample_values(Output)]


def sample_values(model: type[Params]) -> Iterator[tuple[str, object]]:
    """Yield fields with a value that is not their default: of each choice the last one, of each range its ends."""
    for name, field in fields(model).items():
        bounds = [field.bounds[bound] for bound in ("ge", "le") if bound in field.bounds]
        values = ["true"] if field.boolean else [*field.choices[-1:], *bounds]
        values += ["9"] if not values else []
        yield from ((name, value) for value in values)


def test_no_translation_names_what_the_request_does_not(tmp_path: Path) -> None:
    """A request with one parameter, in every other language: nothing but this parameter may be listed."""
    targets = {
        to: client(tmp_path, DIALECTS=f"json,{to},query", PUBLIC_FEATURES="*")
        for to in ("query", "json", "thumbor", "imagor", "imgproxy")
    }
    translated_count = listed_count = 0
    for query, name in list_single_parameters():
        for to, asked in targets.items():
            answer = asked.get("/_api/translate?" + urlencode({"url": f"/cat.jpg?{query}", "to": to}))
            if answer.status == 200:
                unsaid = answer.json()["unsaid"]
                translated_count, listed_count = translated_count + 1, listed_count + bool(unsaid)
                assert set(unsaid) <= {name, query.partition("=")[0]}, (query, to, unsaid)
    assert translated_count > listed_count > 300


@pytest.mark.parametrize("to", ["query", "json", "thumbor", "imagor", "imgproxy"])
@pytest.mark.parametrize("sigma", ["1", "3", "11"])
def test_a_plain_blur_is_the_same_everywhere(tmp_path: Path, to: str, sigma: str) -> None:
    asked = client(tmp_path, DIALECTS=f"json,{to},query")
    (tmp_path / "cat.png").write_bytes(pictures.png())
    made = translated(asked, f"/cat.png?blur={sigma}", to)
    assert made["unsaid"] == []
    bodies = [asked.get(url).body for url in (f"/cat.png?blur={sigma}", made["url"])]
    levels = [pyvips.Image.new_from_buffer(body, "").numpy().astype(int) for body in bodies]
    assert abs(levels[0] - levels[1]).max() <= 5  # libvips' kernels of whole numbers and of fractions


def test_a_blur_whose_kernel_is_another_one_is_listed(plain: Client) -> None:
    """Thumbor's kernels have at least three pixels."""
    assert translated(plain, "/cat.jpg?blur=0.5", "thumbor")["unsaid"] == ["blur"]
    assert translated(plain, "/cat.jpg?blur=9&blur.minAmplitude=0.9", "query")["unsaid"] == []


def test_the_command_line_prints_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_BUCKETS", f"photos=file://{tmp_path}")
    assert run(["explain", "/unsafe/300x200/cat.jpg"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == [
        {"feature": "resize", "width": 300, "height": 200, "centred": True}
    ]
    assert run(["translate", "/cat.jpg?width=30&pixelate=9", "--to", "thumbor"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("/unsafe/30x0/cat.jpg\n", "cannot be expressed: pixelate\n")
    assert run(["explain", "cat.jpg"]) == 2
    assert "must be a path" in capsys.readouterr().err


def test_a_language_that_is_not_read_here_is_refused_by_name(tmp_path: Path) -> None:
    asked = client(tmp_path, DIALECTS="json,query")
    answer = asked.get("/_api/translate?" + urlencode({"url": "/cat.jpg?width=3", "to": "thumbor"}))
    assert answer.status == 400
    assert answer.json()["message"] == "`to` must be a dialect that DIALECTS lists (json,query), got 'thumbor'"
