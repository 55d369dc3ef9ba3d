"""The edge function, as it stands in the template, in njs; edge, signer and function agree on what a URL means."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from template import embed
from tests.template.edge import Passed, Viewer, run
from tests.template.samples import LEAST
from tests.template.stack import Stack

from handler import canonical
from handler.canonical import IgnoredParameters, decode_path, split_query, unwrap
from handler.dialects import query
from handler.errors import BadRequest, BadSignature
from handler.signature import Signatures, signed_url

Edge = Callable[..., list[Passed]]
LONGEST = 8192
SECRET = "an example"


def code(ignored: str = "utm_*,fbclid,gclid") -> str:
    """The code that CloudFront gets in a stack with these ignored names."""
    return str(Stack({**LEAST, "IgnoredParameters": ignored}).resources["ViewerRequest"]["FunctionCode"])


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return lambda viewers, ignored="utm_*,fbclid,gclid": run(code(ignored), viewers, tmp_path)


def wrapped(raw: str) -> str:
    return "/_p/" + base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()


def test_the_template_holds_the_edge_function_and_today_s_names() -> None:
    assert embed.main(["--check"]) == 0


def test_the_code_fits_into_a_cloudfront_function() -> None:
    assert len(code("x" * 200).encode()) <= 10_240
    assert "${" not in code()


def test_the_names_it_knows_are_those_that_the_query_knows() -> None:
    known = embed.known()
    names = known["KNOWN_NAMES"].split() + known["KNOWN_HEADS"].split()
    assert len(names) > 50
    assert [name for name in names if not query.is_known(name)] == []


QUERIES = [
    ("", ""),
    ("width=300&height=200", "height=200&width=300"),
    ("rotate.background=red&rotate=9", "rotate=9&rotate.background=red"),
    ("b=2&a=1&utm_source=x&fbclid&gclid=1&utm_=%FF", "a=1&b=2"),
    ("utm=1&fbclid2=2", "fbclid2=2&utm=1"),
    ("%75tm_source=x&a=1", "a=1"),
    ("unknown=1&width=3", "unknown=1&width=3"),
    ("flip&width=3", "flip=&width=3"),
    ("&&a=1&&", "a=1"),
    ("download=a+b%2Bc.jpg", "download=a%20b%2Bc.jpg"),
    ("key=%c3%a9/%F0%9F%90%B1.jpg", "key=%C3%A9%2F%F0%9F%90%B1.jpg"),
    ("v=~.-_!*'()", "v=~.-_%21%2A%27%28%29"),
    ("a=1=2&b=%26%3D", "a=1%3D2&b=%26%3D"),
    ("=1", "=1"),
    ("2=b&10=a", "10=a&2=b"),
    # what cannot be read, or stands there twice, is refused by the function, which has to see it
    ("width=%ZZ&a=%FF", "a=%FF&width=%ZZ"),
    ("width=2&width=1", "width=1&width=2"),
    ("%FF=1", "%FF=1"),
    ("signature=aa&expires=x&width=1", "expires=x&signature=aa&width=1"),
]


def test_the_query_is_sorted_and_ignored_names_go(edge: Edge) -> None:
    passed = edge([Viewer("/cat.jpg", query) for query, _ in QUERIES])
    assert [each.query for each in passed] == [expected for _, expected in QUERIES]


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [
        ("", "ref=1&utm_a=2&ver=3&width=4&width.x=5"),
        ("ref,utm_*", "ver=3&width=4&width.x=5"),
        ("*", "width=4"),
        ("*,width", ""),
        ("w*", "ref=1&utm_a=2&ver=3"),
    ],
)
def test_names_that_the_operator_ignores(edge: Edge, ignored: str, expected: str) -> None:
    asked = "width=4&ver=3&utm_a=2&ref=1&width.x=5"
    assert edge([Viewer("/cat.jpg", asked)], ignored)[0].query == expected
    names = IgnoredParameters(ignored, query.is_known)
    assert canonical.canonical("/", split_query(asked, names))[2:] == expected


ACCEPTS = [
    ((), "", None),
    (("*/*",), "", None),
    (("image/webp",), "", "image/webp"),
    (("image/avif,image/webp,image/apng,*/*;q=0.8",), "", "image/avif,image/webp"),
    (("IMAGE/AVIF , image/webp;q=0.9",), "", "image/avif,image/webp"),
    (("image/avif", "image/webp"), "", "image/avif,image/webp"),
    (("image/avif;q=0,image/webp",), "", "image/webp"),
    (("image/avif,image/webp;q=0.00",), "", None),
    (("image/avif",), "", None),
    (("text/html,image/png",), "width=1", None),
    (("image/avif,image/webp",), "format=auto&width=1", "image/avif,image/webp"),
    (("image/avif,image/webp",), "output.format=auto", "image/avif,image/webp"),
    (("image/avif,image/webp",), "format=png", None),
    (("image/avif,image/webp",), "output.format=webp", None),
    (("image/avif,image/webp",), "%66ormat=png", None),
    (("image/avif,image/webp",), "formats=png&preset=format", "image/avif,image/webp"),
]


def test_accept_is_said_in_three_ways(edge: Edge) -> None:
    passed = edge([Viewer("/cat.jpg", asked, accept) for accept, asked, _ in ACCEPTS])
    assert [each.accept for each in passed] == [expected for _, _, expected in ACCEPTS]


PATHS = [
    "/",
    "/cat.jpg",
    "/a%20b.jpg",
    "/a%2520b.jpg",
    "/100%25.jpg",
    "/a+b.jpg",
    "/a%2Fb",
    "/what%3F.jpg",
    "/%231.jpg",
    "/%22%60%5C",
    "/caf%c3%a9/%F0%9F%90%B1.jpg",
    "/e%CC%81.jpg",
    "/café.jpg",
    "//x/../y/./",
    "/x/../_api/sign",
    "/x/../_results/a",
    "/_p/L2NhdC5qcGc",
    "/_p/_p/_p/",
    "/_key/_api/x",
    "/%FF",
    "/eyJrZXkiOiJjYXQuanBnIn0=",
    "/_apix",
    "/_api",
]


def test_paths_travel_wrapped(edge: Edge) -> None:
    passed = edge([Viewer(path) for path in PATHS])
    assert [each.uri for each in passed] == [wrapped(path) for path in PATHS]
    assert [unwrap(each.uri) for each in passed] == PATHS


API_PATHS = [
    ("/_api/sign", "/_api/sign"),
    ("/%5Fapi/sign", "/_api/sign"),
    ("/_%61pi/%73ign", "/_api/sign"),
    ("/_api%2Fsign", "/_api/sign"),
    ("/_api/a%20b/%C3%A9", "/_api/a%20b/%C3%A9"),
    ("/_api/", "/_api/"),
]


def test_the_operator_s_doors_keep_their_names_however_they_are_spelled(edge: Edge) -> None:
    """The gateway throttles them by their route; and what they accept is theirs to judge."""
    viewers = [Viewer(path, "b=1&a=2", ("application/json",), "POST") for path, _ in API_PATHS]
    passed = edge(viewers)
    assert passed == [Passed(expected, "a=2&b=1", "application/json") for _, expected in API_PATHS]


def test_long_addresses_are_refused_at_the_edge(edge: Edge) -> None:
    # Three bytes of path become four; the question mark counts, too.
    fits = "/" + "x" * ((LONGEST - len("/_p/") - 1) * 3 // 4 - 1)
    query = "a=" + "x" * 3000
    left = LONGEST - len(query) - 1 - len("/_p/")
    beside = "/" + "x" * (left * 3 // 4 - 1)
    viewers = [
        Viewer(fits),
        Viewer(fits + "x"),
        Viewer(beside, query),
        Viewer(beside + "x", query),
        Viewer("/", "é=" * 3000),
    ]
    passed = edge(viewers)
    assert [each.status for each in passed] == [0, 414, 0, 414, 414]
    assert 6_100 < len(fits) < 6_200
    said = json.loads(passed[1].body)
    assert (said["status"], said["code"]) == (414, "UriTooLong")
    assert "at most 8192" in said["message"]


# --- Edge, signer and function

ALPHABET = [
    *"abcXYZ019-._~!*'()/:@$,; +&=?#%\"\\`<>[]{}|^",
    "é",
    "e\u0301",
    "ß",
    "猫",
    "🐱",
    "\u0000",
    "\u007f",
    "\ufeff",
    "\u2028",
]
NAMES = [
    "width",
    "height",
    "format",
    "rotate",
    "rotate.background",
    "v",
    "watermark.key",
    "expires",
    "utm_source",
    "fbclid",
    "utm",
    "10",
    "2",
]
AGREED = 3000


def _text(chance: random.Random, most: int = 8) -> str:
    return "".join(chance.choices(ALPHABET, k=chance.randint(0, most)))


def _spelled(chance: random.Random, text: str, *, in_query: bool) -> str:
    """One of the ways to write a text into a URL."""
    bare = chance.choice(["", "/", "/:,()!*'", "/:,;@$"])

    def written(char: str) -> str:
        if in_query and char == " " and chance.random() < 0.5:
            return "+"
        escaped = "".join(f"%{byte:02X}" for byte in char.encode())
        plain = escaped if chance.random() < 0.1 else quote(char, safe=bare)
        return plain.lower() if plain.startswith("%") and chance.random() < 0.5 else plain

    return "".join(map(written, text))


def _meaning(chance: random.Random) -> tuple[str, dict[str, str]]:
    names = chance.sample(NAMES, chance.randint(0, 5)) + [_text(chance, 4) for _ in range(chance.randint(0, 2))]
    pairs = {name: _text(chance) for name in names if name not in ("signature", "expires")}
    return "/" + _text(chance, 12), pairs


def _address(chance: random.Random, path: str, pairs: dict[str, str]) -> Viewer:
    parts = []
    for name, value in pairs.items():
        bare = name and not value and chance.random() < 0.5
        parts.append(
            _spelled(chance, name, in_query=True) + ("" if bare else "=" + _spelled(chance, value, in_query=True))
        )
    chance.shuffle(parts)
    return Viewer("/" + _spelled(chance, path[1:], in_query=False), "&".join(parts))


def _path_of(passed: Passed) -> str:
    return decode_path(unwrap(passed.uri) if passed.uri.startswith("/_p/") else passed.uri)


@pytest.mark.parametrize("ignored", ["utm_*,fbclid,gclid", "*"])
def test_edge_and_function_agree_on_what_an_address_means(edge: Edge, ignored: str) -> None:
    """Two spellings of each meaning: they share a query in the cache key, and it is the canonical one."""
    chance = random.Random(20)
    meanings = [_meaning(chance) for _ in range(AGREED)]
    passed = edge([_address(chance, *meaning) for meaning in meanings for _ in range(2)], ignored)
    names = IgnoredParameters(ignored, query.is_known)
    for at, (path, pairs) in enumerate(meanings):
        expected = canonical.canonical(path, names.without(pairs.items()))
        for each in passed[2 * at : 2 * at + 2]:
            assert canonical.encode_path(_path_of(each)) + ("?" + each.query if each.query else "") == expected
            assert canonical.canonical(_path_of(each), split_query(each.query, names)) == expected


class _Secrets:
    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        return (SECRET,)


def test_what_the_signer_signs_verifies_behind_the_edge(edge: Edge) -> None:
    """However the page wrote it, with ignored names added on the way; and not with anything else added."""
    chance = random.Random(21)
    ignored = IgnoredParameters()
    viewers = []
    for _ in range(AGREED // 3):
        path, pairs = _meaning(chance)
        signed = signed_url(canonical.canonical(path, pairs.items()), SECRET, ignored=ignored)
        raw_path, _, raw_query = signed.partition("?")
        again = _address(chance, decode_path(raw_path), dict(split_query(raw_query)))
        viewers += [
            again,
            Viewer(again.uri, f"utm_x=%FF&{again.query}&gclid"),
            Viewer(again.uri, f"{again.query}&more=1"),
        ]
    passed = edge(viewers)
    signatures = Signatures(_Secrets())
    for at, each in enumerate(passed):
        if at % 3 < 2:
            signatures.verify(_path_of(each), split_query(each.query, ignored))
        else:
            with pytest.raises(BadSignature, match="does not match"):
                signatures.verify(_path_of(each), split_query(each.query, ignored))


def _outcome(asked: str, ignored: IgnoredParameters) -> str:
    try:
        return canonical.canonical("/", split_query(asked, ignored))
    except BadRequest as error:
        return error.code


def test_what_the_function_refuses_the_edge_does_not_mend(edge: Edge) -> None:
    """Broken queries: with the edge before it, the function comes to the same end as without."""
    chance = random.Random(22)
    pieces = [
        "%",
        "%4",
        "%41",
        "%C3",
        "%A9",
        "%C3%A9",
        "%ED%A0%80",
        "%C0%AF",
        "%F5%80%80%80",
        "+",
        "&",
        "=",
        "a",
        "utm_",
        "width",
        "é",
        "%75tm_x",
    ]
    queries = ["".join(chance.choices(pieces, k=chance.randint(1, 9))) for _ in range(AGREED)]
    passed = edge([Viewer("/", asked) for asked in queries])
    ignored = IgnoredParameters()
    assert [_outcome(each.query, ignored) for each in passed] == [_outcome(asked, ignored) for asked in queries]


def test_one_name_for_each_path_and_one_path_for_each_name(edge: Edge) -> None:
    """The path is the cache key: what differs in the URL differs there, but for the operator's doors."""
    chance = random.Random(23)
    paths: Sequence[str] = sorted({"/" + quote(_text(chance, 5), safe="/%+:") for _ in range(AGREED)})
    passed = edge([Viewer(path) for path in paths])
    assert len({each.uri for each in passed}) == len(paths)
    assert [unwrap(each.uri) for each in passed] == paths
