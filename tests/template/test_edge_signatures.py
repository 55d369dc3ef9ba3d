"""Signatures that the edge function verifies, and the Lambda function behind it once more."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from tests.client import Answered, Client, answered
from tests.meanings import Meanings
from tests.mutants import ADDRESSES, ORIGIN, SECRET, Event, function_url, http_api, mutate
from tests.template.edge import Passed, Viewer, code, code_with_keys, run
from tests.template.test_agreement import spelled_meanings

from handler.auth.canonical import canonical, split_query
from handler.auth.signature import sign, signed_url

KEYS = {"signing-keys": json.dumps([SECRET, "the previous key"])}
LATER = "20991231T235959Z"
SAMPLES = Path(__file__).parents[2] / "samples"


def at_the_edge(viewers: Sequence[Viewer], folder: Path, **values: str) -> list[Passed]:
    return run(code_with_keys(), viewers, folder, {**KEYS, **values})


def viewer(address: str) -> Viewer:
    path, _, query = address.partition("?")
    return Viewer(path, query)


def signed(address: str, secret: str = SECRET) -> Viewer:
    return viewer(signed_url(address, secret))


def opened(passed: Passed) -> str:
    """The viewer's path, whatever it is wrapped as."""
    return base64.urlsafe_b64decode(passed.uri[4:] + "==").decode()


def event(passed: Passed) -> Event:
    made = http_api(f"{passed.uri}?{passed.query}")
    assert made is not None
    return {**made, "headers": {"x-origin-secret": ORIGIN, **passed.verified}}


def test_all_signed_urls_of_an_image_share_a_cache_key(tmp_path: Path) -> None:
    addresses = [f"/cat.jpg?width=300&expires=2099123{day}T235959Z" for day in (0, 1)] + ["/cat.jpg?width=300"]
    first, second, forever = at_the_edge([signed(address) for address in addresses], tmp_path)
    assert (first.uri, first.query) == (second.uri, second.query)
    assert (first.uri[:4], first.query, first.expires) == ("/_x/", "width=300", "20991230T235959Z")
    # Browsers may keep what never expires, so that has another key.
    assert (forever.uri[:4], forever.query, forever.expires) == ("/_s/", "width=300", None)
    assert {opened(each) for each in (first, second, forever)} == {"/cat.jpg"}
    assert len({first.signature, second.signature, forever.signature}) == 3


def test_what_is_not_verified_passes_as_it_came(tmp_path: Path) -> None:
    """Its cache key is another one, and the function refuses it."""
    past = f"{datetime.now(UTC) - timedelta(seconds=2):%Y%m%dT%H%M%SZ}"
    good = sign("/cat.jpg", [("width", "3")], SECRET)
    viewers = [
        Viewer("/cat.jpg", "width=3"),
        Viewer("/cat.jpg", f"width=4&signature={good}"),
        Viewer("/dog.jpg", f"width=3&signature={good}"),
        Viewer("/cat.jpg", f"width=3&signature={good[:-1]}"),
        Viewer("/cat.jpg", f"width=3&signature={good}0"),
        Viewer("/cat.jpg", f"width=3&signature={good.upper()}"),
        Viewer("/cat.jpg", "width=3&signature="),
        Viewer("/cat.jpg", f"width=3&signature={good}&signature={good}"),
        Viewer("/cat.jpg", f"width=3&more=1&signature={good}"),
        Viewer("/%FF.jpg", f"width=3&signature={good}"),
        signed(f"/cat.jpg?expires={past}"),
        signed("/cat.jpg?expires=tomorrow"),
        signed("/cat.jpg?expires=209912312T35959Z"),
        signed("/cat.jpg?width=3", "another key"),
        signed("/_api/sign?width=3"),
    ]
    passed = at_the_edge(viewers, tmp_path)
    assert passed == run(code(), viewers, tmp_path)
    assert [each.verified for each in passed] == [{}] * len(viewers)


@pytest.mark.parametrize(
    ("stored", "verifies"),
    [
        (json.dumps([SECRET]), True),
        (json.dumps(["new", SECRET]), True),
        (json.dumps(["new"]), False),
        (json.dumps(["", "new"]), False),
        (json.dumps([]), False),
        ("", False),
        ("no JSON", False),
    ],
)
def test_the_keys_that_the_store_holds_verify(tmp_path: Path, stored: str, verifies: bool) -> None:
    empty = Viewer("/cat.jpg", f"signature={'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad'}")
    passed, without = run(code_with_keys(), [signed("/cat.jpg"), empty], tmp_path, {"signing-keys": stored})
    assert (passed.signature is not None) is verifies
    assert without.signature is None


def test_a_viewer_cannot_send_the_headers_itself(tmp_path: Path) -> None:
    headers = {"x-signature": "0" * 64, "x-expires": LATER}
    uris = ["/cat.jpg", "/_s/L2NhdC5qcGc", "/_x/L2NhdC5qcGc", "/_api/images"]
    for script in (code(), code_with_keys()):
        for passed in run(script, [Viewer(uri, headers=headers) for uri in uris], tmp_path, KEYS):
            assert passed.verified == {}
            assert passed.uri.startswith(("/_p/", "/_api/"))


def test_ignored_names_leave_the_key_in_lenient_mode_too(tmp_path: Path) -> None:
    url = signed_url("/cat.jpg?width=3", SECRET)
    theirs = Viewer(
        "/cat.jpg", f"utm_source=x&width=3&signature={sign('/cat.jpg', [('utm_source', 'x'), ('width', '3')], SECRET)}"
    )
    script = code_with_keys(Compatibility="lenient")
    ours, aws = run(script, [viewer(f"{url}&utm_source=x"), theirs], tmp_path, KEYS)
    assert (ours.uri[:4], ours.query) == ("/_s/", "width=3")
    # A signature that covers ignored names is left to the function.
    assert aws.uri.startswith("/_p/")
    assert "utm_source=x&" in aws.query


