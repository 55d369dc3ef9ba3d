"""The start page: example addresses and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from itertools import islice
from pathlib import PurePosixPath
from typing import Protocol

from handler.errors import HandlerError
from handler.pages.examples import EXAMPLES, Example
from handler.pages.html import page
from handler.ports import ObjectInfo
from handler.response import Answer

_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".heic", ".tif", ".tiff"}
_LOOKED_AT, _LISTED = 1_000, 12


class Lists(Protocol):
    """What is used of `handler.ports.Objects`."""

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]: ...


def start(objects: Lists, sign: Callable[[str], str] = lambda url: url) -> Answer:
    """Examples made of the first pictures in the default source; `sign` signs an address where that is needed."""
    try:
        keys = list(_pictures(objects))
    except HandlerError as error:
        return page("Image handler", f"<p>The default source cannot be listed: {escape(error.message)}</p>")
    if not keys:
        return page("Image handler", "<p>There is no picture in the default source yet.</p>")
    photo = min(keys, key=_photograph_first)
    logo = min(keys, key=_logo_first)
    cards = (_card(example, sign(example.url(photo, logo))) for example in EXAMPLES)
    others = (
        _card(Example(key, "", "width=320"), sign(Example("", "", "width=320").url(key, ""))) for key in keys[:_LISTED]
    )
    return page("Image handler", f"{_gallery('Examples', cards)}\n{_gallery('Pictures of the default source', others)}")


def _pictures(objects: Lists) -> Iterator[str]:
    found = islice(objects.list("", ""), _LOOKED_AT)
    return (info.ref.key for info in found if PurePosixPath(info.ref.key).suffix.lower() in _PICTURES)


def _photograph_first(key: str) -> tuple[bool, str]:
    return PurePosixPath(key).suffix.lower() not in (".jpg", ".jpeg"), key


def _logo_first(key: str) -> tuple[bool, bool, str]:
    return "logo" not in key, not key.endswith(".png"), key


def _gallery(title: str, cards: Iterator[str]) -> str:
    return f'<h2>{title}</h2>\n<ul class="gallery">\n{"".join(cards)}</ul>'


def _card(example: Example, url: str) -> str:
    address, title = escape(url), escape(example.title)
    shown = f'<img src="{address}" alt="{title}" loading="lazy">' if example.picture else ""
    code = f"<code>{address}</code>"
    link = f'<a href="{address}">{code}</a>' if example.anywhere else code
    return f"<li><h3>{title}</h3><p>{link}</p>{shown}</li>\n"
