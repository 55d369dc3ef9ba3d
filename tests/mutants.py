"""Signed addresses of every dialect, changes to them, and the ways in which an address reaches the function."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from tests.client import function_url_event

SECRET = "a secret of the tests"
ORIGIN = "from the edge"
Event = dict[str, Any]
_LONG_AFTER = "20991231T235959Z"


def signed_query(path: str, pairs: Mapping[str, str]) -> str:
    """The address with its signature, as docs/signing.md writes it in Python."""
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs.items())
    unsigned = quote(path, safe="/") + ("?" + "&".join(f"{name}={value}" for name, value in encoded) if encoded else "")
    mac = hmac.new(SECRET.encode(), unsigned.encode(), hashlib.sha256).hexdigest()
    return f"{unsigned}{'&' if encoded else '?'}signature={mac}"


def signed_by_aws(raw_path: str, pairs: Mapping[str, str]) -> str:
    """The address as AWS's image handler has it signed: the raw path and the decoded values."""
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs.items()))
    mac = hmac.new(SECRET.encode(), (raw_path + (f"?{query}" if query else "")).encode(), hashlib.sha256).hexdigest()
    encoded = "".join(f"{quote(name)}={quote(value)}&" for name, value in pairs.items())
    return f"{raw_path}?{encoded}signature={mac}"


def signed_path(text: str) -> str:
    """The path as Thumbor signs it: a signature of the text, and the text as it is."""
    mac = hmac.digest(SECRET.encode(), text.encode(), "sha1")
    return f"/{base64.urlsafe_b64encode(mac).decode()}/{text}"


def in_json(said: object) -> str:
    return "/" + base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


_EDITS = {"key": "photos/cat.jpg", "edits": {"resize": {"width": 30}, "blur": 3}, "headers": {"vary": "X"}}
_SIGNED_PATHS = [
    "cat.jpg",
    "100x0/cat.jpg",
    "300x200/photos%2Fcat.jpg",
    "fit-in/300x200/filters:watermark(a%2Cb.png,0,0,10):quality(80)/photos/cat.jpg",
    "10x10:90x90/-30x20/left/top/smart/filters:fill(%23ff0000):format(png)/100%25.jpg",
    "30x20/caf%C3%A9/a%20b+c.jpg",
    "meta/filters:extract_focal()/unsafe/0x0:9x9/cat.jpg",
    "trim:top-left:5/30x/http://example.com/cat.jpg",
]
_ONE_SIGNATURE: Mapping[str, str] = {
    **{f"thumbor {text}": signed_path(text) for text in _SIGNED_PATHS},
    "thumbor decoded": quote(signed_path("30x20/é ü+.jpg"), safe="/=+"),
    "query": signed_query("/photos/cat.jpg", {"width": "300", "rotate": "10", "rotate.background": "#ff0000"}),
    "query, names": signed_query("/a b+c.jpg", {"download": "a b+c.jpg", "watermark.key": "é & ü=.png", "preset": "p"}),
    "query, ends": signed_query("/100%/what?.jpg", {"expires": _LONG_AFTER, "v": "50%=1/2", "bucket": "second"}),
    "query, path alone": signed_query("/photos/a%2Fb.jpg", {}),
    "query, key": signed_query("/_key/fit-in/30x20/cat.jpg", {"width": "3"}),
    "query, canvas": signed_query("/_canvas", {"width": "30", "color": "#ff0000", "text": "a b", "resize.width": "20"}),
    "query, folder": signed_query("/private/photos/cat.jpg", {"flip": ""}),
    "json": signed_query(in_json(_EDITS), {}),
    "json and query": signed_query(in_json(_EDITS), {"format": "png", "quality": "50"}),
    "unsafe": signed_query("/unsafe/fit-in/30x20/filters:blur(3):rgb(1,2,3)/cat.jpg", {"blur": "2"}),
    "aws's thumbor": signed_query("/fit-in/30x20/filters:quality(50):format(webp)/photos/cat.jpg", {}),
    "aws's thumbor, bucket": signed_query("/s3:second/filters:watermark(p,a.png,0,0,10)/cat.jpg", {"v": "1"}),
    "signed by aws": signed_by_aws("/fit-in/30x20/filters:blur(3)/photos/cat.jpg", {"format": "png", "flip": "1"}),
    "json signed by aws": signed_by_aws(in_json(_EDITS), {"expires": _LONG_AFTER}),
}


