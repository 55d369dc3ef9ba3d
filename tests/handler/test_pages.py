"""The pages for people: they load nothing from elsewhere, and OpenAPI's words become sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.client import Client
from tests.local_server import serving
from tests.template.stack import template
from tests.weights import SAMPLES, WEIGHTS, require_weights

from features import CATALOGUE
from handler import pages


def test_the_demo_page_is_served_file_by_file() -> None:
    served = pages.demo()
    home = served[pages.HOME]()
    assert home.headers["Content-Type"] == "text/html; charset=utf-8"
    linked = re.findall(r'(?:href|src)="((?!/|\./|#)[^"]+)"', home.body.decode())
    assert {"demo.css", "js/app.js", "icon.svg"} <= set(linked)
    assert [name for name in linked if pages.HOME + name not in served] == []
    assert all(answer().status == 200 for name, answer in served.items() if name.startswith(pages.HOME))
    assert served["/"]().headers["Location"] == served["/_demo"]().headers["Location"] == pages.HOME


def test_the_demo_page_runs_nothing_but_its_own_files() -> None:
    home = pages.demo()[pages.HOME]()
    text = home.body.decode()
    assert "unsafe" not in home.headers["Content-Security-Policy"]
    # In a bucket there is no header of ours: the page says the same of itself, as far as a page can.
    # It cannot know the bucket to which a stack sends for large pictures, hence any host by https.
    said = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert said
    assert home.headers["Content-Security-Policy"] == said[1].replace(" https:", "") + "; frame-ancestors 'none'"
    assert not re.search(r"<script(?![^>]* src=)|<style|\bstyle=|\bon[a-z]+=|https?://", text)
    named = re.compile(r"https?://(?!www\.w3\.org/2000/svg)[\w.]+")
    assert [path.name for path in pages.FOLDER.rglob("*.js") if named.search(path.read_text(encoding="utf-8"))] == []


def test_what_a_stack_allows_the_page_does_not_forbid_itself() -> None:
    """Both policies hold at once; the stack's host of results is known to its template alone."""
    said = re.search(
        r'http-equiv="Content-Security-Policy" content="([^"]+)"', pages.demo()[pages.HOME]().body.decode()
    )
    assert said
    policy = template()["Resources"]["DemoHeadersPolicy"]["Properties"]["ResponseHeadersPolicyConfig"]
    allowed = policy["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    ours = _sources(said[1])
    for directive, sources in _sources(allowed).items():
        if directive != "frame-ancestors":  # which a meta element cannot say
            assert {"https:" if one.startswith("https://") else one for one in sources} <= ours[directive]


def _sources(policy: str) -> dict[str, set[str]]:
    return {name: set(sources) for name, *sources in map(str.split, policy.split(";"))}


def test_without_its_folder_there_is_no_demo_page(tmp_path: Path) -> None:
    assert pages.demo(tmp_path) == {}


def links(page: bytes) -> list[str]:
    """The addresses in the header of a page, below its heading."""
    found = re.search(r'<nav class="links".*?</nav>', page.decode(), re.DOTALL)
    assert found
    return re.findall(r'<a href="([^"]+)"', found[0])


@pytest.mark.parametrize("options", [(), ("--gallery",)], ids=["no gallery", "gallery"])
def test_the_headers_link_to_all_pages_that_are_served_and_to_no_other(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    open_to_all = ["/_docs/", "/_api/docs"]
    gallery = ["/_gallery/"] if options else []
    expected = {
        "/_demo/": [*gallery, "/_demo/records.html", *open_to_all],
        "/_demo/index.html": [*gallery, "/_demo/records.html", *open_to_all],
        "/_demo/records.html": ["/_demo/", *gallery, *open_to_all],
        "/_docs/": ["/_demo/", *open_to_all],
        "/_api/docs": ["/_demo/", *open_to_all],
    }
    if options:
        expected["/_gallery/"] = ["/_demo/", *open_to_all]
    with serving(SAMPLES, "--uploads", str(tmp_path / "state"), *options) as server:
        assert {path: links(server.ask(path).body) for path in expected} == expected
        linked = {link for found in expected.values() for link in found}
        assert {link: server.ask(link).status for link in linked} == dict.fromkeys(linked, 200)
        assert server.ask("/_gallery/").status == (200 if options else 404)


@pytest.fixture(scope="module")
def samples() -> Client:
    """The sample pictures, as `image-handler serve --images samples` serves them on a loopback address."""
    environment = {"SOURCE_BUCKETS": f"images={SAMPLES.as_uri()}", "PUBLIC_FEATURES": "*"}
    return Client({**environment, "WEIGHTS": str(WEIGHTS)}, operator_open=True)


def needs_model(example: pages.Example) -> bool:
    return "removeBackground" in example.query


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=example.title, marks=[pytest.mark.models] if needs_model(example) else [])
        for example in (*pages.EXAMPLES, *pages.RECIPES)
    ],
)
def test_every_example_works(samples: Client, example: pages.Example) -> None:
    if needs_model(example):
        require_weights("optimised/u2net.onnx")
    filled = example.query.replace("{logo}", "logo.png").replace("{half}", "20000")
    answer = samples.get(f"/{'logo.png' if example.of == 'logo' else 'photos/astronaut.jpg'}?{filled}")
    assert answer.status == (200 if example.anywhere else 501), answer.body
    kind = answer.headers["Content-Type"].partition("/")[0]
    assert kind == ("image" if example.picture else "application")


def test_every_feature_has_an_example() -> None:
    assert {feature.name for feature in CATALOGUE} <= {example.feature for example in pages.EXAMPLES}


def test_the_demo_page_without_a_slash_is_redirected_by_the_function_too(tmp_path: Path) -> None:
    answer = Client({"SOURCE_BUCKETS": f"p={tmp_path.as_uri()}"}).get("/_demo")
    assert (answer.status, answer.headers["Location"]) == (302, "/_demo/")
