"""The documents that are open to all: the API reference and the documentation. No image needs these modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus

from handler.pages.answer import OPEN_DOCUMENT
from handler.response import Answer, report

OPENAPI, REFERENCE = "/_api/openapi.json", "/_api/docs"


def find_document(path: str) -> Callable[[], Answer] | None:
    """Return what answers a path; None if no document has it."""
    return list_documents().get(path)


@cache
def list_documents() -> Mapping[str, Callable[[], Answer]]:
    """Return what answers each path."""
    from handler.pages.documentation import documentation  # noqa: PLC0415 - no image needs it

    homes = dict.fromkeys(("/_api", "/_api/"), _redirect_to_reference)
    return {OPENAPI: _openapi, REFERENCE: _reference, **homes, **documentation()}


def _openapi() -> Answer:
    from handler.reference import openapi  # noqa: PLC0415 - no image needs it

    return report(openapi(), cache_control="public, max-age=300")


def _redirect_to_reference() -> Answer:
    return Answer(HTTPStatus.FOUND, {"Location": REFERENCE, "Cache-Control": OPEN_DOCUMENT})


def _reference() -> Answer:
    from handler.reference import api_page  # noqa: PLC0415 - no image needs it

    return api_page()
