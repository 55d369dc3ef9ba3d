"""A stand-in for S3 that sends as slowly as S3 does: GET of the files in a folder, over HTTP/1.1.

`python -m bench.slow_store PORT FOLDER --rate BYTES --delay SECONDS` waits before the first byte of each answer, then
sends so many bytes a second over each connection; a rate of 0 is that of loopback. With `--cut BYTES` each answer to a
whole GET ends after so many bytes, as if the connection had broken.
"""

from __future__ import annotations

import argparse
import re
import time
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

_SLICE = 1 << 16
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Pace(NamedTuple):
    """How an answer is sent."""

    rate: float = 0.0
    """Bytes a second over one connection; 0: as fast as loopback is."""
    delay: float = 0.0
    """Seconds before the first byte."""
    cut: int = 0
    """Bytes after which the connection breaks; 0: it does not. A range is sent to its end."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    # As S3 does; else the last piece waits up to 40 ms for the receiver's acknowledgement.
    disable_nagle_algorithm = True

    def __init__(self, *args: Any, folder: Path, pace: Pace) -> None:
        self.folder, self.pace = folder, pace
        super().__init__(*args)

    def do_GET(self) -> None:
        file = self.folder / Path(unquote(self.path)).name
        time.sleep(self.pace.delay)
        if not file.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body, status = file.read_bytes(), file.stat()
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2] or len(body)), len(body) - 1) if asked else len(body) - 1
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("ETag", f'"{status.st_mtime_ns:x}"')
        self.send_header("Last-Modified", formatdate(status.st_mtime, usegmt=True))
        self.end_headers()
        sent = memoryview(body)[first : last + 1]
        if self.pace.cut and not asked and self.pace.cut < len(sent):
            sent, self.close_connection = sent[: self.pace.cut], True
        self._send_slowly(sent)

    def _send_slowly(self, body: memoryview) -> None:
        started = time.monotonic()
        for at in range(0, len(body), _SLICE):
            if self.pace.rate:
                time.sleep(max(0.0, started + at / self.pace.rate - time.monotonic()))
            self.wfile.write(body[at : at + _SLICE])

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.slow_store", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--cut", type=int, default=0)
    asked = parser.parse_args()
    pace = Pace(asked.rate, asked.delay, asked.cut)
    server = ThreadingHTTPServer(("127.0.0.1", asked.port), partial(_Handler, folder=asked.folder, pace=pace))
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
