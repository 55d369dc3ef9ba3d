"""What a server has beside what Lambda has."""

from __future__ import annotations

import msgspec

from handler.composition.wiring import Application
from handler.storage.recent_results import RecentResults
from handler.storage.streamed_results import StreamedResults


def keep_recent_results(application: Application) -> Application:
    """Return the application with a cache of small results in memory. Large stored ones are read while sent."""
    http, results = application.http, application.http.result_cache
    if results is not None:
        results = msgspec.structs.replace(results, streams=StreamedResults())
    http = msgspec.structs.replace(http, result_cache=results, recent=RecentResults(results))
    return msgspec.structs.replace(application, http=http)
