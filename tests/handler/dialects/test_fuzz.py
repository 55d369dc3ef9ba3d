"""Random requests in every dialect are parsed or refused quickly, with a 4xx that names the mistake and never a 5xx.

Requests go through the real entrypoint for an original that does not exist: the URL is parsed, and nothing decoded.
`pytest tests/handler/dialects/test_fuzz.py --hypothesis-profile=long` tries many times as many.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.client import Client

from features import CATALOGUE, feature_aliases
from handler.requests import dialects
from handler.requests.dialects.thumbor import aws, effects, filters
from handler.requests.presets import read_presets
from handler.requests.rewrite import Rewrite
from handler.requests.strict_json import loads
from imaging import InvalidParameter, Output, spellings

SECRET = "s3cret"
SLOWEST = 0.05
"""Seconds of CPU; what is refused takes a few ms, and the machine is shared."""
MISSING = "a/nosuch.jpg"


@pytest.fixture(scope="module", autouse=True)
def _silence() -> Iterator[None]:
    logging.disable(logging.INFO)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    (made / "secret").write_text(SECRET)
    return made


def client(folder: Path, **more: str) -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", "PUBLIC_FEATURES": "*", **more})


@pytest.fixture(scope="module")
def plain(folder: Path) -> Client:
    return client(folder)


def refused(asked: Client, address: str) -> None:
    """Assert that a request is refused as the client's mistake, or because the original does not exist."""
    answer = timed(partial(asked.get, address))
    assert 400 <= answer.status < 500, (address, answer.body)
    assert set(answer.json()) == {"status", "code", "message"}, address
    assert len(answer.body) < 2000, address


def timed(work: Callable[[], Any]) -> Any:
    """Return the outcome. Slow work is tried again, to tell it from work that waited for the processor."""
    for _ in range(3):
        started = time.thread_time()
        outcome = work()
        if time.thread_time() - started < SLOWEST:
            return outcome
    raise AssertionError("slow")


NUMBERS = st.sampled_from(
    ["", "0", "-0", "1", "-1", "3", "0.5", ".5", "5.", "1e3", "1e999", "nan", "inf", "-inf", "99999999999", "9" * 400,
     "0x10", "1_0", "٣", "²", "20p", "-20p", "p", "50%", "+1", " 1", "1,2", "1;2", "true", "null", "auto"]
)  # fmt: skip
WORDS = NUMBERS | st.sampled_from(
    ["red", "ff0000", "#f00", "ff00000", "center", "top-left", "left-left", "16:9", "0:0", "webp", "jpeg", "nosuch",
     "cover", "inside", "0.5,0.5", "1,0,0,1", "(", ")", "[", "[(0,0)]", "'", "''", "\x00", "\ud7ff", "a" * 3000]
)  # fmt: skip
ANY_WORD = WORDS | st.text(max_size=12) | st.integers().map(str) | st.floats().map(str)

FIELDS = sorted(
    {f"{feature.name}.{name}" for feature in CATALOGUE for name in spellings(feature.params)}
    | {
        name
        for feature in CATALOGUE
        for name in (feature.name, *feature_aliases(feature.name), *spellings(feature.params))
    }
    | {name for output in spellings(Output) for name in (output, f"output.{output}")}
    | {"bucket", "feature", "preset", "v", "expires", "signature", "", ".", "..", "output", "output.", ".width"}
)
PAIRS = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), ANY_WORD, max_size=5)


@pytest.mark.parametrize(
    "word", ["", "0", "-1", "0.5", "1e999", "nan", "9" * 400, "20p", "1,2", "null", "\x00", "nosuch"]
)
def test_each_field(plain: Client, word: str) -> None:
    for name in FIELDS:
        answer = plain.get(f"/{MISSING}?" + urlencode({name: word}))
        assert 400 <= answer.status < 500, (name, answer.body)


@given(PAIRS)
def test_query_parameters(plain: Client, params: dict[str, str]) -> None:
    refused(plain, f"/{MISSING}?" + urlencode(params))


@given(st.text(st.characters(max_codepoint=0x2FF, exclude_categories=["Cs"]), max_size=40))
def test_random_text_as_a_query(plain: Client, query: str) -> None:
    refused(plain, f"/{MISSING}?{query}")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_WORD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                sorted({name.rpartition(".")[2] for name in FIELDS} | {"options", "alpha", "wRatio", "r", "g"})
            )
            | st.text(max_size=6),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
EDITS = st.dictionaries(
    st.sampled_from(
        sorted({feature.name for feature in CATALOGUE} | set(spellings(Output)))
        + ["overlayWith", "smartCrop", "toFormat", "jpeg", "png", "webp", "heif", "tiff", "gif", "avif", "joinChannel"]
        + ["pipelineColourspace", "grayscale", "greyscale", "normalize", "toColorspace"]
    )
    | st.text(max_size=8),
    JSON_VALUES,
    max_size=5,
)
REQUESTS = st.fixed_dictionaries(
    {"key": st.just(MISSING)},
    optional={"edits": EDITS, "outputFormat": JSON_VALUES, "effort": JSON_VALUES, "headers": JSON_VALUES,
              "bucket": JSON_VALUES, "nosuch": JSON_VALUES},
)  # fmt: skip


def in_json(params: object) -> str:
    return "/" + quote(base64.b64encode(json.dumps(params).encode()).decode())


@given(REQUESTS)
def test_json(plain: Client, params: dict[str, Any]) -> None:
    refused(plain, in_json(params))


@given(st.text(max_size=60), st.binary(max_size=60), st.booleans())
def test_random_text_as_json(plain: Client, text: str, noise: bytes, is_text: bool) -> None:
    spoilt = b'{"key": "a/nosuch.jpg", ' + (text.encode() if is_text else noise)
    refused(plain, "/" + base64.urlsafe_b64encode(spoilt).decode())
    refused(plain, "/eyJ" + quote(text))


