"""moto's server, started as a program by `tests.stand_ins.moto`."""

from __future__ import annotations

import threading
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import main

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


if __name__ == "__main__":
    DomainDispatcherApplication.__call__ = _dispatch_in_turn  # type: ignore[method-assign] # see _dispatch_in_turn
    main()
