"""The edge function, as it stands in the template, in njs."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from template import embed
from tests.meanings import Meanings
from tests.mutants import ADDRESSES, function_url, mutate, through_the_edge
from tests.template.edge import Edge, Passed, Viewer, code, code_with_keys, run
from tests.template.samples import LEAST
from tests.template.stack import Stack

from handler.auth import canonical
from handler.auth.canonical import IgnoredParameters, split_query, unwrap
from handler.requests.dialects import query

LONGEST = 8192


def wrapped(raw: str) -> str:
    return "/_p/" + base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()


def test_the_template_holds_the_edge_function_and_today_s_names() -> None:
    assert embed.main(["--check"]) == 0


def test_the_code_fits_into_a_cloudfront_function_with_a_margin_for_more_features() -> None:
    assert len(code_with_keys("x" * 200).encode()) <= 10_240 - 1_536
    assert "${" not in code_with_keys()


def test_a_stack_without_edge_keys_imports_nothing() -> None:
    """CloudFront's module of key value stores exists only for a function with such a store."""
    assert "import" in code_with_keys()
    assert "import" not in code()
    assert "KeyValueStoreAssociations" not in Stack(LEAST).resources["ViewerRequest"]["FunctionConfig"]


def test_the_names_it_knows_are_those_that_the_query_knows() -> None:
    known = embed.known()
    names = known["KNOWN_NAMES"].split() + known["KNOWN_HEADS"].split()
    assert len(names) > 50
    assert [name for name in names if not query.is_known(name)] == []


def test_every_known_name_stays_where_a_single_star_ignores_the_others(edge: Edge) -> None:
    known = embed.known()
    names = known["KNOWN_NAMES"].split() + [
        name + rest for name in known["KNOWN_HEADS"].split() for rest in ("", ".any")
    ]
    passed = edge([Viewer("/cat.jpg", f"{name}=1") for name in names], "*")
    assert [each.query for each in passed] == [f"{name}=1" for name in names]


def test_an_unknown_name_is_hardly_ever_taken_for_a_known_one(edge: Edge) -> None:
    """Where it is, the cache keeps one more copy, and the function ignores the name."""
    names = [f"utm{number}" for number in range(4000)]
    passed = edge(
        [Viewer("/cat.jpg", "&".join(f"{name}=1" for name in names[n : n + 100])) for n in range(0, 4000, 100)], "*"
    )
    assert sum(each.query.count("=") for each in passed) <= 2


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
        ("aws", "width=4"),
        ("aws,w*", ""),
    ],
)
def test_names_that_the_operator_ignores(edge: Edge, ignored: str, expected: str) -> None:
    asked = "width=4&ver=3&utm_a=2&ref=1&width.x=5"
    assert edge([Viewer("/cat.jpg", asked)], ignored)[0].query == expected
    names = IgnoredParameters(ignored, query.is_known)
    assert canonical.canonical("/", split_query(asked, names))[2:] == expected


def test_a_signed_query_stays_whole_in_lenient_mode(tmp_path: Path) -> None:
    """A signature of AWS's handler covers the ignored parameters too, so that the function has to see them."""
    viewers = [
        Viewer("/cat.jpg", query) for query in ("ver=3&signature=aa&width=4", "ver=3&width=4", "ver=3&asignature=1")
    ]
    lenient = run(code("aws", Compatibility="lenient"), viewers, tmp_path)
    assert [each.query for each in lenient] == ["signature=aa&ver=3&width=4", "width=4", ""]
    assert run(code("aws"), viewers, tmp_path)[0].query == "signature=aa&width=4"


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


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_an_address_means_the_same_through_the_edge(
    edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """What the function accepts, and as what, does not depend on whether the edge function was in between."""
    meanings = Meanings(tmp_path, monkeypatch)
    addresses = [
        mutate(address, Random(seed)) for seed in range(count // len(ADDRESSES)) for address in ADDRESSES.values()
    ]
    # A client does not send a fragment, and sends no bytes but those of printable ASCII.
    # Many mutations come to the same address, which is sent once.
    sent = list(
        dict.fromkeys([*ADDRESSES.values(), *(each for each in addresses if "#" not in each and each.isascii())])
    )
    accepted = 0
    passed = edge([Viewer(path, query) for path, _, query in (address.partition("?") for address in sent)])
    for address, at_the_edge in zip(sent, passed, strict=True):
        direct = meanings.of(function_url(address))
        through = None if at_the_edge.status else meanings.of(through_the_edge(at_the_edge.uri, at_the_edge.query))
        assert through == direct, address
        accepted += direct is not None
    assert count / 20 < accepted < len(sent)


def test_a_query_of_too_many_parameters_is_refused_before_any_work(edge: Edge) -> None:
    most, more = edge([Viewer("/cat.jpg", "&".join(f"a{n}=%41" for n in range(count))) for count in (100, 101)])
    assert (most.status, most.query.count("&")) == (0, 99)
    assert more.status == 400
    assert json.loads(more.body)["code"] == "TooManyParameters"
    assert "at most 100 parameters, got 101" in json.loads(more.body)["message"]


@pytest.mark.parametrize(
    ("name", "is_known"), [("width", True), ("all alpha", False), ("resize.x", True), ("wid", False)]
)
def test_a_single_star_ignores_what_is_no_whole_name(edge: Edge, name: str, is_known: bool) -> None:
    (passed,) = edge([Viewer("/cat.jpg", f"{quote(name)}=1")], "*")
    assert (passed.query != "") is is_known


def test_the_demo_page_is_the_index_of_its_folder(tmp_path: Path) -> None:
    script = str(Stack(LEAST).resources["DemoIndex"]["FunctionCode"])
    paths = ["/_demo/", "/_demo/app.js", "/_demo/samples/"]
    passed = run(script, [Viewer(path) for path in paths], tmp_path)
    assert [each.uri for each in passed] == ["/_demo/index.html", "/_demo/app.js", "/_demo/samples/index.html"]
