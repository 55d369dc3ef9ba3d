"""The hand-written documentation: its links lead somewhere, the index is whole, design notes stay short.

Its commands, URLs, code and prose have tests of their own in tests/documentation. `python -m tests.test_documentation`
lists the links to other sites.
"""

from __future__ import annotations

import re
import sys
import tomllib
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from tests.documentation import pages
from tests.test_architecture import NO_FEATURES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
NOTES = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PAGES = sorted({*pages.PAGES, *pages.GENERATED, *(ROOT / "bench").glob("*.md"), *(ROOT / "samples").glob("*.md")})
LINK = re.compile(r"(?:\]\(|<(?:img|a)\b[^>]*? (?:src|href)=\")([^)\s\"]+)[)\"]")
SITES = {
    *(
        "aws.amazon.com",
        "docs.aws.amazon.com",
        "console.aws.amazon.com",
        "docs.docker.com",
        "github.com",
        "img.shields.io",
    ),
    *(
        "cloudinary.com",
        "docs.imgix.com",
        "www.imgix.com",
        "imgproxy.net",
        "docs.imgproxy.net",
        "thumbor.readthedocs.io",
    ),
    *("keepachangelog.com", "semver.org", "www.standardwebhooks.com", "www.contributor-covenant.org"),
}
"""Hosts that pages link to; a new one is a decision, since nothing here checks that it answers."""
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

PACKAGE_IN_MAP = re.compile(r"^src/(\w+)/ ", re.MULTILINE)
ENTRY_IN_MAP = re.compile(r"^  (\w+(?:/|\.py)) ", re.MULTILINE)


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {"".join(filter(_stays, heading.lower())).replace(" ", "-") for heading in HEADING.findall(text)}


def _stays(character: str) -> bool:
    return character in "-_ " or unicodedata.category(character)[0] in "LM" or unicodedata.category(character) == "Nd"


def links(page: Path) -> list[str]:
    """Return the links of a page, without those in examples of code."""
    return LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} does not exist"
        if anchor:
            assert anchor in _anchors(target), f"{link} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_to_other_sites_are_addresses(page: Path) -> None:
    for link in links(page):
        if "://" in link or link.startswith(("//", "www.")):
            parts = urlsplit(link)
            assert (parts.scheme, parts.username, parts.port) == ("https", None, None), link
            assert parts.hostname in SITES, f"{link}: add its host to SITES if the page should link there"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize("page", sorted({*DOCS.glob("*.md")} - pages.GENERATED - {DOCS / "glossary.md"}), ids=_name)
def test_a_page_begins_with_what_the_reader_can_do_after_it(page: Path) -> None:
    title, _, rest = page.read_text(encoding="utf-8").partition("\n\n")
    assert re.fullmatch(r"# .+", title)
    assert rest.startswith(("After this page ", "After this tutorial ")), rest[:60]


def test_drawings_need_nothing_from_elsewhere() -> None:
    """GitHub and the served pages show an SVG as an image, which loads nothing and needs a title."""
    for path in (DOCS / "images").glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        root = ET.fromstring(text)
        assert root.get("viewBox")
        assert root.find("{http://www.w3.org/2000/svg}title") is not None
        assert not re.search(r"<script|<foreignObject|@import|https?://(?!www\.w3\.org/2000/svg)", text)
        assert "prefers-color-scheme: dark" in text


def test_the_index_lists_every_page() -> None:
    linked = set(LINK.findall((DOCS / "README.md").read_text(encoding="utf-8")))
    pages = {page.name for page in DOCS.glob("*.*")} - {"README.md"}
    assert pages <= linked


def test_the_index_of_design_notes_lists_every_note() -> None:
    linked = LINK.findall((DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))
    assert [link for link in linked if link.startswith("0")] == [note.name for note in NOTES]


@pytest.mark.parametrize("note", NOTES, ids=_name)
def test_a_design_note_fits_on_a_screen(note: Path) -> None:
    lines = note.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 15
    assert max(map(len, lines)) <= 125


def _source_map() -> dict[str, list[str]]:
    """Return the entries directly under each package of src in CONTRIBUTING's map, in the order in which they stand."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text[text.index("## Map of the source") :].split("```")[1]
    # ["", "imaging", its lines, "features", its lines, …]
    _, *parts = PACKAGE_IN_MAP.split(section)
    return {name: ENTRY_IN_MAP.findall(lines) for name, lines in zip(parts[::2], parts[1::2], strict=True)}


def _entries(package: Path) -> list[str]:
    """Return what stands directly in a package, as the map writes it: `codecs/`, `errors.py`."""
    found = [f"{path.name}/" if path.is_dir() else path.name for path in package.iterdir()]
    return sorted(name for name in found if name.endswith((".py", "/")) and not name.startswith("__"))


def test_the_map_names_every_package_and_module_once() -> None:
    source_map = _source_map()
    packages = {path.name: _entries(path) for path in (ROOT / "src").iterdir() if (path / "__init__.py").exists()}
    packages["features"] = [name for name in packages["features"] if name.removesuffix(".py") in NO_FEATURES]
    assert {name: sorted(entries) for name, entries in source_map.items()} == packages


@pytest.mark.parametrize("package", ["imaging", "handler"])
def test_the_map_has_the_order_of_the_layers(package: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract.get("containers") == [package])
    rows = {name.strip(): row for row, layer in enumerate(layers) for name in layer.split(":")}
    entries = [name.rstrip("/").removesuffix(".py") for name in _source_map()[package]]
    found = [rows[name] for name in entries if name in rows]
    assert len(found) == len(rows)
    assert found == sorted(found)


if __name__ == "__main__":
    found = sorted({link for page in PAGES for link in links(page) if "://" in link})
    sys.stdout.writelines(f"{link}\n" for link in found)
