"""Signatures: a signed address verifies, any other does not, and nothing beside the signed part changes the answer."""

from __future__ import annotations

import hashlib
import hmac
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handler.auth import signature
from handler.auth.canonical import IgnoredParameters, canonical, decode_path, split_query
from handler.auth.signature import Signatures, parse_expiry, sign, signed_url
from handler.core.errors import BadRequest, BadSignature

SECRET = "a secret of the tests"
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
# Whole parameters within a text, as a form that leaves `&`, `=` or `?` bare would confuse them with its own.
SPLICED = st.lists(st.sampled_from(["a", "b", "&a=", "&b=", "=", "?a=", "?", "%26b%3D", "#", "/", ""]), max_size=3)
NASTY = st.text("ab &=?#%+/2056é~.", max_size=8) | SPLICED.map("".join)
NAMES = (NASTY | TEXT).filter(lambda name: name != "signature")
PATHS = (NASTY | TEXT).map("/".__add__)
PAIRS = st.dictionaries(NAMES, NASTY | TEXT, max_size=4).map(lambda pairs: tuple(pairs.items()))

Pairs = tuple[tuple[str, str], ...]


class Secrets:
    """A secret source that counts how often it was asked to look again."""

    def __init__(self, *values: str, fresh: tuple[str, ...] = ()) -> None:
        self.held = values
        self.fresh = fresh or values
        self.refreshed = 0

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        if refresh:
            self.refreshed += 1
            self.held = self.fresh
        return self.held


def verifies(raw_path: str, raw_query: str, *secrets: str) -> bool:
    """Whether an address as it stands in a request is signed; one that cannot be read is not."""
    try:
        pairs = split_query(raw_query, IgnoredParameters())
        signatures = Signatures(Secrets(*(secrets or (SECRET,))))
        signatures.verify(decode_path(raw_path), pairs, raw_path=raw_path, sent=sent_pairs(raw_query))
    except (BadRequest, BadSignature):
        return False
    return True


def sent_pairs(raw_query: str) -> Pairs:
    """The pairs with the ignored ones, which may be part of what is signed."""
    try:
        return split_query(raw_query)
    except BadRequest:
        return ()


