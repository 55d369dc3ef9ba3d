"""imagor's segments and filters: what each of them means, what is refused, signatures, translation, random paths."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures
from tests.client import Client, size
from tests.handler.dialects.test_fuzz import ANY_WORD, AREAS, SIZES, refused, timed

from handler.requests.dialects import imagor, thumbor
from handler.requests.dialects.imagor.geometry import USAGES
from handler.requests.dialects.imagor.interpret import FILTERS

SECRET = "s3cret"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("imagor")
    (made / "a.png").write_bytes(pictures.png(pictures.scene(200, 100)))
    (made / "b.png").write_bytes(pictures.png(pictures.scene(40, 40)))
    (made / "secret").write_text(SECRET)
    return made


def client(folder: Path, **settings: str) -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", "DIALECTS": "imagor,query", **settings})


@pytest.fixture(scope="module")
def strict(folder: Path) -> Client:
    return client(folder)


def explain(served: Client, path: str) -> Any:
    answer = served.get("/_api/explain?" + urlencode({"url": f"/unsafe/{path}"}))
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("stretch/50x60/a.png", {"feature": "resize", "width": 50, "height": 60, "fit": "fill"}),
        ("filters:orient(90)/a.png", {"feature": "rotate", "angle": 90.0}),
        ("filters:rotate(90)/a.png", {"feature": "rotate", "angle": 90.0}),
        ("filters:proportion(50)/a.png", {"feature": "resize", "ratio": 0.5}),
        ("filters:proportion(0.5)/a.png", {"feature": "resize", "ratio": 0.5}),
        ("filters:hue(290)/a.png", {"feature": "modulate", "hue": 290}),
        ("filters:saturation(-50)/a.png", {"feature": "modulate", "saturation": 0.5}),
        ("filters:blur(5)/a.png", {"feature": "blur", "sigma": 2.5}),
        ("filters:pixelate()/a.png", {"feature": "pixelate"}),
        ("filters:crop(0.1,20,0.5,30)/a.png", {"feature": "extract", "left": "10p", "top": "20", "width": "50p",
                                               "height": "30", "clamp": True, "optional": True}),
        ("filters:background_color(red)/a.png", {"feature": "flatten", "background": "ff0000"}),
        ("filters:trim(50,bottom-right)/a.png", {"feature": "trim", "threshold": 50.0, "corner": "bottom-right",
                                                 "matte": "ff00ff"}),
    ],
)  # fmt: skip
def test_each_word_is_a_step(strict: Client, path: str, step: dict[str, object]) -> None:
    assert explain(strict, path)["steps"] == [step]


def test_filters_that_concern_the_file(strict: Client) -> None:
    output = explain(strict, "filters:format(webp):lossless():quality(60):strip_metadata():page(3)/a.png")["output"]
    kept = {"format": "webp", "lossless": True, "quality": 60, "page": 2, "animated": False}
    assert {name: output[name] for name in kept} == kept


def test_padding_is_added_by_fill_alone(strict: Client) -> None:
    assert size(strict.get("/unsafe/fit-in/100x100/10x5/a.png").body) == (100, 50)
    for word in ("white", "none", "blur", "auto"):
        answer = strict.get(f"/unsafe/fit-in/100x100/10x5:20x15/filters:fill({word})/a.png")
        assert size(answer.body) == (130, 120), word


def test_the_box_turns_with_the_image(strict: Client) -> None:
    assert size(strict.get("/unsafe/fit-in/100x80/filters:rotate(90):fill(red)/a.png").body) == (80, 100)


def test_texts_and_overlays_are_drawn(strict: Client) -> None:
    plain = strict.get("/unsafe/a.png").body
    for name in ("label(Hi,10,10,30,red)", "text(Hi,center,-10,sans-bold-20,ff0000)", "watermark(b.png,-10,10p,0)",
                 "image(/20x20/b.png,center,center,50,multiply)", "image(fxf/b.png)"):  # fmt: skip
        answer = strict.get(f"/unsafe/filters:{name}/a.png")
        assert answer.status == 200, answer.body
        assert answer.body != plain, name


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("filters:nosuch(1)/a.png", "filters"),
        ("filters:rotate(45)/a.png", "filters:rotate"),
        ("filters:proportion(0)/a.png", "filters:proportion"),
        ("filters:crop(1,2,3)/a.png", "filters:crop"),
        ("filters:fill(nosuch)/a.png", "filters:fill"),
        ("filters:image(/meta/20x20/b.png,0,0)/a.png", "filters:image"),
        ("filters:to_colorspace(cmyk)/a.png", "filters:to_colorspace"),
        ("filters:label(Hi,here,10)/a.png", "filters:label"),
        ("filters:text(Hi,0,0,sans-20,red,0,,100,low,0,char)/a.png", "filters:text"),
        ("filters:text(Hi,0,0,sans-20,red,0,multiply)/a.png", "filters:text"),
        ("color:red", "image"),
    ],
)
def test_mistakes_are_named_in_strict_mode_and_left_out_in_lenient_mode(folder: Path, path: str, named: str) -> None:
    answer = client(folder).get(f"/unsafe/{path}")
    assert answer.status == 400
    assert f"`{named}`" in answer.json()["message"]
    lenient = client(folder, COMPATIBILITY="lenient").get(f"/unsafe/{path}")
    assert lenient.status == (400 if path.startswith("color:") else 200), lenient.body


@pytest.mark.parametrize(
    ("call", "step"),
    [
        ("redact()", {"detect": "faces"}),
        ("redact(pixelate,15)", {"detect": "faces", "mode": "pixelate"}),
        ("redact_oval(ff0000)", {"detect": "faces", "mode": "fill", "color": "ff0000", "shape": "ellipse"}),
        ("draw_detections()", {"detect": "faces", "draw": True}),
    ],
)
def test_what_is_to_be_hidden_is_hidden_or_refused(folder: Path, call: str, step: dict[str, object]) -> None:
    for mode in ("strict", "lenient"):
        served = client(folder, COMPATIBILITY=mode)
        assert explain(served, f"filters:{call}/a.png")["steps"] == [{"feature": "redact", **step}]
        # Without a signature a detector does not run, and the image is not sent.
        assert served.get(f"/unsafe/filters:{call}/a.png").status == 403


def test_its_signature_is_thumbors_and_covers_its_words(folder: Path) -> None:
    signed = client(folder, ENABLE_SIGNATURE="Yes", SIGNATURE_SECRET_FILE=str(folder / "secret"))
    rest = "stretch/50x60/filters:hue(90)/a.png"
    assert size(signed.get(f"/{thumbor.sign(rest, SECRET)}/{rest}").body) == (50, 60)
    assert signed.get(f"/{thumbor.sign(rest, SECRET)}/{rest.replace('50x', '51x')}").status == 400
    assert signed.get(f"/unsafe/{rest}").status == 400


def test_the_first_of_both_languages_in_the_list_reads_unsafe(folder: Path) -> None:
    """`stretch` is imagor's segment; for Thumbor it is the first folder of a key."""
    for order, status in (("imagor,thumbor", 200), ("thumbor,imagor", 404)):
        assert client(folder, DIALECTS=order).get("/unsafe/stretch/50x60/a.png").status == status
    assert imagor.DIALECT.is_default is False
    # Both languages have the same signatures, so that the order decides about a signed path as well.
    rest = "stretch/50x60/a.png"
    secret = {"ENABLE_SIGNATURE": "Yes", "SIGNATURE_SECRET_FILE": str(folder / "secret")}
    for order, status in (("imagor,thumbor", 200), ("thumbor,imagor", 404)):
        served = client(folder, DIALECTS=order, **secret)
        assert served.get(f"/{thumbor.sign(rest, SECRET)}/{rest}").status == status


