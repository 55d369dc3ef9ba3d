"""Every row for AWS's handler in docs/compatibility.md, tried: what is built answers, what is refused is named."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests import pictures
from tests.client import Answered, Client

DOCUMENT = (Path(__file__).parents[3] / "docs/compatibility.md").read_text(encoding="utf-8")
SECTION = DOCUMENT.partition("## AWS's image handler\n")[2].partition("\n## ")[0]
ROWS = [tuple(cell.strip() for cell in row.split("|")[1:-1]) for row in SECTION.splitlines() if row.startswith("| ")]
BOX = {"left": 4, "top": 5, "width": 60, "height": 40}
LAID = {"bucket": "p", "key": "overlay.png"}
POSITIONS = [
    "centre",
    "center",
    "top",
    "right top",
    "left bottom",
    "north",
    "southeast",
    "entropy",
    "attention",
    0,
    8,
    16,
    17,
]
FITS = ["cover", "contain", "fill", "inside", "outside"]
KERNELS = ["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3", "mks2013", "mks2021"]
BLENDS = [
    "clear",
    "source",
    "over",
    "in",
    "out",
    "atop",
    "dest",
    "dest-over",
    "dest-in",
    "dest-out",
    "dest-atop",
    "xor",
    "add",
    "saturate",
    "multiply",
    "screen",
    "overlay",
    "darken",
    "lighten",
    "colour-dodge",
    "color-dodge",
    "colour-burn",
    "color-burn",
    "hard-light",
    "soft-light",
    "difference",
    "exclusion",
]
EDITS: dict[str, list[Any]] = {
    "resize": [
        {"width": 90}, {"height": 70}, {"width": "90"}, {"width": 90.4, "height": None}, {"ratio": 0.5},
        *({"width": 90, "height": 90, "fit": fit} for fit in FITS),
        *({"width": 90, "height": 90, "position": position} for position in POSITIONS),
        {"width": 90, "height": 90, "gravity": "west"}, {"width": 90, "height": 90, "strategy": "entropy"},
        *({"width": 50, "kernel": kernel} for kernel in KERNELS),
        {"width": 90, "height": 90, "fit": "contain", "background": {"r": 9, "g": 9, "b": 9, "alpha": 0.5}},
        {"width": 900, "withoutEnlargement": False}, {"width": 90, "withoutReduction": False},
        {"width": 90, "fastShrinkOnLoad": False},
    ],
    "extract": [BOX], "crop": [BOX],
    "extend": [10, {"top": 9, "left": 3, "bottom": 4, "right": 2, "background": "#123"},
               *({"left": 9, "extendWith": way} for way in ("background", "copy", "repeat", "mirror"))],
    "trim": [True, {"threshold": 30}, {"background": "#ffffff", "threshold": 5, "lineArt": True}],
    "rotate": [90, 45, -30],
    "flip": [True], "flop": [True],
    "affine": [[[1, 0.3], [0.1, 0.7]], [1, 0.3, 0.1, 0.7]],
    "tint": ["red", {"r": 200, "g": 9, "b": 9}],
    "greyscale": [True], "grayscale": [True],
    "gamma": [True, 2.2],
    "negate": [True, {"alpha": False}],
    "normalise": [True, {"lower": 2, "upper": 90}], "normalize": [True],
    "clahe": [{"width": 20, "height": 20}, {"width": 9, "height": 9, "maxSlope": 4}],
    "threshold": [True, 100],
    "linear": [1.4, [1.2, 1, 0.8], {"a": 1.1, "b": 9}],
    "recomb": [[[0.3, 0.5, 0.1], [0.3, 0.6, 0.1], [0.2, 0.5, 0.1]]],
    "modulate": [{"brightness": 1.5}, {"saturation": 0.2, "hue": 90}, {"lightness": 20}],
    "sharpen": [True, 2, {"sigma": 2, "m1": 1, "m2": 3, "x1": 2, "y2": 10, "y3": 20}],
    "median": [True, 5],
    "blur": [True, 5, {"sigma": 3}],
    "convolve": [{"width": 3, "height": 3, "kernel": [-1, 0, 1, -2, 0, 2, -1, 0, 1]},
                 {"width": 3, "height": 3, "kernel": [1, 1, 1, 1, 1, 1, 1, 1, 1], "scale": 9, "offset": 5}],
    "flatten": [True, {"background": "#f0a703"}, {"background": {"r": 9, "g": 9, "b": 200}}],
    "unflatten": [True],
    "removeAlpha": [True],
    "ensureAlpha": [True, 0.5, 0],
    "extractChannel": ["green", 0, "alpha"],
    "bandbool": ["and", "or", "eor"],
    "boolean": [{"key": "same.png", "operator": operator} for operator in ("and", "or", "eor")],
    "toColourspace": ["b-w", "srgb", "rgb16"], "toColorspace": ["b-w"],
    "pipelineColourspace": ["rgb16", "srgb"], "pipelineColorspace": ["rgb16"],
    "overlayWith": [
        LAID, {**LAID, "alpha": 50}, {**LAID, "alpha": "50", "wRatio": "20", "hRatio": 30},
        *({**LAID, "options": {"left": left, "top": 4}} for left in (7, -7, "10p", "-10p", "12")),
        *({**LAID, "options": {"gravity": gravity}} for gravity in ("north", "southwest", "centre", 3)),
        *({**LAID, "options": {"blend": blend}} for blend in BLENDS), {**LAID, "options": {"tile": True}},
    ],
    "roundCrop": [True, {"rx": 40, "ry": 30, "top": 50, "left": 60}],
    "smartCrop": [True, {"faceIndex": 0, "padding": 40}],
    "contentModeration": [True, {"minConfidence": 75, "blur": 50, "moderationLabels": ["Violence"]}],
    "animated": [True, False],
    "toFormat": ["jpeg", "jpg", "png", "webp", "gif", "avif", "tiff", "heif"],
    "jpeg": [True, {"quality": 50, "progressive": True, "chromaSubsampling": "4:4:4", "mozjpeg": True}],
    "png": [{"compressionLevel": 9, "adaptiveFiltering": True, "palette": True, "colours": 16, "progressive": True}],
    "webp": [{"quality": 50, "alphaQuality": 50, "lossless": True, "effort": 6, "smartSubsample": True}],
    "gif": [{"colours": 16, "effort": 7, "dither": 0.5, "reuse": True}],
    "avif": [{"quality": 50, "lossless": False, "effort": 4, "chromaSubsampling": "4:2:0", "bitdepth": 10}],
    "tiff": [{"quality": 50, "compression": "lzw", "predictor": "horizontal", "pyramid": True, "bitdepth": 8}],
    "heif": [{"quality": 50, "compression": "av1"}],
}  # fmt: skip

OTHER_SPELLINGS = {"grayscale", "normalize", "toColorspace", "pipelineColorspace"}
"""sharp's own, beside the ones that the table has."""
FORMATS = {"toFormat", "jpeg", "png", "webp", "gif", "avif", "tiff", "heif"}
MAY_KEEP_PIXELS = FORMATS | {"animated", "ensureAlpha", "toColourspace", "pipelineColourspace", "pipelineColorspace"}
NEEDS_DETECTION = {"contentModeration"}
REFUSED = {"joinChannel": ["/etc/passwd", ["/etc/passwd"], {"key": "overlay.png"}]}
TRIED = [(name, value) for name, values in EDITS.items() for value in values]