def test_edge_and_signer_agree_on_thousands_of_urls(tmp_path: Path) -> None:
    """Every spelling of every signed URL verifies, and none with a character changed."""
    chance = Random(31)
    viewers = []
    for path, pairs, respell in spelled_meanings(chance, 1500):
        everything = pairs | ({"expires": LATER} if chance.random() < 0.5 else {})
        signature = sign(path, everything.items(), SECRET)
        viewers.append(respell(path, everything | {"signature": signature}))
        changed = {**everything, "more": "1"} if chance.random() < 0.5 else {**everything, "v": "other"}
        viewers.append(respell(path, changed | {"signature": signature}))
    passed = at_the_edge(viewers, tmp_path)
    assert [each.signature is not None for each in passed] == [True, False] * (len(viewers) // 2)
    for each in passed[::2]:
        assert "expires" not in each.query
        assert canonical("/", split_query(each.query)).partition("?")[2] == each.query


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_a_url_means_the_same_where_the_edge_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """What the function accepts, and as what, does not depend on whether the edge function verifies signatures."""
    meanings = Meanings(tmp_path, monkeypatch)
    urls = [mutate(url, Random(seed)) for seed in range(count // len(ADDRESSES)) for url in ADDRESSES.values()]
    sent = list(dict.fromkeys([*ADDRESSES.values(), *(each for each in urls if "#" not in each and each.isascii())]))
    verified = 0
    for url, passed in zip(sent, at_the_edge([viewer(url) for url in sent], tmp_path), strict=True):
        through = None if passed.status else meanings.of(event(passed))
        assert through == meanings.of(function_url(url)), url
        verified += passed.signature is not None
    assert verified > len(ADDRESSES) / 3


@pytest.fixture
def client(tmp_path: Path) -> Client:
    images = tmp_path / "images"
    images.mkdir()
    (images / "cat.jpg").write_bytes((SAMPLES / "photos" / "cat.jpg").read_bytes())
    for name, text in (("signature", SECRET), ("origin", ORIGIN)):
        (tmp_path / name).write_text(text)
    return Client(
        {
            "SOURCE_BUCKETS": f"images={images.as_uri()}",
            "ENABLE_SIGNATURE": "Yes",
            "SIGNATURE_SECRET_FILE": str(tmp_path / "signature"),
            "ORIGIN_SECRET_FILE": str(tmp_path / "origin"),
        }
    )


def ask(client: Client, passed: Passed) -> Answered:
    return answered(client.invoke(event(passed)))


def test_the_function_verifies_again_and_lets_the_cdn_keep_the_image(client: Client, tmp_path: Path) -> None:
    expiring, forever = at_the_edge([signed(f"/cat.jpg?width=9&expires={LATER}"), signed("/cat.jpg?width=9")], tmp_path)
    answer = ask(client, expiring)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=0, s-maxage=31536000")
    assert "Expires" not in answer.headers
    assert ask(client, forever).headers["Cache-Control"] == "public, max-age=31536000, s-maxage=31536000"
    plain = run(code(), [signed(f"/cat.jpg?width=9&expires={LATER}")], tmp_path)[0]
    assert "s-maxage" not in ask(client, plain).headers["Cache-Control"]


def test_no_refusal_of_one_signature_becomes_the_answer_for_others(client: Client, tmp_path: Path) -> None:
    """The edge may hold a key that is revoked, and a URL may expire on the way to the function."""
    soon = f"{datetime.now(UTC) + timedelta(seconds=2):%Y%m%dT%H%M%SZ}"
    viewers = [signed("/cat.jpg?width=9", "the previous key"), signed(f"/cat.jpg?width=9&expires={soon}")]
    revoked, late = at_the_edge(viewers, tmp_path)
    assert (revoked.uri[:4], late.uri[:4]) == ("/_s/", "/_x/")
    while datetime.now(UTC) <= datetime.strptime(soon, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC):
        time.sleep(0.2)
    for passed, code_ in ((revoked, "SignatureDoesNotMatch"), (late, "ImageRequestExpired")):
        answer = ask(client, passed)
        assert (answer.json()["code"], answer.headers["Cache-Control"]) == (code_, "no-store")


def test_a_cdn_that_does_not_forward_the_headers_is_named_in_the_log(
    client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (passed,) = at_the_edge([signed(f"/cat.jpg?width=9&expires={LATER}")], tmp_path)
    made = event(passed)
    del made["headers"]["x-expires"]
    answer = answered(client.invoke(made))
    assert (answer.status, answer.json()["code"]) == (500, "Configuration")
    assert "OriginRequestPolicyId" in capsys.readouterr().out


def test_a_path_of_the_edge_is_no_path_of_a_viewer(client: Client, tmp_path: Path) -> None:
    """Without the CDN's secret the prefixes are pages that do not exist, and through the CDN they are wrapped again."""
    (passed,) = at_the_edge([signed("/cat.jpg?width=9")], tmp_path)
    made = event(passed)
    del made["headers"]["x-origin-secret"]
    assert answered(client.invoke(made)).status == 403
    (again,) = at_the_edge([Viewer(passed.uri, passed.query, headers=passed.verified)], tmp_path)
    assert opened(again) == passed.uri
    assert ask(client, again).status == 404
