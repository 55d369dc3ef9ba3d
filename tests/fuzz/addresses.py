"""Addresses in every language: what the documents and the comparisons with the peers hold, recombined and spoilt."""

from __future__ import annotations

import base64
import hmac
import json
import random
import re
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from tests.fuzz.case import SECRET, Case
from tests.fuzz.events import KINDS
from tests.fuzz.judge import ORIGINALS
from tests.handler.dialects.imgproxy import corpus as of_imgproxy
from tests.peers import cases as of_sharp
from tests.peers import thumbor_cases as of_thumbor

from handler.auth.signature import signed_url
from handler.core.errors import BadRequest
from handler.pages import EXAMPLES, RECIPES
from handler.reference import openapi

WORDS = (
    *("", "0", "-0", "1", "-1", "3", "0.5", ".5", "5.", "1e3", "1e999", "nan", "inf", "-inf", "99999999999", "9" * 400),
    *(
        "0x10",
        "1_0",
        "٣",
        "²",
        "20p",
        "-20p",
        "p",
        "50%",
        "+1",
        " 1",
        "1,2",
        "1;2",
        "true",
        "null",
        "auto",
        "red",
        "#f00",
    ),
    *("ff00000", "center", "top-left", "16:9", "0:0", "webp", "nosuch", "cover", "0.5,0.5", "1,0,0,1", "(", ")", "["),
    *("'", "''", "\x00", "\ud7ff", "a" * 3000, "logo.png", "dot.png", "film.gif", "../cat.jpg", "{}", "[1]", "*"),
)
PIECES = (
    *("%2F", "%2f", "%252F", "%00", "%FF", "%C3%28", "//", "/../", "/./", "?", "&", "=", "#", "%25", "+", "%20", ";"),
    *(
        "signature=",
        "expires=20990101T000000Z",
        "/_p/",
        "/_key/",
        "unsafe/",
        "filters:",
        ":",
        ")",
        "(",
        "é",
        "\u0301",
        "~",
    ),
)
WEIGHTS = {
    "open": 6, "lenient": 6, "default": 3, "signed": 3, "moved": 2, "presets": 1, "always": 2, "rewritten": 2,
    "kept": 1, "tolerant": 1,
}  # fmt: skip
"""How often a configuration is asked."""
COSTLY = (
    *(
        "sharpen(10,10,false)",
        "sharpen(1,1,true)",
        "blur(150,31)",
        "blur(9)",
        "rotate(33)",
        "proportion(3)",
        "fill(blur)",
    ),
    *("convolution(1;2;1;2;4;2;1;2;1,3,true)", "watermark(wide.jpg,repeat,repeat,50)", "round_corner(60,0,0,0,true)"),
)
"""Filters that look at neighbours, or make more pixels."""
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"accept": "image/avif,image/webp,*/*"},
    {"accept": "image/webp;q=0.1"},
    {"sec-ch-dpr": "2.5", "sec-ch-width": "300"},
    {"sec-ch-dpr": "9e99", "sec-ch-width": "-1"},
    {"if-none-match": '"x", W/"y"', "if-modified-since": "Mon, 01 Jan 2035 00:00:00 GMT"},
    {"range": "bytes=0-5", "accept-encoding": "gzip"},
)


def case(draw: random.Random) -> Case:
    """An address, sometimes signed, sometimes spoilt as text."""
    if draw.random() < 0.2:
        made = _imgproxy(draw)
        made = spoilt(draw, made) if draw.random() < 0.25 else made
        return Case("addresses", made, "imgproxy", draw.choices(KINDS, [6, 1, 1, 1])[0])
    configuration = draw.choices(*zip(*WEIGHTS.items(), strict=True))[0]
    made = draw.choices([_query, _json, _thumbor, _page], [4, 3, 4, 1])[0](draw)
    if configuration in ("signed", "moved") and draw.random() < 0.8:
        made = signed(draw, made)
    if draw.random() < 0.25:
        made = spoilt(draw, made)
    kind = draw.choices(KINDS, [6, 1, 1, 1])[0]
    return Case("addresses", made, configuration, kind, draw.choices(HEADERS, [6, 2, 1, 1, 1, 1, 1])[0])


