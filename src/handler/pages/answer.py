"""The answer with a file of a page, under a policy that runs and loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from http import HTTPStatus

from handler.response import Answer

HTML, TEXT = "text/html; charset=utf-8", "text/plain; charset=utf-8"
TYPES = {
    ".html": HTML,
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
OPEN_DOCUMENT = "public, max-age=300"
"""Cache-Control of documents that look the same to everybody."""


def answer_file(media_type: str, body: bytes, cache_control: str = "no-cache", origins: Sequence[str] = ()) -> Answer:
    """Answer with a file. `origins` are those from which a page may load and to which it may send, beside its own."""
    headers = {
        "Content-Type": media_type,
        "Cache-Control": cache_control,
        # Weak, because the server and the CDN compress the body.
        "ETag": f'W/"{sha256(body).hexdigest()[:32]}"',
        "Content-Security-Policy": build_policy(origins),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(HTTPStatus.OK, headers, body)


def build_policy(origins: Sequence[str] = ()) -> str:
    """Return the content security policy of a page that loads from and sends to these origins beside its own."""
    others = "".join(f" {origin}" for origin in origins)
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:{others}; "
        f"connect-src 'self'{others}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
