"""What a server has beside what Lambda has."""

from __future__ import annotations

import msgspec

from handler import pages
from handler.composition.pages import OPENAPI, list_documents
from handler.composition.wiring import Application
from handler.entrypoints.server.server import HEALTH, READY, Page
from handler.storage.recent_results import RecentResults
from handler.storage.streamed_results import StreamedResults

GALLERY_HOME = pages.GALLERY.home
"""The path of the gallery's page."""


def adapt_to_server(application: Application) -> Application:
    """Return the application for a server: with the demo page, and with a cache of small results in memory.

    Large stored results are read while they are sent.
    """
    http, results = application.http, application.http.result_cache
    if results is not None:
        results = msgspec.structs.replace(results, streams=StreamedResults())
    services = msgspec.structs.replace(http.services, has_demo=bool(pages.demo()))
    http = msgspec.structs.replace(http, result_cache=results, recent=RecentResults(results), services=services)
    return msgspec.structs.replace(application, http=http)


def list_pages(application: Application) -> dict[str, Page]:
    """Return the pages that never wait for a worker, by their path."""
    http = application.http
    gallery = http.services.gallery().files() if http.services.gallery is not None else {}
    # The OpenAPI document is left to the workers, which send CORS headers with it.
    documents = {path: page for path, page in list_documents(http.services.has_demo).items() if path != OPENAPI}
    demo = pages.demo(served={*documents, *gallery})
    return {**documents, **demo, **gallery, HEALTH: application.health.page, READY: http.ready}
