"""What a server has beside what Lambda has."""

from __future__ import annotations

import msgspec

from handler.composition.wiring import Application
from handler.storage.recent_results import RecentResults


def keep_recent_results(application: Application) -> Application:
    """Return the application with a small cache of results in memory."""
    http = application.http
    http = msgspec.structs.replace(http, recent=RecentResults(http.result_cache))
    return msgspec.structs.replace(application, http=http)
