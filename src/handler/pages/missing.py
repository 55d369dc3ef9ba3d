"""The page for an address at which the service has no page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from handler.pages.answer import HTML, answer_file
from handler.pages.demo import DEMO, GALLERY
from handler.pages.documentation import HOME, Chapter, Entry, Layout, lay_out
from handler.pages.documentation.site import SEARCH
from handler.response import Answer


class PageLink(NamedTuple):
    """A page of the service, and what it is for."""

    address: str
    title: str
    purpose: str


DEMO_LINK = PageLink(DEMO.home, "Demo", "try every feature on an image")
GALLERY_LINK = PageLink(GALLERY.home, "Gallery", "upload pictures and get them back finished")
DOCUMENT_LINKS = (
    PageLink(HOME, "Docs", "guides and settings"),
    PageLink("/_api/docs", "Reference", "every parameter and every call of the API"),
)


def write_page(links: Sequence[PageLink]) -> Answer:
    """Return the page with links to the pages that are served."""
    listed = "".join(f'<li><a href="{link.address}">{link.title}</a>: {escape(link.purpose)}</li>' for link in links)
    content = f"<h1>There is no page here</h1>\n<p>This address leads to no page. These do:</p>\n<ul>{listed}</ul>"
    entries = [Entry(link.address, link.title) for link in links]
    layout = Layout(
        "", "Page not found", "There is no page at this address.", content, [Chapter("Pages", entries)], entries,
        search_index=SEARCH,
    )  # fmt: skip
    return answer_file(HTML, lay_out(layout))
