"""What `image-handler doctor --url` asks a deployed service, and what is wrong if it answers otherwise.

Nothing needs to be prepared but one picture: how keys arrive shows in the names of those that are missing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from handler.cli import access_checks
from handler.cli.http_probe import Faults, NotAsked, Site, Subject
from handler.response import CACHE_TAG

LARGEST_INLINE = 4_700_000
"""Bytes of picture that Lambda can answer with, in base64."""
_PREFIX = "image-handler-doctor/"
ODD_KEYS = (
    "a b.jpg", "a%20b.jpg", "100%.jpg", "100%25.jpg", "a+b.jpg", "a&b=c.jpg", "what?.jpg", "#1.jpg", 'say"so".jpg',
    "`tick`.jpg", "back\\slash.jpg", "[x].jpg", "~(a)'!*;:@,$.jpg", "é.jpg", "é.jpg", "Straße/写真.jpg", "🐈.jpg",
    "_api/x.jpg",
)  # fmt: skip
_WITHDRAWN_SECONDS = 90


class Finding(NamedTuple):
    """How one question was answered."""

    question: str
    verdict: str
    """ok, bad or left."""
    words: str = ""


def examine(subject: Subject) -> Iterator[Finding]:
    """Ask everything, one after the other."""
    for question, ask in QUESTIONS.items():
        try:
            faults = list(ask(subject))
        except NotAsked as reason:
            yield Finding(question, "left", str(reason))
        else:
            yield Finding(question, "bad" if faults else "ok", "; ".join(faults))


def _health(subject: Subject) -> Faults:
    got = subject.site.get("/_health")
    if got.status != 200 or b'"ok"' not in got.body:
        yield f"/_health must answer 200 and ok, got {got.told()}: does the CDN show the API its secret header?"


def _a_picture(subject: Subject) -> Faults:
    got = subject.picture("width=64")
    if got.status != 200 or not got.media_type.startswith("image/"):
        yield f"a thumbnail of {subject.key!r} must be a picture, got {got.told()}"
        return
    if got.headers.get("x-content-type-options") != "nosniff":
        yield "pictures must carry X-Content-Type-Options: nosniff"
    if "etag" not in got.headers:
        yield "pictures must carry an ETag: something between viewer and function takes it off"
    if CACHE_TAG in got.headers:
        yield f"{CACHE_TAG} must not reach viewers: the response headers policy is not attached"


def _one_name(subject: Subject) -> Faults:
    first = subject.picture("width=64&height=48")
    for query in ("height=48&width=64", "width=64&height=48&utm_source=doctor"):
        other = subject.picture(query)
        if other.headers.get("etag") != first.headers.get("etag"):
            yield f"?{query} must be the same picture as ?width=64&height=48, got {other.told()}"


def _unknown_names(subject: Subject) -> Faults:
    got = subject.picture("nosuch=1")
    if got.status == 200:
        raise NotAsked("IGNORED_PARAMETERS lets unknown names pass")
    if got.status != 400 or "nosuch" not in str(got.refusal.get("message")):
        yield f"an unknown parameter must be a 400 that names it, got {got.told()}"


def _not_modified(subject: Subject) -> Faults:
    etag = subject.picture("width=65").headers.get("etag", '"none"')
    got = subject.picture("width=65", if_none_match=etag)
    if (got.status, got.body) != (304, b""):
        yield f"If-None-Match with the picture's ETag must be a 304 without a body, got {got.told()}"


def _head(subject: Subject) -> Faults:
    whole = subject.picture("width=66")
    head = subject.picture("width=66", method="HEAD")
    if (head.status, head.body) != (whole.status, b""):
        yield f"HEAD must be answered like GET, without a body, got {head.told()}"
    for name in ("etag", "content-type", "content-length"):
        if head.headers.get(name) != whole.headers.get(name):
            yield f"HEAD must say {name}: {whole.headers.get(name)}, got {head.headers.get(name)}"


def _odd_keys(subject: Subject) -> Faults:
    for key in ODD_KEYS:
        got = subject.site.picture(_PREFIX + key, "width=9")
        if got.status != 404 or f"`{_PREFIX}{key}`" not in str(got.refusal.get("message")):
            yield f"the key {key!r} must arrive as it is and be missing, got {got.told()}"
    got = subject.site.get(subject.site.signed(f"/{_PREFIX}a%2Fb.jpg"))
    if f"`{_PREFIX}a/b.jpg`" not in str(got.refusal.get("message")):
        yield f"a slash written as %2F must arrive decoded once, got {got.told()}"


def _long_addresses(subject: Subject) -> Faults:
    path = "/" + "a" * 5_900
    got = subject.site.get(subject.site.signed(path))
    if not got.refusal or got.status >= 500:
        yield f"a path of 5,900 bytes must reach the function and be refused by it, got {got.told()}"
    for length in (7_000, 8_100):
        got = subject.site.get("/" + "a" * (length - 1))
        if got.status != 414:
            yield f"a path of {length} bytes must be a 414 of the edge function, got {got.told()}"


def _kept_at_the_edge(subject: Subject) -> Faults:
    _hit(subject, "width=67")
    for _ in range(3):
        if "Hit" in _hit(subject, "width=67"):
            return
    yield "a picture that was just asked for must come from the cache: X-Cache says Miss each time"


def _hit(subject: Subject, query: str) -> str:
    said = subject.picture(query).headers.get("x-cache")
    if said is None:
        raise NotAsked("no cache in front says what it did (X-Cache)")
    return said


def _negotiation(subject: Subject) -> Faults:
    for accept, expected in (
        ("image/webp,*/*", {"image/webp"}),
        ("image/avif,image/webp,*/*", {"image/avif", "image/webp"}),
        ("image/png,*/*", {"image/jpeg", "image/png", "image/gif"}),
    ):
        got = subject.picture("width=68&format=auto", accept=accept)
        if got.media_type not in expected:
            yield f"format=auto for Accept: {accept} must be {' or '.join(sorted(expected))}, got {got.told()}"


def _over_six_megabytes(subject: Subject) -> Faults:
    got = subject.picture("width=2400&height=2400&fit=fill&noise=200&format=png")
    if got.status == 200 and len(got.body) <= LARGEST_INLINE:
        raise NotAsked(f"{subject.key} does not become large: {len(got.body)} bytes of PNG; name a photograph by --key")
    if got.status == 200:
        return
    if got.status != 302 or not got.headers.get("location"):
        yield f"a picture too large for Lambda's answer must be a redirect, got {got.told()}"
        return
    there = urlsplit(got.headers["location"])
    site = Site(f"{there.scheme}://{there.netloc}") if there.netloc else subject.site
    large = site.get(there.path + (f"?{there.query}" if there.query else ""))
    if large.status != 200 or not large.media_type.startswith("image/"):
        yield f"the redirect to {there.netloc}{there.path[:40]} must lead to the picture, got {large.told()}"
    if CACHE_TAG in large.headers and not there.netloc:
        yield f"{CACHE_TAG} must not reach viewers under /_results/"


def _purge(subject: Subject) -> Faults:
    if not subject.site.token:
        raise NotAsked("no token: IMAGE_HANDLER_TOKEN")
    _hit(subject, "width=69")
    if "Hit" not in _hit(subject, "width=69"):
        raise NotAsked("the cache keeps nothing, so there is nothing to withdraw")
    bucket = dict(pair.split("=", 1) for pair in [subject.query] if pair)
    got = subject.site.api("purge", {"keys": [subject.key], **bucket})
    if got.status == 404:
        raise NotAsked("there is no /_api/purge here")
    if got.status not in (200, 202):
        yield f"/_api/purge must withdraw {subject.key!r}, got {got.told()}"
        return
    until = time.monotonic() + _WITHDRAWN_SECONDS
    while "Hit" in _hit(subject, "width=69"):
        if time.monotonic() > until:
            yield f"{_WITHDRAWN_SECONDS} s after a purge the cache must not have the picture: do cache tags arrive?"
            return
        time.sleep(1)


QUESTIONS: dict[str, Callable[[Subject], Faults]] = {
    "the function can be reached": _health,
    "a picture": _a_picture,
    "one picture has one name": _one_name,
    "unknown parameters are refused": _unknown_names,
    "304": _not_modified,
    "HEAD": _head,
    "odd keys": _odd_keys,
    "long addresses": _long_addresses,
    "paths that pretend": access_checks.paths_that_pretend,
    "the cache keeps pictures": _kept_at_the_edge,
    "formats by Accept": _negotiation,
    "a picture over 6 MB": _over_six_megabytes,
    "signatures": access_checks.signatures,
    "what must be refused": access_checks.what_must_be_refused,
    "the operator's pages": access_checks.the_operator,
    "the API behind the CDN": access_checks.behind_the_cdn,
    "encryption": access_checks.encryption,
    "withdrawal by cache tag": _purge,
}


def found_picture(site: Site) -> str | None:
    """The key of a picture in the default bucket, from the operator's listing."""
    got = site.api("images")
    if got.status != 200:
        return None
    keys: list[str] = [image["key"] for image in json.loads(got.body)["images"]]
    return next((key for key in keys if key.lower().endswith((".jpg", ".jpeg", ".png", ".webp"))), None)


def needs_signatures(site: Site, key: str) -> bool:
    """Whether an address that nobody signed is refused for that."""
    got = site.get(f"/{quote(key)}?width=64")
    return got.refusal.get("code") in ("AuthorizationQueryParametersError", "SignatureDoesNotMatch")