FILTER_NAMES = sorted(
    {*filters.GEOMETRY_FILTERS, *filters.OUTPUT_FILTERS, *effects.EFFECTS, *aws.FILTERS, "nosuch", "Blur", ""}
)
CALLS = st.tuples(st.sampled_from(FILTER_NAMES) | st.text(max_size=6), st.lists(ANY_WORD, max_size=7)).map(
    lambda call: f"{call[0]}({','.join(call[1])})"
)
CHAINS = st.lists(CALLS, max_size=4).map(lambda calls: f"filters:{':'.join(calls)}/") | st.sampled_from(
    ["filters:", "filters:/", "filters:blur(/", "filters:blur)/", "filters:blur(1)", "filters:" + "blur(1):" * 99,
     "filters:blur(" + "(" * 5000 + ")/", "filters:" + "a" * 5000 + "(", "filters:curve([" + "(1,2)," * 3000 + "])/"]
)  # fmt: skip
SIDES = NUMBERS | st.sampled_from(["orig", "300", "-200", "65535", "999999999", "9999999999"])
AREAS = st.tuples(SIDES, SIDES, SIDES, SIDES).map(lambda area: "{}x{}:{}x{}/".format(*area))
SIZES = st.tuples(SIDES, SIDES).map("x".join).map("{}/".format)
SEGMENTS = st.lists(
    CHAINS | AREAS | SIZES | st.text(max_size=8).map("{}/".format)
    | st.sampled_from(
        ["", "/", "meta/", "trim/", "trim:top-left/", "trim:5/", "trim:nosuch:5/", "fit-in/", "adaptive-full-fit-in/",
         "full-fit-in/", "left/", "center/", "top/", "middle/", "smart/", "debug/", "unsafe/", "s3:/", "s3:p/",
         "s3:nosuch/", "https://example.com/", "http:/", "../", "./"]
    ),
    max_size=6,
)  # fmt: skip


@given(st.sampled_from(["/", "/unsafe/"]), SEGMENTS)
@example("/unsafe/", ["filters:extract_focal()/", "unsafe/" * 300])
def test_thumbor_paths(plain: Client, head: str, segments: list[str]) -> None:
    refused(plain, quote(head + "".join(segments) + MISSING, safe="/:(),;|'[]@!*~"))


@given(CALLS, st.sampled_from(["/unsafe/30x20/", "/30x20/", "/unsafe/fit-in/30x20/", "/"]))
def test_each_filter(plain: Client, call: str, head: str) -> None:
    refused(plain, quote(f"{head}filters:{call}/{MISSING}", safe="/:(),;|'[]@!*~"))


@pytest.fixture(scope="module")
def signing(folder: Path) -> Client:
    return client(folder, ENABLE_SIGNATURE="Yes", SIGNATURE_SECRET_FILE=str(folder / "secret"))


@given(SEGMENTS, PAIRS)
def test_a_signed_path_allows_no_other_parameters(signing: Client, segments: list[str], params: dict[str, str]) -> None:
    """Parameters beside a signature that covers the path alone are refused, except ignored ones such as `utm_*`."""
    rest = quote("".join(segments) + MISSING, safe="/:(),;|'[]@!*~")
    address = signed(rest)
    refused(signing, address)
    if params:
        answer = signing.get(address + "?" + urlencode(params))
        assert answer.status in (400, 403, 414), answer.body


def signed(rest: str) -> str:
    """Return a path with Thumbor's signature."""
    mac = hmac.digest(SECRET.encode(), rest.encode(), "sha1")
    return f"/{base64.urlsafe_b64encode(mac).decode()}/{rest}"


@pytest.fixture(scope="module")
def rewriting(folder: Path) -> Client:
    settings = {"REWRITE_MATCH_PATTERN": r"/^\/(?<a>[^\/]*)\/(.*)$/", "REWRITE_SUBSTITUTION": "/fit-in/$<a>/$2$$"}
    return client(folder, **settings)


@given(st.text(max_size=40), SEGMENTS)
def test_rewritten_paths(rewriting: Client, text: str, segments: list[str]) -> None:
    refused(rewriting, "/" + quote(text + "/" + "".join(segments) + MISSING))


@given(st.text(max_size=30), st.text(max_size=20))
def test_a_rewrite_is_compiled_or_refused(pattern: str, substitution: str) -> None:
    with contextlib.suppress(ValueError):
        rewrite = Rewrite.parse(f"/{pattern}/", substitution)
        assert rewrite is not None
        assert isinstance(rewrite.apply("/a/b.jpg"), str)


@given(st.dictionaries(st.text(max_size=5), EDITS | PAIRS.map(urlencode) | JSON_VALUES, max_size=3))
def test_presets_are_parsed_or_refused(params: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidParameter, ValueError):
        read_presets(loads(json.dumps(params)))


@given(
    st.sampled_from(["/", "/unsafe/", "", "https://h.example/", "//", "/_key/"]), SEGMENTS, PAIRS, st.text(max_size=9)
)
def test_explanations_and_translations(
    plain: Client, head: str, segments: list[str], params: dict[str, str], to: str
) -> None:
    url = head + quote("".join(segments) + "cat.jpg", safe="/:(),;|'[]@!*~") + "?" + urlencode(params)
    pages = ("explain?", *(f"translate?to={language}&" for language in (*dialects.names(), quote(to))))
    for page in pages:
        answer = timed(partial(plain.get, f"/_api/{page}" + urlencode({"url": url})))
        assert answer.status == 200 or 400 <= answer.status < 500, (url, answer.body)
