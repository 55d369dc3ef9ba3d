"""The documents under `/_api/` that are open to all. No image needs the modules behind them."""

from __future__ import annotations

from handler.response import Answer, report


def static_document(name: str) -> Answer:
    """Return a document by its path under `/_api/`, one of DOCUMENTS."""
    return DOCUMENTS[name]()


def _openapi() -> Answer:
    from handler.reference import openapi  # noqa: PLC0415 - no image needs it

    return report(openapi(), cache_control="public, max-age=300")


def _reference() -> Answer:
    from handler.pages import reference  # noqa: PLC0415 - no image needs it
    from handler.reference import openapi  # noqa: PLC0415 - no image needs it

    return reference(openapi())


def _style() -> Answer:
    from handler.pages import style  # noqa: PLC0415 - no image needs it

    return style()


DOCUMENTS = {"openapi.json": _openapi, "docs": _reference, "docs.css": _style}