def list_documented_edits() -> Iterator[str]:
    """Yield the names in the rows of the table that list edits."""
    for offered, _ in ROWS:
        names = re.findall(r"`(\w+)`", offered)
        if set(names) & {*EDITS, *REFUSED} and not offered.startswith(("Query", "Thumbor")):
            yield from names


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    white = [255, 255, 255, 255]
    framed = pictures.scene_with_alpha(160, 120).embed(8, 8, 176, 136, extend="background", background=white)
    (folder / "cat.png").write_bytes(framed.pngsave_buffer())
    (folder / "opaque.png").write_bytes(pictures.png(pictures.scene(176, 136)))
    (folder / "same.png").write_bytes(pictures.png(pictures.scene(176, 136)))
    (folder / "overlay.png").write_bytes(pictures.png(pictures.scene(32, 24)))
    (folder / "large.png").write_bytes(pictures.png(pictures.scene(400, 300)))
    (folder / "cut.jpg").write_bytes(pictures.jpeg()[:3000])
    return folder


@pytest.fixture(scope="module")
def strict(folder: Path) -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", "PUBLIC_FEATURES": "*"})


@pytest.fixture(scope="module")
def lenient(folder: Path) -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", "PUBLIC_FEATURES": "*", "COMPATIBILITY": "lenient"})


def in_json(**document: Any) -> str:
    return "/" + base64.b64encode(json.dumps({"key": "cat.png", **document}).encode()).decode()


def opened(answer: Answered) -> Any:
    assert answer.status == 200, answer.body
    return pyvips.Image.new_from_buffer(answer.body, "")


def is_same(one: Any, other: Any) -> bool:
    shape = [(image.width, image.height, image.bands, image.format) for image in (one, other)]
    return shape[0] == shape[1] and one.write_to_memory() == other.write_to_memory()


def test_every_edit_of_the_table_is_tried_here() -> None:
    assert set(list_documented_edits()) == {*EDITS, *REFUSED} - OTHER_SPELLINGS


@pytest.mark.parametrize(("name", "value"), TRIED)
def test_an_edit_that_is_built_answers_and_has_an_effect(strict: Client, name: str, value: Any) -> None:
    if name in NEEDS_DETECTION:
        assert strict.get(in_json(edits={name: value})).json()["code"] == "NotImplemented"  # VISION is not set
        assert strict.get(in_json(key="nosuch.png", edits={name: value})).status == 404
        return
    made = opened(strict.get(in_json(edits={name: value})))
    assert name in MAY_KEEP_PIXELS or not is_same(made, opened(strict.get(in_json())))


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_an_edit_that_is_refused_is_named(strict: Client, name: str, value: Any) -> None:
    answer = strict.get(in_json(edits={name: value}))
    assert (answer.status, answer.json()["message"].startswith(f"`edits.{name}` ")) == (400, True)


