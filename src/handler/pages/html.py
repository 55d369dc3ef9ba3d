"""HTML pages: plain HTML with one style sheet and no script."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from pathlib import Path

from handler.response import Answer

STYLE, ICON = "/_api/docs.css", "/_demo/icon.svg"
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{style}">
<link rel="icon" href="{icon}">
</head>
<body>
<header><h1>{title}</h1>
<nav><a href="/_demo/index.html">Demo</a>
<a href="/_api/docs">Reference</a> <a href="/_api/openapi.json">OpenAPI</a></nav>
</header>
<main>
{content}
</main>
</body>
</html>
"""


def page(title: str, content: str) -> Answer:
    """Answer with a page; `content` is HTML, the title is plain text."""
    text = _PAGE.format(title=escape(title), style=STYLE, icon=ICON, content=content)
    return Answer(HTTPStatus.OK, dict(_HEADERS), text.encode())


def style() -> Answer:
    """Answer with the style sheet."""
    sheet = Path(__file__).with_name("style.css").read_bytes()
    return Answer(HTTPStatus.OK, {**_HEADERS, "Content-Type": "text/css; charset=utf-8"}, sheet)
