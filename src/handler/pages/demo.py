"""The demo page and the gallery on the local server; a stack serves the same files from a bucket."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from handler.pages.answer import TYPES, answer_file
from handler.pages.frame import ANY_HOST, FRAME, read_page
from handler.response import Answer

FOLDER = Path(__file__).resolve().parents[3] / "demo-ui"
"""Beside src/."""


class Site(NamedTuple):
    """Pages of demo-ui under one path, with the files that all pages share."""

    home: str
    pages: tuple[str, ...]
    """The first one is the site's home."""

    def link(self, name: str, served: Collection[str]) -> Collection[str]:
        """Return the addresses to which a page links: those of other sites, and those of this site except its own."""
        own = {page: self.home + (page if number else "") for number, page in enumerate(self.pages)}
        return {*served, *own.values()} - {own.get(name, "")}


DEMO = Site("/_demo/", ("index.html", "records.html"))
GALLERY = Site("/_gallery/", ("gallery.html",))
HOME = DEMO.home


def list_files(site: Site, folder: Path = FOLDER) -> Mapping[str, Path]:
    """Return the files of a site by their path below its home; empty without the folder."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in TYPES and path.parent.name != FRAME]
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path for name, path in named.items() if path.suffix != ".html" or name in site.pages}


def demo(folder: Path = FOLDER, served: Collection[str] = ()) -> Mapping[str, Callable[[], Answer]]:
    """Return the answers of the demo page by path, and the redirects to it; empty without the folder.

    `served` are the addresses of the service's other pages, to which the headers link.
    """
    answers = _serve(DEMO, folder, (), served)
    return {**answers, "/": partial(_redirect, DEMO)} if answers else {}


def gallery(
    origins: Sequence[str] = (), folder: Path = FOLDER, served: Collection[str] = ()
) -> Mapping[str, Callable[[], Answer]]:
    """Return the answers of the gallery's page by path; empty without the folder.

    `origins` are those of stores to which the page uploads, such as `https://bucket.s3.eu-west-1.amazonaws.com`.
    """
    return _serve(GALLERY, folder, origins, served)


def _serve(
    site: Site, folder: Path, origins: Sequence[str], served: Collection[str]
) -> Mapping[str, Callable[[], Answer]]:
    """Return each file of a site by its path; a file is read when it is requested."""
    files = list_files(site, folder)
    if site.pages[0] not in files:
        return {}
    named = {
        site.home + name: partial(_answer_file, path, origins, site.link(name, served)) for name, path in files.items()
    }
    return {**named, site.home: named[site.home + site.pages[0]], site.home.rstrip("/"): partial(_redirect, site)}


def _answer_file(path: Path, origins: Sequence[str], linked: Collection[str]) -> Answer:
    return answer_file(TYPES[path.suffix], read_page(path, origins or ANY_HOST, linked), origins=origins)


def _redirect(site: Site) -> Answer:
    return Answer(HTTPStatus.FOUND, {"Location": site.home, "Cache-Control": "no-cache"})
