"""The hand-written documentation: its links lead somewhere, the index is whole, design notes stay short."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
NOTES = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "bench").glob("*.md"), *(ROOT / "samples").glob("*.md")]
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {"".join(filter(_stays, heading.lower())).replace(" ", "-") for heading in HEADING.findall(text)}


def _stays(character: str) -> bool:
    return character in "-_ " or unicodedata.category(character)[0] in "LM" or unicodedata.category(character) == "Nd"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} does not exist"
        if anchor:
            assert anchor in _anchors(target), f"{link} has no such heading"


def test_the_index_lists_every_page() -> None:
    linked = set(LINK.findall((DOCS / "README.md").read_text(encoding="utf-8")))
    pages = {page.name for page in DOCS.glob("*.*")} - {"README.md"}
    assert pages <= linked


def test_the_index_of_design_notes_lists_every_note() -> None:
    linked = LINK.findall((DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))
    assert [link for link in linked if link.startswith("0")] == [add_log_fields.name for add_log_fields in NOTES]


@pytest.mark.parametrize("add_log_fields", NOTES, ids=_name)
def test_a_design_note_fits_on_a_screen(add_log_fields: Path) -> None:
    lines = add_log_fields.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 15
    assert max(map(len, lines)) <= 125
