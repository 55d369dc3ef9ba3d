"""Drives this handler as sharp/warm.mjs drives its peer: a request a line, answered with its milliseconds.

The event is an API Gateway's, payload 2.0; the answer is what Lambda would hand on, base64 included.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode


class Context:
    """As much of Lambda's context as is read."""

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def http_event(key: str, parameters: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, Any]:
    """GET of a picture, payload 2.0."""
    path, query = "/" + quote(key), urlencode(parameters)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"accept": "image/avif,image/webp,*/*", "host": "bench.example", **(headers or {})},
        "requestContext": {
            "domainName": "bench.example",
            "stage": "$default",
            "requestId": "bench",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7"},
        },
        "isBase64Encoded": False,
    }


def peak_memory() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6


def main() -> None:
    from handler.app import lambda_handler
    from handler.render import inputs

    if "--whole" in sys.argv:
        inputs.STREAMED_FROM = sys.maxsize

    # The log belongs on standard output in Lambda; here the answers do.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        event = http_event(request["key"], request["parameters"])
        started, before = time.perf_counter(), time.process_time()
        answer = lambda_handler(event, Context())
        milliseconds, cpu = (time.perf_counter() - started) * 1000, (time.process_time() - before) * 1000
        if answer["statusCode"] != 200:
            raise SystemExit(f"{request['key']}: the status must be 200, got {answer['statusCode']}: {answer['body']}")
        if request.get("out"):
            Path(request["out"]).write_bytes(base64.b64decode(str(answer["body"])))
        print(json.dumps({"ms": milliseconds, "cpu": cpu, "peak": peak_memory()}), file=answers, flush=True)


if __name__ == "__main__":
    main()