@pytest.mark.parametrize("name", ["toFormat", "outputFormat"])
@pytest.mark.parametrize("value", EDITS["toFormat"])
def test_the_format_is_the_requested_one(strict: Client, name: str, value: str) -> None:
    answer = strict.get(in_json(edits={name: value}) if name == "toFormat" else in_json(outputFormat=value))
    expected = {"jpg": "jpeg", "heif": "avif"}.get(value, value)
    assert (answer.status, answer.headers["Content-Type"]) == (200, f"image/{expected}")


def test_alpha_is_added_and_sixteen_bits_are_those_of_a_tiff(strict: Client) -> None:
    for edits, bands, kind in (
        ({"ensureAlpha": 0.5}, 4, "uchar"),
        ({"toColourspace": "rgb16", "toFormat": "tiff"}, 3, "ushort"),
        ({"toColourspace": "rgb16", "toFormat": "png"}, 3, "uchar"),
        ({"pipelineColourspace": "rgb16", "blur": 2, "toFormat": "tiff"}, 3, "uchar"),
    ):
        made = opened(strict.get(in_json(key="opaque.png", edits=edits)))
        assert (made.bands, made.format) == (bands, kind), edits


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"edits": {"toFormat": "raw"}}, "edits.toFormat"),
        ({"edits": {"toColourspace": "cmyk"}}, "edits.toColourspace.colourspace"),
        ({"edits": {"pipelineColourspace": "lab"}}, "edits.pipelineColourspace.colourspace"),
        ({"edits": {"boolean": "/etc/passwd"}}, "edits.boolean"),
        ({"edits": {"tiff": {"bitdepth": 4}}}, "edits.tiff.bitdepth"),
        ({"edits": {"nosuch": 1}}, "edits.nosuch"),
        ({"edits": {"resize": {"widht": 9}}}, "edits.resize.widht"),
        ({"edits": {"resize": {"width": 9, "fit": "Cover"}}}, "edits.resize.fit"),
        ({"edits": {"overlayWith": {**LAID, "nosuch": 1}}}, "edits.overlayWith.nosuch"),
        ({"edits": {"jpeg": {"nosuch": 1}}}, "edits.jpeg.nosuch"),
        ({"edits": {"median": 999}}, "median.size"),
        ({"edits": {"clahe": {"width": 999, "height": 9}}}, "clahe.width"),
        ({"outputFormat": "webp", "effort": 9}, "effort"),
        ({"headers": {"Location": "/elsewhere"}}, "headers.Location"),
        ({"headers": {"Refresh": "0"}}, "headers.Refresh"),
        ({"nosuch": 1}, "nosuch"),
    ],
)
def test_what_the_page_calls_refused_is_named(strict: Client, document: dict[str, Any], name: str) -> None:
    answer = strict.get(in_json(**document))
    assert answer.status == 400
    assert answer.json()["message"].startswith(f"`{name}"), answer.body


@pytest.mark.parametrize(
    "document",
    [
        {"edits": {"nosuch": 1}},
        {"edits": {"resize": {"width": 9, "widht": 9}}},
        {"edits": {"jpeg": {"nosuch": 1}}},
        {"outputFormat": "webp", "effort": 9},
        {"headers": {"Location": "/elsewhere"}},
    ],
)
def test_lenient_mode_goes_on_without_what_awss_handler_ignores(lenient: Client, document: dict[str, Any]) -> None:
    answer = lenient.get(in_json(**document))
    assert answer.status == 200
    assert "Location" not in answer.headers
    assert answer.headers["X-Ignored"]


def test_the_deviations_of_whole_answers(strict: Client) -> None:
    plain = opened(strict.get(in_json()))
    for angle in (None, "", 0):
        assert is_same(opened(strict.get(in_json(edits={"rotate": angle}))), plain)
    assert strict.get(in_json(key="cut.jpg", edits={"resize": {"width": 50}})).status == 422
    laid = opened(strict.get(in_json(edits={"overlayWith": {"key": "large.png"}})))
    assert (laid.width, laid.height) == (plain.width, plain.height)
    assert is_same(opened(strict.get(in_json(edits={"webp": {"nearLossless": True}, "toFormat": "webp"}))), plain)
    assert opened(strict.get(in_json(edits={"roundCrop": True, "toFormat": "png"}))).hasalpha()
    assert strict.get(in_json(outputFormat="jpeg", effort=9)).status == 200


@pytest.mark.parametrize(
    "query", ["format=webp", "fit=fill&width=50&height=50", "width=50", "height=50", "rotate=90", "flip=1", "flop=1",
              "grayscale=1"]
)  # fmt: skip
@pytest.mark.parametrize("path", [in_json(edits={"blur": 2}), "/fit-in/100x100/cat.png", "/cat.png"])
def test_query_parameters_apply_on_top_of_any_language(strict: Client, path: str, query: str) -> None:
    made, plain = strict.get(f"{path}?{query}"), strict.get(path)
    assert not is_same(opened(made), opened(plain)) or made.headers["Content-Type"] == "image/webp"
