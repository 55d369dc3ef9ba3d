"""Where the letters of texts come from: fallback between fonts, characters without one, and the operator's fonts."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from tests.client import Client
from tests.local_server import ROOT
from tests.stand_ins.moto import Moto, moto_server
from tests.tools import lacking

from handler.config import SettingsError

_CJK = Path(sys.prefix) / "cjk" / "manimgx_fonts_cjk"
_DRAW = """
import base64, json, os, sys
from handler.app import lambda_handler
from urllib.parse import quote
for text, more in json.loads(sys.argv[1]):
    query = f"width=400&height=80&text={quote(text)}&text.color=black&text.size=40&text.position=left&format=png{more}"
    answer = lambda_handler(
        {"version": "2.0", "rawPath": "/_canvas", "rawQueryString": query, "headers": {},
         "requestContext": {"http": {"method": "GET", "path": "/_canvas"}}}, None)
    body = answer["body"] if answer["isBase64Encoded"] else base64.b64encode(answer["body"].encode()).decode()
    print("answer", answer["statusCode"] + 0, body)
"""
"""Fonts are read once by each process, so each case has one of its own."""


def drawn(*texts: str | tuple[str, str], **environment: str) -> list[tuple[int, bytes]]:
    """Return the status and the body of each text (with more of the query) as another process answers it."""
    cases = [(text, "") if isinstance(text, str) else text for text in texts]
    ran = subprocess.run(
        [sys.executable, "-c", _DRAW, json.dumps(cases)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            "SOURCE_BUCKETS": f"samples=file://{ROOT / 'samples'}",
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in ran.stdout.splitlines() if line.startswith("answer ")]
    return [(int(status), base64.b64decode(body)) for _, status, body in lines]


def ink(answer: tuple[int, bytes]) -> np.ndarray:
    """Return where letters are, without the white around them."""
    status, body = answer
    assert status == 200, body
    dark = np.asarray(Image.open(io.BytesIO(body)).convert("L")) < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def expected_ink(text: str, font: Path) -> np.ndarray:
    """Return the same of Pillow's FreeType, which shares no code with Pango."""
    image = Image.new("L", (600, 200), 255)
    face = ImageFont.truetype(font, 40)
    axes = face.get_variation_axes()
    face.set_variation_by_axes([400.0 if axis["name"] == b"Weight" else float(axis["default"] or 0) for axis in axes])
    ImageDraw.Draw(image).text((50, 50), text, font=face, fill=0)
    out = io.BytesIO()
    image.save(out, "PNG")
    return ink((200, out.getvalue()))


def is_alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two shapes have the same size, to two pixels, and nearly the same pixels."""
    if any(abs(a - b) > 2 for a, b in zip(one.shape, other.shape, strict=True)):
        return False
    height, width = (min(a, b) for a, b in zip(one.shape, other.shape, strict=True))
    return bool((one[:height, :width] == other[:height, :width]).mean() > 0.85)


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("\N{SNOWMAN}", "NotoEmoji[wght].ttf"),
        ("\N{PARTY POPPER}", "NotoEmoji[wght].ttf"),
        ("\N{HEBREW LETTER SHIN}", "NotoSansHebrew[wght].ttf"),
        ("\N{THAI CHARACTER KO KAI}", "NotoSansThai[wght].ttf"),
    ],
)
def test_letters_that_the_font_lacks_come_from_another_one(text: str, file: str) -> None:
    assert is_alike(ink(drawn(text)[0]), expected_ink(text, Path(str(files("manimgx_fonts") / file))))


def test_a_character_without_a_font_is_a_box_with_its_number() -> None:
    """A noncharacter of Unicode, which no font ever has; the box is as high as the letters, and others differ."""
    one, same, other = (ink(answer) for answer in drawn("\U0010fffd", "\U0010fffd", "\U000f1234"))
    # A frame: all around its edge.
    assert one[0].mean() > 0.8
    assert one[:, 0].mean() > 0.8
    assert one.shape == same.shape
    assert (one == same).all()
    assert not is_alike(one, other), "the digits tell which character it is"


def test_chinese_japanese_and_korean_are_drawn_with_the_optional_font() -> None:
    if not _CJK.is_dir():
        lacking("the font of CJK is needed: make setup")
    texts = ["\N{CJK UNIFIED IDEOGRAPH-65E5}", "\N{HIRAGANA LETTER A}", "\N{HANGUL SYLLABLE HAN}"]
    without, with_font = drawn(*texts), drawn(*texts, FONTS=str(_CJK))
    for text, box, letter in zip(texts, without, with_font, strict=True):
        assert is_alike(ink(letter), expected_ink(text, next(_CJK.glob("*.ttc")))), text
        assert not is_alike(ink(box), ink(letter)), text


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with moto_server() as running:
        yield running


def environment_of(moto: Moto, place: str) -> dict[str, str]:
    return {
        "FONTS": place,
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def renamed(body: bytes) -> bytes:
    """Return JetBrains Mono under another family's name of the same length."""
    return body.replace("JetBrains Mono".encode("utf-16-be"), "Corporate Type".encode("utf-16-be"))


def test_fonts_under_a_prefix_of_a_bucket_are_used(moto: Moto) -> None:
    mono = (files("fontpkg_jetbrains_mono") / "files" / "JetBrainsMono[wght].ttf").read_bytes()
    objects = {"fonts/own/a.ttf": renamed(mono), "fonts/OFL.txt": b"a licence", "other/b.ttf": b"outside of the prefix"}
    bucket = moto.bucket(**objects)
    own, mono_text, unknown = drawn(
        ("Wide", "&text.font=Corporate%20Type"),
        ("Wide", "&text.font=mono"),
        ("Wide", "&text.font=Nothing"),
        **environment_of(moto, f"s3://{bucket}/fonts"),
    )
    assert is_alike(ink(own), ink(mono_text))
    assert not is_alike(ink(own), ink(drawn("Wide")[0]))
    assert unknown[0] == 400
    assert drawn(("Wide", "&text.font=Corporate%20Type"))[0][0] == 400, "without FONTS there is no such family"


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ({"fonts/a.ttf": b"no font"}, b"not set up"),
        ({f"fonts/{number}.ttf": b"" for number in range(65)}, b"not set up"),
    ],
)
def test_a_prefix_with_what_is_no_font_or_too_much_is_refused(
    moto: Moto, objects: dict[str, bytes], why: bytes
) -> None:
    bucket = moto.bucket(**objects)
    first, again = drawn("a", "a", **environment_of(moto, f"s3://{bucket}/fonts"))
    assert (first[0], again[0]) == (500, 500)
    assert why in first[1]


def test_a_bucket_of_fonts_that_is_missing_fails_texts_alone(moto: Moto) -> None:
    text, plain = drawn("a", ("", "&grayscale=true"), **environment_of(moto, "s3://no-such-bucket-of-fonts/fonts"))
    assert text[0] in (403, 404, 502)
    assert plain[0] in (200, 400), "an empty text is refused by itself, before fonts are needed"


def test_fonts_from_a_web_server_are_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="FONTS must be a folder or a prefix"):
        Client({"SOURCE_BUCKETS": f"samples=file://{ROOT / 'samples'}", "FONTS": "https://example.com/fonts"})