def signed(draw: random.Random, address: str) -> str:
    """The address with a good signature in the query, or in the path as Thumbor has it."""
    if draw.random() < 0.4 and "?" not in address:
        rest = address.lstrip("/").removeprefix("unsafe/")
        return f"/{_of_path(rest)}/{rest}"
    try:
        return signed_url(address, SECRET)
    except BadRequest:
        return address


def _of_path(rest: str) -> str:
    mac = hmac.digest(SECRET.encode(), rest.encode(errors="surrogatepass"), "sha1")
    return base64.urlsafe_b64encode(mac).decode()


def spoilt(draw: random.Random, text: str) -> str:
    """The text with one to three characters or pieces changed."""
    for _ in range(draw.randint(1, 3)):
        at, span = draw.randrange(len(text) + 1), draw.choice((0, 0, 1, 1, 2, 8))
        letters = text[at : at + span]
        put = draw.choice(
            (
                draw.choice(PIECES),
                quote(letters, safe=""),
                "",
                unquote(letters),
                letters * 2,
                chr(draw.randrange(33, 127)),
            )
        )
        text = text[:at] + put + text[at + span :]
    return "/" + text.lstrip("/") if draw.random() < 0.95 else text


def _key(draw: random.Random) -> str:
    return quote(draw.choice(ORIGINALS)) if draw.random() < 0.95 else draw.choice(("nosuch.jpg", "", "old/cat.jpg"))


@cache
def _values() -> dict[str, tuple[str, ...]]:
    """Of every parameter that the OpenAPI document has: values that it says are taken."""
    schemas = {name: about["schema"] for name, about in openapi()["components"]["parameters"].items()}
    return {name: tuple(dict.fromkeys(_of_schema(schema))) for name, schema in schemas.items()}


def _of_schema(schema: dict[str, Any]) -> list[str]:
    said = [*schema.get("enum", ()), *schema.get("examples", ())]
    said += [schema[bound] for bound in ("default", "minimum", "maximum", "exclusiveMinimum") if bound in schema]
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        said += _of_schema(inner)
    return [each if isinstance(each, str) else json.dumps(each) for each in said]


@cache
def _queries() -> tuple[tuple[str, str], ...]:
    examples = [each.query.replace("{logo}", "logo.png").replace("{half}", "20000") for each in (*EXAMPLES, *RECIPES)]
    pairs = [pair.partition("=") for query in examples for pair in query.split("&")]
    return tuple({(name, unquote(value)) for name, _, value in sorted(pairs)})


def _pair(draw: random.Random) -> tuple[str, str]:
    if draw.random() < 0.4:
        return draw.choice(sorted(_queries()))
    name = draw.choice(list(_values()))
    values = _values()[name]
    number = str(draw.choice((draw.randint(-2, 400), round(draw.uniform(0, 5), 2))))
    return name, draw.choice((*values, number, number, draw.choice(WORDS)))


def _query(draw: random.Random) -> str:
    pairs = [_pair(draw) for _ in range(draw.choice((1, 1, 2, 2, 3, 5, 9)))]
    query = "&".join(f"{quote(name)}={quote(value, safe=',:', errors='surrogatepass')}" for name, value in pairs)
    return f"/{_key(draw)}?{query}"


@cache
def _edits() -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for each in of_sharp.cases() for name, value in each.edits.items())


def _json(draw: random.Random) -> str:
    edits = dict(draw.choice(_edits()) for _ in range(draw.choice((1, 1, 2, 3, 6))))
    said: dict[str, Any] = {"key": unquote(_key(draw)), "edits": edits}
    if draw.random() < 0.3:
        said["outputFormat"] = draw.choice(("webp", "avif", "png", "jpg", "gif", "tiff", "heif", "raw", 7))
    if draw.random() < 0.4:
        said = json.loads(_with_another_leaf(draw, json.dumps(said)))
    text = base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    return "/" + (text if draw.random() < 0.8 else text.rstrip("=")) + ("?v=1" if draw.random() < 0.1 else "")


def _with_another_leaf(draw: random.Random, text: str) -> str:
    leaves = list(re.finditer(r"(?<=[:\[,] )(?:-?[0-9.]+|true|false|null|\"[^\"]*\")(?=[,\]}])", text))
    if not leaves:
        return text
    leaf = draw.choice(leaves)
    other = draw.choice(
        (json.dumps(draw.choice(WORDS)), str(draw.randint(-9, 5000)), "null", "[]", "{}", "1e99", "true")
    )
    return text[: leaf.start()] + other + text[leaf.end() :]


