"""The layout of a page of the documentation: sidebar, text, and the contents of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from handler.pages.demo import DEMO, FOLDER
from handler.pages.documentation.files import HOME
from handler.pages.frame import fill_frame

BASE = f"{HOME}site/"
"""Path of the style sheets, icons and scripts of demo-ui, which every service has there."""


class Entry(NamedTuple):
    """A link of the sidebar or of the contents."""

    address: str
    title: str
    level: int = 2


LINKS = (Entry(DEMO.home, "Demo"), Entry(HOME, "Docs"), Entry("/_api/docs", "Reference"))
"""Of the headers of the documentation and of the API reference."""


def list_links(*, has_demo: bool) -> Sequence[Entry]:
    """Return the links of a header to the pages that are served: to the demo page only if there is one."""
    return tuple(link for link in LINKS if has_demo or link.address != DEMO.home)


class Chapter(NamedTuple):
    """A part of the sidebar."""

    title: str
    entries: Sequence[Entry]


class Layout(NamedTuple):
    """What a page consists of. `content` is HTML, everything else is text."""

    address: str
    title: str
    description: str
    content: str
    chapters: Sequence[Chapter]
    links: Sequence[Entry]
    """Those of the header."""
    sections: Sequence[Entry] = ()
    """The contents of the page itself."""
    search: str = "Search the documentation"
    search_index: str = ""
    """Address of the index; without it the script searches the page alone."""
    script: str = "js/docs.js"
    kind: str = ""


def lay_out(page: Layout) -> bytes:
    """Return the page in the frame that all pages share."""
    parts = {
        "name": "documentation",
        "languages": "en",
        "title": escape(f"{page.title} – Image handler" if page.title != "Image handler" else page.title),
        "description": escape(page.description),
        "head": f'<link rel="stylesheet" href="{BASE}docs.css">',
        "script": page.script,
        "class": f"docs {page.kind}".strip(),
        "skip-to": "#content",
        "skip": "Skip to the text",
        "home": HOME,
        "heading": "<strong>Image handler</strong>",
        "top": _write_search(page),
        "links": "\n".join(_link(link, _site_of(page.address)) for link in page.links),
        "main": "{{docs}}",
        "sidebar": "\n".join(_write_chapter(chapter, page.address) for chapter in page.chapters),
        "content": page.content,
        "turn": _write_neighbours(page),
        "contents": _write_sections(page.sections),
    }
    return fill_frame(FOLDER, page.address, parts, base=BASE)


def _site_of(address: str) -> str:
    """Return the address in the header to which a page belongs."""
    return HOME if address.startswith(HOME) else address


def _write_search(page: Layout) -> str:
    index = f' data-index="{page.search_index}"' if page.search_index else ""
    return (
        f'<form class="find" id="find" role="search"{index} autocomplete="off">'
        f'<svg aria-hidden="true"><use href="#i-search"/></svg>'
        f'<input id="query" type="search" aria-label="{page.search}" placeholder="{page.search}" spellcheck="false">'
        '<div class="found" id="found" hidden><p class="note" id="found-note" role="status"></p>'
        '<ul id="hits"></ul></div></form>'
    )


def _link(entry: Entry, current: str) -> str:
    here = ' aria-current="page"' if entry.address == current else ""
    return f'<a href="{escape(entry.address)}"{here}>{escape(entry.title)}</a>'


def _write_chapter(chapter: Chapter, current: str) -> str:
    entries = "".join(f"<li>{_link(entry, current)}</li>" for entry in chapter.entries)
    return f"<h2>{escape(chapter.title)}</h2>\n<ul>{entries}</ul>"


def _write_sections(sections: Iterable[Entry]) -> str:
    entries = "".join(f'<li class="level-{each.level}">{_link(each, "")}</li>' for each in sections)
    return f"<h2>On this page</h2>\n<ul>{entries}</ul>" if entries else ""


def _write_neighbours(page: Layout) -> str:
    """Return the links to the page before and the page after, in the order of the sidebar."""
    order = [entry for chapter in page.chapters for entry in chapter.entries if "#" not in entry.address]
    here = next((index for index, entry in enumerate(order) if entry.address == page.address), None)
    if here is None:
        return ""
    neighbours = (("prev", "Previous", order[:here][-1:]), ("next", "Next", order[here + 1 : here + 2]))
    links = "".join(
        f'<a rel="{kind}" href="{entry.address}"><small>{word}</small>{escape(entry.title)}</a>'
        for kind, word, found in neighbours
        for entry in found
    )
    return f'<nav class="turn" aria-label="Pages before and after">{links}</nav>'
