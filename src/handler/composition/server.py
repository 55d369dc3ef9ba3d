"""What a server has beside what Lambda has."""

from __future__ import annotations

import msgspec

from handler.composition.wiring import Application
from handler.pages import demo
from handler.storage.recent_results import RecentResults
from handler.storage.streamed_results import StreamedResults


def adapt_to_server(application: Application) -> Application:
    """Return the application for a server: with the demo page, and with a cache of small results in memory.

    Large stored results are read while they are sent.
    """
    http, results = application.http, application.http.result_cache
    if results is not None:
        results = msgspec.structs.replace(results, streams=StreamedResults())
    http = msgspec.structs.replace(http, result_cache=results, recent=RecentResults(results), has_demo=bool(demo()))
    return msgspec.structs.replace(application, http=http)