def _beside(text: str, pairs: Mapping[str, str]) -> str:
    """A signature in the path, and one in the query that covers everything."""
    path = unquote(signed_path(text))
    return signed_path(text) + "?" + signed_query(path, pairs).partition("?")[2]


ADDRESSES: Mapping[str, str] = {
    **_ONE_SIGNATURE,
    "thumbor and query": _beside("30x20/filters:blur(3)/photos/cat.jpg", {"format": "png", "v": "1"}),
}

_SEGMENTS = [
    "private", "unsafe", "300x200", "fit-in", "filters:blur(9)", "filters:watermark(secret.png,0,0,0,100,100)", "meta",
    "smart", ".", "..", "", "_key", "_p", "_api", "s3:second", "trim", "%2e%2e", "filters:", "x" * 27 + "=",
]  # fmt: skip
_PIECES = [
    "%2F", "%2f", "%252F", "%C0%AF", "%c0%ae", "%E0%80%AF", "%5C", "\\", "%00", "%3F", "%23", "%26", "%3D", "%25",
    "%20", "+", "%2B", "//", "/./", "/../", "%EF%BC%8F", "%E2%88%95", ":", "%3A", ",", "%2C", "(", ")", "%28", "%ZZ",
    ";", "%", "?", "&", "=", "#", "'", "%27", "%CC%81", "%FF",
]  # fmt: skip
_PAIRS = [
    "width=9", "utm_source=x", "v=2", "blur=9", "preset=q", "expires=20990101T000000Z", "signature=", "bucket=second",
    "download=x", "fbclid", "%77idth=9", "watermark.key=secret.png", "signature=" + "0" * 64, "flip",
]  # fmt: skip


