"""Edge, signer and function agree on what a URL means: thousands of generated ones, one njs process for each kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from tests.client import Answered, Client, answered
from tests.template.edge import Edge, Passed, Viewer

from handler.auth import canonical
from handler.auth.canonical import IgnoredParameters, decode_path, split_query, unwrap
from handler.auth.signature import Signatures, signed_url
from handler.core.errors import BadRequest, BadSignature
from handler.requests.dialects import query

SECRET = "an example"
ALPHABET = [*"abcXYZ019-._~!*'()/:@$,; +&=?#%\"\\`<>[]{}|^éß猫🐱", "e\u0301", "\u0000", "\u007f", "\ufeff", "\u2028"]
NAMES = ["width", "height", "format", "rotate", "rotate.background", "v", "watermark.key", "expires"]
NAMES += ["utm_source", "fbclid", "utm", "10", "2"]
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


def spelled_meanings(
    chance: random.Random, count: int
) -> Iterator[tuple[str, dict[str, str], Callable[[str, dict[str, str]], Viewer]]]:
    """Paths, parameters, and a function that spells them in one of the ways of a page."""
    for _ in range(count):
        path, pairs = _meaning(chance)
        yield path, dict(IgnoredParameters().without(pairs.items())), partial(_address, chance)


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


# --- A request on its whole way: viewer, edge, gateway, function

SAMPLES = Path(__file__).parents[2] / "samples"
KEYS = ["a b.jpg", "a%20b.jpg", "100%.jpg", "a+b.jpg", "what?.jpg", "#1.jpg", '".jpg', "`.jpg", "\\.jpg", "🐱.jpg"]
KEYS += ["\u00e9.jpg", "e\u0301.jpg", "a%2Fb.jpg", "300x200/cat.jpg", "_p/cat.jpg", "(1)!'*.jpg"]


def _gateway(passed: Passed, secret: str) -> dict[str, Any]:
    """Payload 2.0 as an HTTP API makes it: the path decoded twice, and cut at a question mark."""
    path = unquote(unquote(passed.uri)).partition("?")[0]
    headers = {"x-origin-secret": secret} | ({"accept": passed.accept} if passed.accept else {})
    domain = "abc123.execute-api.eu-central-1.amazonaws.com"
    context = {"domainName": domain, "stage": "$default", "http": {"method": "GET", "path": path}}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": passed.query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }


def test_odd_keys_arrive_signed_through_edge_and_gateway(edge: Edge, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    picture = next(SAMPLES.rglob("*.jpg")).read_bytes()
    for key in KEYS:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(picture)
    for name in ("signing", "origin"):
        (tmp_path / name).write_text(f"{name} secret", "utf-8")
    client = Client(
        {
            "SOURCE_BUCKETS": f"pictures={folder.as_uri()}",
            "ENABLE_SIGNATURE": "Yes",
            "SIGNATURE_SECRET_FILE": str(tmp_path / "signing"),
            "ORIGIN_SECRET_FILE": str(tmp_path / "origin"),
        }
    )
    signed = [
        signed_url(
            f"/{'_key/' * key.startswith(('_', '300x200/'))}{quote(key)}?width=8&download={quote(key)}",
            "signing secret",
        )
        for key in KEYS
    ]
    viewers = [Viewer(*address.partition("?")[::2]) for address in signed]
    viewers = [Viewer(viewer.uri, "utm_source=x&" + "&".join(viewer.query.split("&")[::-1])) for viewer in viewers]

    def ask(passed: Passed, secret: str = "origin secret") -> Answered:
        return answered(client.invoke(_gateway(passed, secret)))

    for key, passed in zip(KEYS, edge(viewers), strict=True):
        assert ask(passed).status == 200, key
        assert ask(passed, "another secret").status == 403
        assert ask(Passed(passed.uri[:-4] + "AAAA", passed.query)).status in (400, 403)
