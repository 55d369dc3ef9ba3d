"""moto's server, started as a program by `tests.stand_ins.moto`."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import main
from werkzeug.serving import WSGIRequestHandler

_lock = threading.Lock()
_dispatch = DomainDispatcherApplication.__call__


def _dispatch_in_turn(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Any:
    """Answer one request to DynamoDB at a time.

    moto checks a condition and then writes, without a lock, and a transaction that fails puts back the whole table as
    it was before. DynamoDB itself isolates each write and each transaction.
    """
    if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
        return _dispatch(self, environ, start_response)
    with _lock:
        return list(_dispatch(self, environ, start_response))


def _log_nothing(self: WSGIRequestHandler, code: int | str = "-", size: int | str = "-") -> None:
    """Log no request: that took a sixth of the server's time."""


if __name__ == "__main__":
    WSGIRequestHandler.log_request = _log_nothing  # type: ignore[method-assign] # see _log_nothing
    DomainDispatcherApplication.__call__ = _dispatch_in_turn  # type: ignore[method-assign] # see _dispatch_in_turn
    # Each request would list the folders of moto again.
    DomainDispatcherApplication.get_backend_for_host = cache(DomainDispatcherApplication.get_backend_for_host)  # type: ignore[method-assign] # a cached method in place of moto's own
    main()