@cache
def _paths() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The peers' paths, taken apart: segments before the key, and filters."""
    found = []
    for each in of_thumbor.cases():
        *segments, _ = re.split(r"/(?![^(]*\))", each.path)
        filters = [segment.removeprefix("filters:") for segment in segments if segment.startswith("filters:")]
        calls = [call for chain in filters for call in re.findall(r"[a-z_]+\(.*?\)(?=:[a-z]|$)", chain)]
        found.append((tuple(each for each in segments if not each.startswith("filters:")), tuple(calls)))
    return tuple(found)


def _thumbor(draw: random.Random) -> str:
    segments = list(draw.choice(_paths())[0])
    calls = [call for _ in range(draw.choice((0, 1, 2, 4))) for call in draw.choice(_paths())[1]]
    key = _key(draw)
    if calls and draw.random() < 0.15:  # a long chain, on pixels that it takes memory to hold
        calls, key = calls * draw.randint(2, 40), draw.choice((key, "wide.jpg"))
        calls = calls[: draw.choice((32, 33, 80))]
    elif draw.random() < 0.05:
        calls, key = [draw.choice(COSTLY)] * draw.randint(2, 33), "wide.jpg"
    if draw.random() < 0.3:
        segments.insert(
            draw.randint(0, len(segments)), draw.choice(("meta", "trim", "smart", "s3:p", "fit-in", "30x20", ""))
        )
    if calls:
        segments.append("filters:" + ":".join(calls))
    path = "/".join((*segments, key))
    if draw.random() < 0.3:
        path = re.sub(r"[0-9]+", lambda number: _another(draw, number[0]), path)
    return draw.choice(("/unsafe/", "/unsafe/", "/unsafe/", "/")) + path


@cache
def _imgproxy_options() -> tuple[str, ...]:
    """Return the options that the corpus of imgproxy has, and those of its paid edition."""
    found = {option for each in of_imgproxy.cases() for option in each.path.split("/")[:-1] if ":" in option}
    paid = (
        "ra:linear",
        "car:2:1",
        "bga:0.5",
        "a:10:1.5:2",
        "mc:1:ff0000",
        "dt:1",
        "col:0.5:f00",
        "g:obj:face",
        "pg:1",
        "-",
    )
    return (*sorted(found), *paid, "pr:small:grow", "pr:thumb", "wmu:bG9nby5wbmc")


def _imgproxy(draw: random.Random) -> str:
    options = [draw.choice(_imgproxy_options()) for _ in range(draw.choice((0, 1, 1, 2, 3, 5, 12)))]
    if draw.random() < 0.4:
        options = [re.sub(r"(?<=:)[0-9.]+", lambda number: _another(draw, number[0]), option) for option in options]
    source, extension = _key(draw), draw.choice(("", "", "png", "webp", "jpg", "gif", "avif", "svg", "klingon"))
    ending = f"plain/{source}" + (f"@{extension}" if extension else "")
    if draw.random() < 0.3:
        ending = of_imgproxy.base64_url(unquote(source)) + (f".{extension}" if extension else "")
    return "/" + "/".join((draw.choice(("unsafe", "insecure", "_", "sig")), *options, ending))


def _another(draw: random.Random, number: str) -> str:
    return number if draw.random() < 0.7 else draw.choice((*WORDS[:24], str(draw.randint(0, 999))))


def _page(draw: random.Random) -> str:
    """The service's own pages, and addresses within them."""
    page = draw.choice(
        (
            "explain?url=",
            "translate?to=query&url=",
            "translate?to=thumbor&url=",
            "translate?to=json&url=",
            "translate?to=imgproxy&url=",
        )
    )
    other = draw.choice(
        ("/_health", "/_api/openapi.json", "/_api/sign?url=/cat.jpg", "/_api/purge", "/_results/0", "/_p/")
    )
    inner = draw.choice((_query, _json, _thumbor, _imgproxy))(draw)
    return other if draw.random() < 0.2 else f"/_api/{page}{quote(inner, safe='', errors='surrogatepass')}"
