"""The canonical form: one for every meaning, never one for two."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.auth.canonical import IgnoredParameters, canonical, decode_path, split_query, unwrap
from handler.core.errors import BadRequest

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
PATHS = TEXT.map("/".__add__)
PAIRS = st.dictionaries(TEXT, TEXT, max_size=5).map(lambda pairs: tuple(pairs.items()))


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("", ()),
        ("width=300&height=200", (("width", "300"), ("height", "200"))),
        ("a=b+c&d=e%2Bf", (("a", "b c"), ("d", "e+f"))),
        ("a+b=1", (("a b", "1"),)),
        ("trim", (("trim", ""),)),
        ("trim=", (("trim", ""),)),
        ("&&a=1&&", (("a", "1"),)),
        ("a=1=2", (("a", "1=2"),)),
        ("a=1%26b%3D2", (("a", "1&b=2"),)),
        ("watermark.key=%C3%A9.png", (("watermark.key", "é.png"),)),
        ("key=é", (("key", "é"),)),
        ("a=%2525", (("a", "%25"),)),
        ("a=%00", (("a", "\0"),)),
        ("=1", (("", "1"),)),
    ],
)
def test_a_query_is_decoded_once(raw: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert split_query(raw) == pairs


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("width=%ZZ", "`width` must be percent-encoded UTF-8, got '%ZZ'"),
        ("width=1%", "`width` must be percent-encoded UTF-8, got '1%'"),
        ("width=%4", "`width` must be percent-encoded UTF-8, got '%4'"),
        ("key=%FF", "`key` must be percent-encoded UTF-8, got '%FF'"),
        ("key=%ED%A0%80", "`key` must be percent-encoded UTF-8, got '%ED%A0%80'"),  # half of a surrogate pair
        ("key=\ud800", "`key` must be percent-encoded UTF-8, got '\\ud800'"),
        ("%C3=1", "`%C3` must be a name of percent-encoded UTF-8, got '%C3'"),
        ("width=1&width=1", "`width` must be given once, got it twice"),
        ("width=1&%77idth=2", "`width` must be given once, got it twice"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_by_its_parameter(raw: str, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        split_query(raw)
    assert refused.value.message == message
    assert refused.value.code == "QueryParameterParsingError"


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/cat.jpg", "/cat.jpg"),
        ("/a%20b.jpg", "/a b.jpg"),
        ("/a%2520b.jpg", "/a%20b.jpg"),
        ("/a+b.jpg", "/a+b.jpg"),
        ("/100%25.jpg", "/100%.jpg"),
        ("/a%252Fb", "/a%2Fb"),
        ("/what%3F.jpg", "/what?.jpg"),
        ("/%231.jpg", "/#1.jpg"),
        ("/%22%60%5C", '/"`\\'),
        ("/%F0%9F%90%B1.jpg", "/🐱.jpg"),
        ("/e%CC%81.jpg", "/e\u0301.jpg"),
        ("/%C3%A9.jpg", "/\u00e9.jpg"),
        ("//x/../y/", "//x/../y/"),
        ("/", "/"),
    ],
)
def test_a_path_is_decoded_once(raw: str, path: str) -> None:
    assert decode_path(raw) == path


@pytest.mark.parametrize("raw", ["/100%.jpg", "/%FF.jpg", "/%C3", "/\udcff", "cat.jpg", "", "%2525"])
def test_a_path_that_cannot_be_read_is_refused(raw: str) -> None:
    with pytest.raises(BadRequest, match="the path must"):
        decode_path(raw)


def test_the_canonical_form() -> None:
    pairs = (("width", "300"), ("signature", "00"), ("a b", "c/d+e"), ("trim", ""), ("a", "~.-_!*'()"))
    expected = "/a%20b%2Bc/%C3%A9%3F.jpg?a=~.-_%21%2A%27%28%29&a%20b=c%2Fd%2Be&trim=&width=300"
    assert canonical("/a b+c/é?.jpg", pairs) == expected


def test_without_parameters_there_is_no_question_mark() -> None:
    assert canonical("/cat.jpg") == canonical("/cat.jpg", (("signature", "00"),)) == "/cat.jpg"


def test_pairs_are_sorted_by_name_before_value() -> None:
    """`=` stands after `.` and `-`: sorting joined pairs would put `rotate.background` first."""
    assert canonical("/", (("rotate.background", "red"), ("rotate", "9"))) == "/?rotate=9&rotate.background=red"


@given(PATHS, PAIRS)
def test_a_canonical_form_can_be_parsed_back(path: str, pairs: tuple[tuple[str, str], ...]) -> None:
    raw_path, _, raw_query = canonical(path, pairs).partition("?")
    meant = {name: value for name, value in pairs if name != "signature"}
    assert decode_path(raw_path) == path
    assert dict(split_query(raw_query)) == meant
    assert (raw_path + raw_query).isascii()


def _loosely_encoded(text: str, *, bare: str) -> str:
    """As another program may write it: more characters bare, hex lower-case."""
    return re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe=bare))


@given(PATHS, PAIRS, st.data())
def test_equal_requests_have_one_canonical_form(
    path: str, pairs: tuple[tuple[str, str], ...], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(pairs))
    loose = ["=".join(_loosely_encoded(text, bare="/:, ").replace(" ", "+") for text in pair) for pair in shuffled]
    raw_path = _loosely_encoded(path, bare="/:,()+!")
    assert canonical(decode_path(raw_path), split_query("&".join(loose))) == canonical(path, pairs)


@pytest.mark.parametrize(
    ("patterns", "ignored", "kept"),
    [
        ("utm_*,fbclid", ["utm_", "utm_source", "fbclid"], ["utm", "xutm_a", "fbclid2", "FBCLID", "width"]),
        (" *_id , a*b*c,", ["_id", "x_id", "abc", "a1b2c"], ["x_id2", "acb"]),
        ("a.c", ["a.c"], ["abc"]),
        ("v", ["v"], ["ver"]),
        ("", [], ["utm_source", ""]),
        ("*", ["ver", "utm_source", ""], ["width", "signature", "expires"]),
        ("*,width", ["ver", "width"], ["height"]),
        ("aws", ["v", "page", "size", "5028", "blur", "WIDTH"], ["width", "greyscale", "fit", "signature", "expires"]),
        ("aws,fit", ["fit", "v"], ["width"]),
    ],
)
def test_ignored_names(patterns: str, ignored: list[str], kept: list[str]) -> None:
    names = IgnoredParameters(patterns, lambda name: name in ("width", "height"))
    assert names.without((name, "1") for name in ignored + kept) == tuple((name, "1") for name in kept)


@pytest.mark.parametrize("pattern", ["signature", "s*", "*s", "v,exp*", "**"])
def test_signature_and_expiry_are_never_ignored(pattern: str) -> None:
    with pytest.raises(ValueError, match="alone, got"):
        IgnoredParameters(pattern)


def test_ignored_parameters_count_nowhere_whatever_they_hold() -> None:
    pairs = split_query("utm_a=%FF&utm_a=2&width=3&fbclid", IgnoredParameters())
    assert pairs == (("width", "3"),)


@given(st.text(st.characters(codec="utf-8", exclude_characters="%")).map("/".__add__))
def test_a_wrapped_path_comes_out_as_it_stood_in_the_url(raw: str) -> None:
    wrapped = base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()
    assert unwrap("/_p/" + wrapped) == raw


def _wrapped(raw: bytes) -> str:
    return "/_p/" + base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize(
    "path",
    [
        "/_p/",
        "/_p/!",
        "/_p/L",
        "/_p/Lw==",  # padded
        "/_p/Lx",  # "/" with stray bits
        "/_p/L w",
        "/_p/é",
        "/_p/Lw/x",
        _wrapped(b"cat").rstrip("="),  # no slash
        _wrapped(b"/\xff").rstrip("="),
    ],
)
def test_what_is_no_wrapped_path_is_refused(path: str) -> None:
    with pytest.raises(BadRequest, match="the path must be /_p/"):
        unwrap(path)
