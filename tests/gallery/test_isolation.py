"""Attacks on the pictures of another visitor: by URLs of every form, by edits that the service signs, and by ids.

What a route answers to a stranger is in test_visitors.py; that private sources answer nobody, in
tests/handler/test_private_sources.py.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pictures
from tests.client import Client, function_url_event
from tests.gallery.conftest import gallery_settings
from tests.gallery.test_edits import foreign_edits, key_of
from tests.gallery.visiting import Browser, over_events, over_http
from tests.local_server import SAMPLES, Server
from tests.mutants import mutate

from handler.core.errors import HandlerError, NotFound
from handler.entrypoints import http
from handler.gallery.edits import EditRules
from handler.gallery.links import Links
from handler.gallery.visitors import Visitor
from handler.requests.image_request import ImageRequest, list_objects
from imaging import FeatureError, ObjectRef

PNG = pictures.png(pictures.scene(60, 40))


# --- URLs


@pytest.fixture(scope="module")
def victim(server: Server) -> Browser:
    return Browser(over_http(server))


@pytest.fixture(scope="module")
def picture(victim: Browser) -> dict[str, Any]:
    """A picture of the victim with a result."""
    kept = victim.keep(PNG)
    assert victim.post(f"/pictures/{kept['id']}/results", recipe="smart-square").status == 201
    shown: dict[str, Any] = victim.ask("GET", f"/pictures/{kept['id']}").json()
    return shown


def in_base64(request: Mapping[str, object]) -> str:
    return "/" + base64.urlsafe_b64encode(json.dumps(request).encode()).decode().rstrip("=")


def forms(key: str) -> list[str]:
    """Return addresses of a picture without a signature, in every URL language."""
    quoted = quote(key)
    return [
        f"/{quoted}?bucket=gallery",
        f"/_key/{quoted}?bucket=gallery",
        f"/{quoted}?bucket=gallery&info=true",
        f"/{quoted}?bucket=gallery&width=9&format=png",
        f"/%{ord(key[0]):02x}{quoted[1:]}?bucket=gallery&v=1",
        in_base64({"bucket": "gallery", "key": key}),
        in_base64({"bucket": "gallery", "key": key, "edits": {"resize": {"width": 9}}}),
        in_base64({"key": "logo.png", "edits": {"overlayWith": {"bucket": "gallery", "key": key}}}),
        f"/s3:gallery/fit-in/9x9/{quoted}",
        f"/fit-in/9x9/filters:watermark(gallery,{quoted},0,0,0)/logo.png",
        f"/logo.png?watermark.bucket=gallery&watermark.key={quoted}",
        f"/logo.png?frame.bucket=gallery&frame.key={quoted}",
    ]


def test_no_form_of_url_shows_a_picture_without_a_signature(victim: Browser, picture: dict[str, Any]) -> None:
    key = key_of(victim, picture)
    missing = key.replace(key[40:50], "0" * 10)
    assert missing != key
    for existing, absent in zip(forms(key), forms(missing), strict=True):
        replies = [victim.fetch(existing), victim.fetch(absent)]
        assert [each.status for each in replies] == [403, 403], existing
        assert replies[0].body == replies[1].body
        # The cookie of the owner opens no URL: only a signature does.
        with_cookie = victim.send("GET", existing, {"Cookie": victim.cookie}, b"")
        assert (with_cookie.status, "set-cookie" in with_cookie.headers) == (403, False)


def signed_urls(shown: dict[str, Any]) -> Iterator[str]:
    yield from shown["original"].values()
    for result in shown["results"]:
        yield from (result["url"], result["thumbnail"])


def test_a_signed_url_shows_nothing_but_what_was_signed(victim: Browser, picture: dict[str, Any]) -> None:
    foreign = Browser(victim.send)
    other = key_of(foreign, foreign.keep(pictures.png(pictures.scene(50, 40))))
    for url in signed_urls(picture):
        assert victim.fetch(url).status == 200
        path, _, query = url.partition("?")
        text = path.removeprefix("/")
        request = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        pairs = dict(parse_qsl(query))
        changed = [
            path,
            f"{path}?expires={pairs['expires']}",
            f"{path}?signature={pairs['signature']}",
            url.replace(pairs["expires"], "29991231T235959Z"),
            f"{url}&width=9",
            f"{url}&preset=x",
            f"{url}&watermark.bucket=gallery&watermark.key={other}",
            url.replace(path, in_base64({**request, "key": other})),
            url.replace(path, in_base64({**request, "edits": {"resize": {"width": 9}}})),
            url.replace(path, in_base64({"key": request["key"], "bucket": "gallery", "headers": {}})),
            url.replace(path, f"/_key/{request['key']}") + "&bucket=gallery",
        ]
        for address in changed:
            reply = victim.fetch(address)
            assert reply.status in (400, 403), (address, reply.status)
            assert not reply.headers["content-type"].startswith("image/")


@given(st.integers(min_value=0))
def test_a_changed_signed_url_is_refused_or_shows_the_same(victim: Browser, picture: dict[str, Any], seed: int) -> None:
    random = Random(seed)
    url = random.choice(sorted(signed_urls(picture)))
    mutant = mutate(url, random).encode("ascii", "ignore").decode()
    mutant = re.sub(r"[\s\x00-\x1f]", "", mutant)
    reply = victim.fetch(mutant)
    if reply.status == 200 and reply.headers["content-type"].startswith("image/"):
        assert reply.body == victim.fetch(url).body, mutant


def test_the_cookie_opens_no_page_of_the_operator_and_no_other_site_reads_answers(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("the operator's token")
    client = Client(
        gallery_settings(
            tmp_path, OPERATOR_TOKEN_FILE=f"{tmp_path}/token", CORS_ENABLED="Yes", CORS_ORIGIN="https://other.example"
        )
    )
    browser = Browser(over_events(client))
    assert browser.ask("GET", "/session").status == 200
    for path in ("/_api/images?bucket=gallery", "/_api/records", f"/_api/records/{'0' * 32}"):
        reply = browser.send("GET", path, {"Cookie": browser.cookie, "X-Gallery": "1"}, b"")
        assert reply.status in (401, 405), (path, reply.status)
    for method in ("GET", "OPTIONS"):
        headers = {"Cookie": browser.cookie, "Origin": "https://other.example"}
        reply = browser.send(method, "/_api/gallery/pictures", headers, b"")
        assert "access-control-allow-origin" not in reply.headers, method
        assert "access-control-allow-credentials" not in reply.headers


# --- edits that the service signs

SOURCE = "gallery"
VICTIM, ATTACKER = Visitor(id="1" * 32), Visitor(id="2" * 32)
_KEYS = [
    f"{VICTIM.id}/{'a' * 32}.png",
    f"{ATTACKER.id}/{'b' * 32}.png",
    "cat.jpg",
    f"inside/{VICTIM.id}/{'a' * 32}.png",
]
_VALUES = st.recursive(
    st.sampled_from([*_KEYS, "gallery", "samples", "", "1", "true", "auto", "#fff", "and", "over", "center"])
    | st.integers(-2, 400)
    | st.booleans()
    | st.none()
    | st.sampled_from([0.5, 1e400, -0.0]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "bucket", "width", "options", "left", "text"]), inner, max_size=4)
    ),
    max_leaves=6,
)
_USUAL: list[dict[str, Any]] = [
    {"resize": {"width": 20}}, {"blur": 2}, {"toFormat": "png"}, {"rotate": 90, "jpeg": {"quality": 50}},
    {"extract": {"left": 0, "top": 0, "width": 9, "height": 9}}, {"roundCrop": True}, {"flatten": True},
]  # fmt: skip
_NAMES = [
    "overlayWith", "watermark", "boolean", "frame", "removeBackground", "resize", "blur", "extract", "crop", "rotate",
    "flatten", "toFormat", "jpeg", "composite", "joinChannel", "roundCrop", "smartCrop", "text", "withMetadata",
    "pipelineColourspace", "contentModeration", "info", "bucket", "key", "edits",
]  # fmt: skip
_PARAMS = ["key", "bucket", "Key", "background", "backgroundBucket", "width", "alpha", "wRatio", "options", "operator"]


@st.composite
def composed_edits(draw: st.DrawFn) -> dict[str, Any]:
    """Edits that name objects, beside usual ones; some of them have random parts."""
    edits: dict[str, Any] = {}
    for usual in draw(st.lists(st.sampled_from(_USUAL), max_size=2)):
        edits |= usual
    named: dict[str, Any] = {}
    for each in draw(st.lists(st.integers(0, 4), min_size=1, max_size=2)):
        # A victim's key among three: in the gallery, in another source by chance, and in the default one.
        named |= foreign_edits(draw(st.sampled_from(_KEYS)))[each]
    for params in named.values():
        name = "backgroundBucket" if "background" in params else "bucket"
        params[name] = draw(st.sampled_from(["gallery", "samples", "gallery"]))
        if draw(st.integers(0, 3)) == 0:
            del params[name]
        if draw(st.integers(0, 4)) == 0:
            params[draw(st.sampled_from(_PARAMS))] = draw(_VALUES)
    if draw(st.integers(0, 4)) == 0:
        named |= draw(st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=2))
    return edits | named if draw(st.booleans()) else named | edits


class Meaning:
    """What the service asks for when a URL is requested that it has signed; nothing is fetched."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, compatibility: str, first: str) -> None:
        sources = [f"samples={SAMPLES.as_uri()}", f"gallery={(folder / 'gallery').as_uri()}"]
        settings = gallery_settings(folder, COMPATIBILITY=compatibility, SOURCE_PATHS="inside/=gallery")
        settings["SOURCE_BUCKETS"] = ",".join(reversed(sources) if first == "gallery" else sources)
        self.client = Client(settings)
        self.requests: list[ImageRequest] = []
        patch.setattr(http, "render", self._render)

    def _render(self, request: ImageRequest, *_: object, **__: object) -> None:
        self.requests.append(request)
        raise NotFound("nothing is rendered")

    def of(self, url: str) -> ImageRequest | None:
        self.requests.clear()
        self.client.invoke(function_url_event(url))
        return self.requests[0] if self.requests else None