EXACT = (
    "width=50&height=40", "width=50&fit=inside", "width=50&height=40&fit=fill", "width=50&withoutEnlargement=true",
    "blur=3", "rotate=90", "grayscale=true", "modulate.hue=90", "flip=true", "format=webp&quality=60", "pixelate=5",
    "width=50&height=40&position=top-left", "resize.ratio=0.5", "linear.b=51", "flatten=ff8800",
)  # fmt: skip
ALIKE = (
    "extend=10",
    "trim=20",
    "width=60&height=60&fit=contain",
    "crop.width=50&crop.height=50",
    "watermark=b.png&watermark.opacity=40",
)
"""What imagor does a little differently: the translation says so, and the size is the same."""


@pytest.mark.parametrize("query", [*EXACT, *ALIKE])
def test_addresses_are_translated_there_and_back(strict: Client, query: str) -> None:
    asked = strict.get("/_api/translate?" + urlencode({"url": f"/a.png?{query}", "to": "imagor"})).json()
    assert (asked["unsaid"] == []) is (query in EXACT), asked
    assert size(strict.get(asked["url"]).body) == size(strict.get(f"/a.png?{query}").body), asked


NAMES = sorted({*FILTERS, *USAGES, "nosuch", "Blur", ""})
CALLS = st.tuples(st.sampled_from(NAMES), st.lists(ANY_WORD, max_size=8)).map(
    lambda call: f"{call[0]}({','.join(call[1])})"
)
CHAINS = st.lists(CALLS, max_size=4).map(lambda calls: f"filters:{':'.join(calls)}/") | st.sampled_from(
    ["filters:", "filters:/", "filters:blur(/", "filters:blur(1)", "filters:" + "blur(1):" * 99,
     "filters:image(" + "(" * 5000 + ")/", "filters:" + "image(/f-1xf/" * 400 + ")" * 400 + "/",
     "filters:" + "a(" * 9000]
)  # fmt: skip
SEGMENTS = st.lists(
    CHAINS | AREAS | SIZES | st.text(max_size=8).map("{}/".format)
    | st.sampled_from(["meta/", "trim/", "trim:5/", "fit-in/", "adaptive-full-fit-in/", "stretch/", "10x5/",
                       "10x5:20x15/", "left/", "middle/", "smart/", "b64:", "b64:YS5wbmc/", "color:red/", "x/"]),
    max_size=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def missing(folder: Path) -> Iterator[tuple[Client, Client]]:
    """Clients in strict and in lenient mode, for originals that do not exist."""
    logging.disable(logging.INFO)
    settings = {"SOURCE_BUCKETS": f"p=file://{folder}", "DIALECTS": "imagor", "PUBLIC_FEATURES": "*"}
    yield Client(settings), Client({**settings, "COMPATIBILITY": "lenient"})
    logging.disable(logging.NOTSET)


@given(SEGMENTS, st.booleans())
def test_random_paths_are_parsed_or_refused(
    missing: tuple[Client, Client], segments: list[str], is_lenient: bool
) -> None:
    served = missing[is_lenient]
    path = quote("/unsafe/" + "".join(segments) + "a/nosuch.jpg", safe="/:(),;|'[]@!*~")
    refused(served, path)
    answer = timed(partial(served.get, "/_api/translate?to=imagor&" + urlencode({"url": path})))
    assert answer.status == 200 or 400 <= answer.status < 500
