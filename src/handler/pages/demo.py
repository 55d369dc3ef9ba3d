"""The demo page on the local server; a stack serves the same files from a bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path

from handler.response import Answer

FOLDER = Path(__file__).resolve().parents[3] / "demo-ui"
"""Beside src/."""
HOME = "/_demo/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


def demo(folder: Path = FOLDER) -> Mapping[str, Callable[[], Answer]]:
    """Return the files of the demo page by path, each read when it is requested; empty without the folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in TYPES]
    named = {HOME + path.relative_to(folder).as_posix(): partial(_answer_file, path) for path in files}
    home = named.get(HOME + "index.html")
    return {**named, HOME: home, "/": _redirect_home, HOME.rstrip("/"): _redirect_home} if home else {}


def _answer_file(path: Path) -> Answer:
    headers = {
        "Content-Type": TYPES[path.suffix],
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(HTTPStatus.OK, headers, path.read_bytes())


def _redirect_home() -> Answer:
    return Answer(HTTPStatus.FOUND, {"Location": HOME, "Cache-Control": "no-cache"})