@pytest.mark.parametrize("first", ["samples", "gallery"])
@pytest.mark.parametrize("compatibility", ["strict", "lenient"])
def test_what_the_service_signs_reads_no_picture_of_another_visitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compatibility: str, first: str
) -> None:
    """The edits are read twice: when they are checked, and from the signed URL. Both must mean the same."""
    meaning = Meaning(tmp_path, monkeypatch, compatibility, first)
    objects = meaning.client.application.http.render_context.objects
    gallery = meaning.client.application.http.services.gallery
    assert gallery is not None
    rules: EditRules = gallery().pages.gallery.rules
    links: Links = gallery().pages.gallery.links
    own = f"{ATTACKER.id}/{'c' * 32}.png"
    accepted = 0

    @settings(max_examples=200)
    @given(composed_edits())
    def check(edits: dict[str, Any]) -> None:
        nonlocal accepted
        try:
            rules.check(edits, ATTACKER)
            url = links.sign(own, edits, datetime.now(UTC) + timedelta(hours=1))
        except (FeatureError, HandlerError):
            return
        request = meaning.of(url)
        if request is None:
            return
        accepted += 1
        assert request.source == ObjectRef(SOURCE, own), edits
        for ref in map(objects.resolve, list_objects(request.steps)):
            assert ref.bucket != SOURCE or ref.key.startswith(f"{ATTACKER.id}/"), edits
        assert not any(step.is_report for step in request.steps), edits

    check()
    assert accepted > 10  # so that the comparison says something
