"""The documentation at `/_docs/`: every page renders, every link resolves, and nothing else is served."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import pyvips
from tests.client import Answered, Client
from tests.local_server import ROOT
from tests.sheet import list_examples, picture_of

from handler.composition.pages import list_documents
from handler.pages.documentation.files import list_paths, read_webp_size
from handler.pages.documentation.markdown import Target, render

PAGES = sorted(address for name, address in list_paths().items() if name.endswith(".md"))
FILES = sorted(set(list_paths().values()) - set(PAGES))


@cache
def get(path: str) -> Answered:
    """Return the answer of the function to a GET request."""
    return Client({"SOURCE_BUCKETS": f"images={(ROOT / 'samples').as_uri()}"}).get(path)


class Links(NamedTuple):
    """The addresses in a page, and the anchors to which others may lead."""

    addresses: list[str]
    anchors: list[str]


@cache
def links(path: str) -> Links:
    text = get(path).body.decode()
    addresses, anchors = re.findall(r'\s(?:href|src)="([^"]*)"', text), re.findall(r'\sid="([^"]*)"', text)
    return Links(list(map(unescape, addresses)), list(map(unescape, anchors)))


def test_every_file_of_the_documentation_has_a_path_of_its_own() -> None:
    paths = list_paths()
    assert len(set(paths.values())) == len(paths)
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= set(paths)
    assert paths["README.md"] == "/_docs/"
    assert paths["docs/signing.md"] == "/_docs/signing"
    assert paths["docs/decisions/README.md"] == "/_docs/decisions"
    assert paths["bench/RESULTS.md"] == "/_docs/bench/results"
    assert "AGENTS.md" not in paths


@pytest.mark.parametrize("path", [*PAGES, "/_api/docs"])
def test_a_page_renders_and_every_link_in_it_resolves(path: str) -> None:
    answer = get(path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    text = answer.body.decode()
    assert re.search(r"<title[^>]*>([^<]+ – )?Image handler</title>", text)
    assert text.count("<h1") == 1
    page = links(path)
    assert len(page.anchors) == len(set(page.anchors))
    for address in dict.fromkeys(page.addresses):
        assert address, f"{path} has an empty address"
        if urlsplit(address).scheme:
            continue
        target, _, anchor = urljoin(path, address).partition("#")
        assert get(target).status == 200, f"{path} links to {address}"
        if anchor:
            assert unquote(anchor) in links(target).anchors, f"{path} links to {address}"


@pytest.mark.parametrize("path", [*PAGES, "/_api/docs"])
def test_a_page_runs_and_loads_nothing_from_elsewhere(path: str) -> None:
    answer = get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;")
    text = answer.body.decode()
    assert not re.search(r"<script(?![^>]* src=\"/)|<style|<[^>]+\sstyle=|<[^>]+\son[a-z]+=", text)
    assert not re.search(r"<(?:img|script|link)[^>]+(?:src|href)=\"(?:https?:)?//", text)


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_served_as_it_is(path: str) -> None:
    name = next(name for name, each in list_paths().items() if each == path)
    answer = get(path)
    assert answer.status == 200
    assert answer.body == (ROOT / name).read_bytes()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/_docs/../README.md", "/_docs/..%2fREADME.md", "/_docs/%2e%2e/pyproject.toml", "/_docs//etc/passwd",
        "/_docs/docs/signing", "/_docs/signing/", "/_docs/Signing", "/_docs/site/", "/_docs/site/index.html",
        "/_docs/site/frame/page.html", "/_docs/agents", "/_docs/src/handler/app.py", "/_docs/images/", "/_docsx",
        "/_docs/site/../../../pyproject.toml", "/_docs/signing%00",
    ],
)  # fmt: skip
def test_other_paths_are_not_found(path: str) -> None:
    assert get(path).status in (400, 404)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/_docs", "/_docs/"), ("/_docs/signing.md", "/_docs/signing"), ("/_docs/README.md", "/_docs/contents"),
        ("/_docs/bench/RESULTS.md", "/_docs/bench/results"),
    ],
)  # fmt: skip
def test_a_path_of_the_repository_is_redirected(path: str, target: str) -> None:
    answer = get(path)
    assert (answer.status, answer.headers["Location"]) == (302, target)


@pytest.mark.parametrize("path", ["/_docs/signing", "/_api/docs", "/_docs/search.json", "/_docs/images/text.webp"])
def test_caches_may_keep_a_page_and_ask_whether_it_has_changed(path: str) -> None:
    answer = get(path)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    client = Client({"SOURCE_BUCKETS": f"images={(ROOT / 'samples').as_uri()}"})
    etag = answer.headers["ETag"]
    for known in (etag, etag.removeprefix("W/"), f'"x", {etag}'):
        unchanged = client.get(path, if_none_match=known)
        assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", etag)
    assert client.get(path, if_none_match='"x"').status == 200
    head = client.get(path, method="HEAD")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", etag)
    assert client.get(path, method="POST").status == 405


def test_the_search_index_has_every_page_with_its_sections() -> None:
    pages = json.loads(get("/_docs/search.json").body)["pages"]
    assert sorted(address for _, _, address in pages) == PAGES
    for title, sections, address in pages:
        assert title, address
        assert {anchor for _, anchor, _ in sections} <= set(links(address).anchors), address
    codes = {heading: words for _, sections, _ in pages for heading, _, words in sections}
    assert "sigma" in codes["blur"]


def test_the_sidebar_lists_the_pages_of_the_index() -> None:
    text = get("/_docs/signing").body.decode()
    sidebar = text[text.index('id="sidebar"') : text.index("<main")]
    listed = re.findall(r'<a href="([^"]+)"', sidebar)
    assert len(listed) == len(set(listed))
    linked_elsewhere = {"/_docs/code_of_conduct", "/_docs/changelog", "/_docs/bench"}
    assert {address for address in PAGES if address.count("/") == 2} <= {*listed, *linked_elsewhere}
    assert '<a href="/_docs/signing" aria-current="page">' in sidebar


def found(link: str) -> Target | None:
    return {"a.md": Target("/_docs/a", "A page"), "a.webp": Target("/_docs/a.webp", "", (30, 20))}.get(link)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[a](a.md)", '<a href="/_docs/a">a</a>'),
        ("[docs/a.md](a.md)", '<a href="/_docs/a">A page</a>'),
        ("[none](none.md) [a](a.md)", 'none <a href="/_docs/a">a</a>'),
        ("[x](https://example.com)", '<a href="https://example.com" rel="noreferrer">x</a>'),
        ("[x](#y)", '<a href="#y">x</a>'),
        ("![an image](a.webp)", '<img src="/_docs/a.webp" alt="an image" loading="lazy" width="30" height="20">'),
        ("one\n\n[![CI](https://example.com/ci.svg)](a.md)\n\ntwo", "<p>one</p>\n\n<p>two</p>"),
        ('<img src="a.webp" width="9">', '<img src="/_docs/a.webp" width="9">'),
        ("| a |\n| ---: |\n| `x|y` |", '<td class="right">'),
        ("```sh\nmake x # <why>\n```", '<span class="comment"># &lt;why&gt;</span>'),
        ("```\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        ("## A b: `c-d`\n\n## A b: `c-d`", 'id="a-b-c-d-1"'),
    ],
)
def test_markdown_is_rendered_as_on_github(text: str, html: str) -> None:
    rendered = render(text, found).html.replace(" />", ">")
    assert html in rendered


def test_words_in_braces_stay_as_they_are() -> None:
    """The frame's slots are written in the same way as the expressions of templates, which code blocks show."""
    paths = {name: address for name, address in list_paths().items() if name.endswith(".md")}
    shown = [name for name in paths if "{{" in (ROOT / name).read_text(encoding="utf-8")]
    assert shown
    for name in shown:
        for word in re.findall(r"\{\{ ?[\w.-]+", (ROOT / name).read_text(encoding="utf-8")):
            assert word in re.sub(r"<[^>]+>", "", unescape(get(paths[name]).body.decode())), name


def images() -> Iterator[tuple[str, bytes]]:
    for path in sorted((ROOT / "docs" / "images").rglob("*.webp")):
        yield path.name, path.read_bytes()


def test_the_size_of_an_image_is_read_from_its_file() -> None:
    for name, content in images():
        image = pyvips.Image.new_from_buffer(content, "")
        assert read_webp_size(content[:30]) == (image.width, image.height), name


def test_each_feature_has_the_picture_of_its_example() -> None:
    """`python -m tests.sheet` draws them."""
    assert sorted(list_examples()) == sorted(path.stem for path in picture_of("blur").parent.iterdir())


def test_no_path_of_the_documentation_is_that_of_another_document() -> None:
    others = {path for path in list_documents(False) if not path.startswith("/_docs")}
    assert others == {"/_api", "/_api/", "/_api/docs", "/_api/openapi.json"}
