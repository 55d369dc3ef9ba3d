"""The documents that are open to all: the API reference and the documentation. No image needs these modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from handler.pages.answer import HTML, OPEN_DOCUMENT, answer_file
from handler.response import Answer, report

if TYPE_CHECKING:
    from handler.pages.documentation import Entry

OPENAPI, REFERENCE = "/_api/openapi.json", "/_api/docs"


def find_document(path: str, has_demo: bool) -> Callable[[], Answer] | None:
    """Return what answers a path; None if no document has it. `has_demo` is that of `list_documents`."""
    return list_documents(has_demo).get(path)


@cache
def list_documents(has_demo: bool) -> Mapping[str, Callable[[], Answer]]:
    """Return what answers each path. The headers of the pages link to the demo page if the service has one."""
    from handler.pages.documentation import documentation, list_links  # noqa: PLC0415 - no image needs it

    homes = dict.fromkeys(("/_api", "/_api/"), _redirect_to_reference)
    links = list_links(has_demo=has_demo)
    return {OPENAPI: _openapi, REFERENCE: partial(_reference, links), **homes, **documentation(links)}


def _openapi() -> Answer:
    from handler.reference import openapi  # noqa: PLC0415 - no image needs it

    return report(openapi(), cache_control="public, max-age=300")


def _redirect_to_reference() -> Answer:
    return Answer(HTTPStatus.FOUND, {"Location": REFERENCE, "Cache-Control": OPEN_DOCUMENT})


def _reference(links: Sequence[Entry]) -> Answer:
    from handler.reference import api_page  # noqa: PLC0415 - no image needs it

    return answer_file(HTML, api_page(links), OPEN_DOCUMENT)
