"""Answer a browser's request for a page that does not exist with a page; other clients get JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from handler.entrypoints.services import Services
from handler.pages.documentation import HOME
from handler.pages.missing import DEMO_LINK, DOCUMENT_LINKS, GALLERY_LINK, write_page
from handler.response import Answer

if TYPE_CHECKING:
    from handler.entrypoints.http_call import HttpRequest


def as_page(refusal: Answer, services: Services, call: HttpRequest) -> tuple[Answer, bool]:
    """Return the 404 for this client, and whether it is a page.

    The page links to those of the service's pages that are served. Where the documentation is not, which has the style
    sheets, it stays JSON.
    """
    refusal = refusal.with_headers({"Vary": "Accept"})
    if call.method not in ("GET", "HEAD") or not call.accepts_html or services.document_at(HOME) is None:
        return refusal, False
    links = [link for link in DOCUMENT_LINKS if services.document_at(link.address) is not None]
    files = services.gallery().files() if services.gallery is not None else {}
    links += [GALLERY_LINK] if GALLERY_LINK.address in files else []
    page = write_page(([DEMO_LINK] if services.has_demo else []) + links)
    # A CDN whose cache key leaves Accept out must not send the page to a program.
    headers = {**page.headers, "Vary": "Accept", "Cache-Control": "no-store"}
    del headers["ETag"]
    return msgspec.structs.replace(refusal, headers=headers, body=page.body), True