def mutate(address: str, random: Random) -> str:
    """The address with one to three small changes."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        address = random.choice(_MUTATIONS)(address, random) or "/"
    return address if address.startswith("/") else "/" + address


def _at(address: str, random: Random, pattern: str, replacement: Callable[[str], str]) -> str:
    """One match of the pattern replaced."""
    found = list(re.finditer(pattern, address))
    if not found:
        return address
    match = random.choice(found)
    return address[: match.start()] + replacement(match[0]) + address[match.end() :]


def _encode(address: str, random: Random) -> str:
    case = random.choice(("%{:02x}", "%{:02X}", "%25{:02X}"))
    return _at(address, random, r"[^%]", lambda char: "".join(case.format(byte) for byte in char.encode()))


def _insert(address: str, random: Random) -> str:
    at = random.randrange(len(address) + 1)
    return address[:at] + random.choice(_PIECES) + address[at:]


def _drop(address: str, random: Random) -> str:
    at = random.randrange(len(address))
    return address[:at] + address[at + random.choice((1, 1, 2, 3)) :]


def _replace(address: str, random: Random) -> str:
    return _at(address, random, r"[^A-Za-z0-9]", lambda _: random.choice(_PIECES))


def _segments(address: str, random: Random) -> str:
    path, mark, query = address.partition("?")
    parts = path.split("/")
    at = random.randrange(1, len(parts)) if len(parts) > 1 else 0
    change = random.randrange(4)
    if change == 0:
        parts.insert(at, random.choice(_SEGMENTS))
    elif change == 1:
        parts.pop(at)
    elif change == 2:
        other = random.randrange(len(parts))
        parts[at], parts[other] = parts[other], parts[at]
    else:
        parts[at] = random.choice(_SEGMENTS)
    return "/".join(parts) + mark + query


def _hide(address: str, random: Random) -> str:
    """A segment more, whose slash is encoded or doubled."""
    slash = random.choice(("%2F", "%2f", "%252F", "%5C", "//", "%C0%AF"))
    segment = random.choice(_SEGMENTS)
    return _at(address, random, "/", lambda _: random.choice((f"{slash}{segment}/", f"/{segment}{slash}")))


def _query(address: str, random: Random) -> str:
    path, _, query = address.partition("?")
    parts = query.split("&") if query else []
    change = random.randrange(4)
    if change == 0 or not parts:
        parts.insert(random.randrange(len(parts) + 1), random.choice(_PAIRS))
    elif change == 1:
        parts.pop(random.randrange(len(parts)))
    elif change == 2:
        random.shuffle(parts)
    else:
        parts.append(random.choice(parts))
    return path + "?" + "&".join(parts)


_MUTATIONS: list[Callable[[str, Random], str]] = [
    _encode,
    _encode,
    _insert,
    _insert,
    _drop,
    _replace,
    _segments,
    _segments,
    _hide,
    _query,
    lambda address, random: _at(address, random, "%[0-9A-Fa-f]{2}", lambda escape: unquote(escape, errors="replace")),
    lambda address, random: _at(address, random, "%[0-9A-Fa-f]{2}", str.swapcase),
    lambda address, random: _at(address, random, "%", lambda _: "%25"),
    lambda address, random: _at(address, random, "/", lambda _: random.choice(("%2F", "%2f", "%252F", "//", "%C0%AF"))),
    lambda address, random: _at(address, random, "[A-Za-z]", str.swapcase),
    lambda address, random: _at(address, random, r"%20|\+", lambda space: "+" if space == "%20" else "%20"),
]


def function_url(address: str) -> Event:
    """The path and the query as they stand in the URL."""
    return function_url_event(address)


def http_api(address: str) -> Event | None:
    """Payload 2.0 of an HTTP API, which decodes the path; None for a path that it cannot decode."""
    path, _, query = address.partition("?")
    decoded = _decoded(path)
    if decoded is None:
        return None
    context = {"domainName": "x.execute-api.eu-west-1.amazonaws.com", "stage": "$default", "http": {"method": "GET"}}
    return {"rawPath": decoded, "rawQueryString": query, "headers": {}, "requestContext": context}


def http_api_1(address: str) -> Event | None:
    """Payload 1.0 of an HTTP API: path and query are decoded."""
    path, _, query = address.partition("?")
    decoded, pairs = _decoded(path), _pairs(query)
    if decoded is None or pairs is None:
        return None
    return {"version": "1.0", "httpMethod": "GET", "path": decoded, "multiValueQueryStringParameters": pairs}


def rest_api(address: str) -> Event | None:
    """A REST API: the path is as it stands in the URL, the query is decoded."""
    path, _, query = address.partition("?")
    pairs = _pairs(query)
    return None if pairs is None else {"httpMethod": "GET", "path": path, "multiValueQueryStringParameters": pairs}


def load_balancer(address: str) -> Event:
    """A load balancer: nothing is decoded."""
    path, _, query = address.partition("?")
    pairs: dict[str, list[str]] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        pairs.setdefault(name, []).append(value)
    context = {"elb": {"targetGroupArn": "arn"}}
    return {"httpMethod": "GET", "path": path, "multiValueQueryStringParameters": pairs, "requestContext": context}


def through_the_edge(uri: str, query: str) -> Event | None:
    """An HTTP API behind the CDN, whose edge function made this path and query."""
    event = http_api(f"{uri}?{query}")
    return None if event is None else {**event, "headers": {"x-origin-secret": ORIGIN}}


def wrapped(address: str) -> Event | None:
    """As the edge function wraps a path, with the query as it stands."""
    path, _, query = address.partition("?")
    return through_the_edge("/_p/" + base64.urlsafe_b64encode(path.encode()).decode().rstrip("="), query)


WAYS: Mapping[str, Callable[[str], Event | None]] = {
    way.__name__: way for way in (function_url, http_api, http_api_1, rest_api, load_balancer, wrapped)
}


def _decoded(text: str) -> str | None:
    try:
        return None if re.search("%(?![0-9A-Fa-f]{2})", text) else unquote(text, errors="strict")
    except UnicodeDecodeError:
        return None


def _pairs(query: str) -> dict[str, list[str]] | None:
    try:
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True, errors="strict"):
            found.setdefault(name, []).append(value)
    except ValueError:
        return None
    return found