def signed_by_aws(raw_path: str, pairs: Pairs, secret: str = SECRET) -> str:
    """What clients of AWS's handler compute: raw path, decoded values, sorted by key."""
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    text = raw_path + ("?" + query if query else "")
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def meaning(raw_path: str, raw_query: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return decode_path(raw_path), frozenset(split_query(raw_query, IgnoredParameters()))


@given(PATHS, PAIRS)
def test_a_signed_address_verifies(path: str, pairs: Pairs) -> None:
    raw_path, _, raw_query = signed_url(canonical(path, pairs), SECRET).partition("?")
    assert decode_path(raw_path) == path
    assert verifies(raw_path, raw_query)
    assert verifies(raw_path, raw_query, "another", SECRET)
    assert not verifies(raw_path, raw_query, "another")


@given(PATHS, PAIRS, st.data())
def test_any_changed_byte_of_it_does_not(path: str, pairs: Pairs, data: st.DataObject) -> None:
    url = signed_url(canonical(path, pairs), SECRET)
    at = data.draw(st.integers(1, len(url) - 1))
    changed = url[:at] + data.draw(st.sampled_from("aA0=&?%+/#.é")) + url[at + data.draw(st.integers(0, 2)) :]
    raw_path, _, raw_query = changed.partition("?")
    with suppress(BadRequest):  # An address that cannot be read must not verify either.
        assume(meaning(raw_path, raw_query) != meaning(*url.split("?", 1)))
    assert not verifies(raw_path, raw_query)


@given(PATHS, PAIRS, NAMES, TEXT)
def test_what_is_added_to_it_is_refused_or_ignored(path: str, pairs: Pairs, name: str, value: str) -> None:
    raw_path, _, raw_query = signed_url(canonical(path, pairs), SECRET).partition("?")
    more = f"{raw_query}&{quote(name, safe='')}={quote(value, safe='')}"
    assert verifies(raw_path, more) == (name in IgnoredParameters())


def signed_forms(raw_path: str, raw_query: str) -> set[str]:
    """Every string whose signature lets this address pass."""
    forms = (split_query(raw_query, IgnoredParameters()), sent_pairs(raw_query))
    return {form for pairs in forms for form in signature._signed_forms(decode_path(raw_path), pairs, raw_path)}


def test_a_signature_of_aws_may_cover_ignored_parameters() -> None:
    pairs = (("fbclid", "x"), ("width", "30"))
    signed = f"fbclid=x&width=30&signature={signed_by_aws('/cat.jpg', pairs)}"
    assert verifies("/cat.jpg", signed)
    assert not verifies("/cat.jpg", signed.replace("fbclid=x", "fbclid=y"))
    assert not verifies("/cat.jpg", signed.replace("width=30", "width=31"))


@given(
    PATHS, PAIRS, st.sampled_from(["/", "/:(),!?#&=%25", "/+ é"]), st.sampled_from(["", "=", " +", "?/:"]), st.data()
)
def test_different_requests_have_different_strings_to_sign(
    path: str, pairs: Pairs, bare: str, bare_in_values: str, data: st.DataObject
) -> None:
    raw_path = quote(path, safe=bare)
    raw_query = "&".join(f"{quote(name, safe='')}={quote(value, safe=bare_in_values)}" for name, value in pairs)
    joined = raw_path + "?" + "&".join(f"{name}={value}" for name, value in sorted(pairs))
    with suppress(BadRequest):  # What cannot be read means nothing.
        forms = signed_forms(raw_path, raw_query)
        # What a careless reader would take for the same: the strings that were signed, and the plain values joined.
        other_path, _, other_query = data.draw(st.sampled_from([joined, unquote(joined), *forms])).partition("?")
        others = signed_forms(other_path, other_query)
        assert meaning(raw_path, raw_query) == meaning(other_path, other_query) or forms.isdisjoint(others)


@pytest.mark.parametrize(
    ("raw_path", "pairs"),
    [
        ("/cat.jpg", ()),
        ("/photos/a%20cat.jpg", (("width", "300"), ("format", "webp"))),
        ("/fit-in/300x200/filters:blur(3):rgb(1,2,3)/photos/cat.jpg", (("expires", "20301231T235959Z"),)),
        ("/caf%c3%a9.jpg", (("watermark.key", "logos/é x+y.png"), ("rotate", ""))),
    ],
)
def test_what_clients_of_aws_sign_is_accepted(raw_path: str, pairs: Pairs) -> None:
    raw_query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    assert verifies(raw_path, f"{raw_query}&signature={signed_by_aws(raw_path, pairs)}")


@pytest.mark.parametrize("value", ["1&b=2", "1=2", "1?2", "1#2", "1%2", "%31"])
def test_what_aws_signs_is_refused_where_it_could_mean_something_else(value: str) -> None:
    pairs = (("a", value),)
    raw_query = f"a={quote(value, safe='')}&signature="
    assert verifies("/cat.jpg", raw_query + sign("/cat.jpg", pairs, SECRET))
    assert not verifies("/cat.jpg", raw_query + signed_by_aws("/cat.jpg", pairs))


def test_two_parameters_are_not_one() -> None:
    """The fault of AWS's handler: `a=1%26b=2` and `a=1&b=2` share a signature there."""
    assert sign("/", (("a", "1&b=2"),), SECRET) != sign("/", (("a", "1"), ("b", "2")), SECRET)
    assert not verifies("/", f"a=1%26b=2&signature={sign('/', (('a', '1'), ('b', '2')), SECRET)}")


def test_a_raw_path_that_is_not_the_path_is_not_believed() -> None:
    pairs = (("signature", signed_by_aws("/other.jpg", ())),)
    with pytest.raises(BadSignature):
        Signatures(Secrets(SECRET)).verify("/cat.jpg", pairs, raw_path="/other.jpg")


@pytest.mark.parametrize("raw_query", ["", "width=300", "signature=", "signature"])
def test_a_missing_signature_is_a_400(raw_query: str) -> None:
    with pytest.raises(BadSignature) as refused:
        Signatures(Secrets(SECRET)).verify("/cat.jpg", split_query(raw_query))
    assert (refused.value.status, refused.value.code) == (400, "AuthorizationQueryParametersError")


@pytest.mark.parametrize("wrong", ["0" * 64, "é", "x", sign("/cat.jpg", (), SECRET).upper(), " "])
def test_a_wrong_signature_is_a_403(wrong: str) -> None:
    with pytest.raises(BadSignature) as refused:
        Signatures(Secrets(SECRET)).verify("/cat.jpg", (("signature", wrong),))
    assert (refused.value.status, refused.value.code) == (403, "SignatureDoesNotMatch")


def test_a_signature_that_does_not_match_asks_for_the_secret_again() -> None:
    signed = (("signature", sign("/cat.jpg", (), "new")),)
    secrets = Secrets("old", "older", fresh=("new", "old"))
    Signatures(secrets).verify("/cat.jpg", signed)
    Signatures(secrets).verify("/cat.jpg", signed)
    assert secrets.refreshed == 1


@pytest.mark.parametrize("secret", ["new", "old"])
def test_the_current_and_the_previous_secret_count(secret: str) -> None:
    secrets = Secrets("new", "old")
    Signatures(secrets).verify("/cat.jpg", (("signature", sign("/cat.jpg", (), secret)),))
    assert secrets.refreshed == 0


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        sign("/cat.jpg", (), "")


def test_expiry() -> None:
    assert parse_expiry("20261121T120001Z", NOW) == NOW + timedelta(seconds=1)


@pytest.mark.parametrize("value", ["20261121T120000Z", "20251121T120000Z", "00010101T000000Z"])
def test_a_url_expires_at_its_time(value: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_expiry(value, NOW)
    assert (refused.value.status, refused.value.code) == (400, "ImageRequestExpired")


@pytest.mark.parametrize(
    "value",
    ["", "tomorrow", "2026-11-21T12:00:00Z", "20261121T120000", "20261131T120000Z", "20261121T240000Z",
     "00001121T120000Z", "２０261121T120000Z", "20271121T120000Z\n", " 20271121T120000Z"],
)  # fmt: skip
def test_an_expiry_that_cannot_be_read_is_refused(value: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_expiry(value, NOW)
    assert (refused.value.status, refused.value.code) == (400, "ImageRequestExpiryFormat")
    assert "must be YYYYMMDDTHHmmssZ" in refused.value.message


def test_a_time_to_live_becomes_an_expiry() -> None:
    before = datetime.now(UTC)
    url = signed_url("https://cdn.example.com/a b.jpg?width=300&utm_source=x", SECRET, timedelta(hours=1))
    match = re.fullmatch(
        r"https://cdn\.example\.com(/a%20b\.jpg)\?(expires=(\d{8}T\d{6}Z)&.*width=300&signature=[0-9a-f]{64})", url
    )
    assert match
    left = parse_expiry(match[3], before) - before
    assert timedelta(seconds=3599) <= left <= timedelta(seconds=3605)


def test_ignored_names_stay_in_the_address_unsigned() -> None:
    url = signed_url("/cat.jpg?utm_source=a&width=3", SECRET, ignored=IgnoredParameters())
    assert url.startswith("/cat.jpg?utm_source=a&width=3&signature=")
    assert verifies("/cat.jpg", url.partition("?")[2].replace("utm_source=a", "utm_source=b&utm_source=c"))


@pytest.mark.parametrize(
    ("address", "life", "message"),
    [
        ("cat.jpg", None, "begins with a slash"),
        ("https://cdn.example.com", None, "begins with a slash"),
        ("/cat.jpg#top", None, "begins with a slash"),
        ("/cat.jpg?signature=1", None, "`signature` must be left out"),
        ("/cat.jpg?expires=20301231T235959Z", timedelta(hours=1), "`expires` must be left out"),
        ("/cat.jpg?a=%FF", None, "`a` must be percent-encoded UTF-8"),
        ("/cat.jpg", timedelta(0), "must be 1 second to 36500 days, got 0:00:00"),
        ("/cat.jpg", timedelta(days=40_000), "must be 1 second to 36500 days"),
    ],
)
def test_what_cannot_be_signed_is_refused(address: str, life: timedelta | None, message: str) -> None:
    with pytest.raises(BadRequest, match=re.escape(message)):
        signed_url(address, SECRET, life)
