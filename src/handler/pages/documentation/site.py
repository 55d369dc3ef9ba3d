"""The answers of the documentation's site, by path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from handler.pages.answer import HTML, OPEN_DOCUMENT, TEXT, TYPES, answer_file
from handler.pages.demo import Site, list_files
from handler.pages.documentation.files import FIRST, HOME, IMAGES, INDEX, ROOT, find_image, find_link, list_paths
from handler.pages.documentation.layout import BASE, Chapter, Entry, Layout, lay_out
from handler.response import Answer

if TYPE_CHECKING:
    from handler.pages.documentation.markdown import Rendered, Target

SITE_FILES = Site(BASE, ())
"""What the pages load: the files of demo-ui, without its pages."""
SEARCH = HOME + "search.json"
_TYPES = {**TYPES, ".webp": "image/webp", ".png": "image/png"}
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)
_HEADING = re.compile(r"^(#{1,4}) +(.+?)\s*$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]{2,40})`")
_MARKUP = re.compile(r"[`*]|\[([^\]]*)\]\([^)]*\)")


@cache
def documentation(links: Sequence[Entry]) -> Mapping[str, Callable[[], Answer]]:
    """Return what answers each path below `/_docs`; empty without the files. `links` are those of the headers."""
    paths = list_paths()
    if FIRST not in paths:
        return {}
    pages = {address: partial(_answer_file, name, links) for name, address in paths.items()}
    moved = {HOME + name.removeprefix("docs/"): address for name, address in paths.items() if name.endswith(".md")}
    assets = {BASE + name: partial(_answer_asset, path) for name, path in list_files(SITE_FILES).items()}
    redirects = {address: partial(_redirect, target) for address, target in {**moved, HOME.rstrip("/"): HOME}.items()}
    return {**redirects, **assets, SEARCH: _answer_index, **pages}


def _answer_file(name: str, links: Sequence[Entry]) -> Answer:
    path = ROOT / name
    if path.suffix == ".md":
        return _answer(HTML, _render(name, links, path.stat().st_mtime_ns))
    return _answer(_TYPES.get(path.suffix, TEXT), path.read_bytes())


def _answer_asset(path: Path) -> Answer:
    return _answer(TYPES[path.suffix], path.read_bytes())


def _answer_index() -> Answer:
    return _answer(TYPES[".json"], _build_index())


def _answer(media_type: str, body: bytes) -> Answer:
    return answer_file(media_type, body, OPEN_DOCUMENT)


def _redirect(address: str) -> Answer:
    return Answer(HTTPStatus.FOUND, {"Location": address, "Cache-Control": OPEN_DOCUMENT})


@lru_cache(maxsize=32)
def _render(name: str, links: Sequence[Entry], _: int) -> bytes:
    """Return a page as HTML. The last argument is the file's time, so that a changed file is rendered again."""
    paths = list_paths()
    page = render_in_site(name, (ROOT / name).read_text(encoding="utf-8"))
    title = page.title or _name_file(name)
    html = page.html if page.title else f"<h1>{title}</h1>\n{page.html}"
    sections = [Entry(f"#{each.anchor}", each.text, each.level) for each in page.headings if each.level in (2, 3)]
    return lay_out(
        Layout(
            paths[name], title, page.summary[:200], html, _list_chapters(), links, sections, search_index=SEARCH,
        )
    )  # fmt: skip


def render_in_site(name: str, text: str) -> Rendered:
    """Render a text whose links are those of a file of the site."""
    from handler.pages.documentation.markdown import render  # noqa: PLC0415 - of these pages alone

    return render(text, partial(_find, name))


def _find(name: str, link: str) -> Target | None:
    """Return the target of a link in a file."""
    from handler.pages.documentation.markdown import Target  # noqa: PLC0415 - of these pages alone

    address = find_link(name, link, list_paths())
    if address is None:
        return None
    image = find_image(address.removeprefix(IMAGES)) if address.startswith(IMAGES) else None
    return Target(address, _title(address.partition("#")[0]), image and (image.width, image.height))


@cache
def _list_chapters() -> Sequence[Chapter]:
    """Return the sidebar: the links of the index, below its headings or its lines in bold."""
    from handler.pages.documentation.markdown import parse, plain_text  # noqa: PLC0415 - of these pages alone

    chapters = [Chapter("Start", [Entry(HOME, "Image handler"), Entry(list_paths()[INDEX], "All pages")])]
    tokens = parse((ROOT / INDEX).read_text(encoding="utf-8"))
    known = {entry.address for entry in chapters[0].entries}
    for before, token in pairwise(tokens):
        if token.type != "inline" or not token.children:
            continue
        is_title = before.type == "heading_open" and before.tag != "h1"
        if is_title or (before.type == "paragraph_open" and _is_bold(token.content)):
            chapters.append(Chapter(plain_text(token).strip(" :"), []))
        for address in _list_addresses(token.content):
            if address not in known:
                known.add(address)
                chapters[-1] = Chapter(chapters[-1].title, [*chapters[-1].entries, Entry(address, _title(address))])
    return [chapter for chapter in chapters if chapter.entries]


def _is_bold(text: str) -> bool:
    return text.startswith("**") and text.rstrip(" :").endswith("**")


def _list_addresses(text: str) -> Iterator[str]:
    """Yield the addresses of the pages to which a text of the index links, without those of sections."""
    for link in re.findall(r"\]\(([^)\s#]+)\)", text):
        address = find_link(INDEX, link, list_paths())
        if address is not None and address.startswith(HOME):
            yield address


@cache
def _title(address: str) -> str:
    """Return the title of a page: its first heading."""
    name = next((name for name, each in list_paths().items() if each == address and name.endswith(".md")), None)
    if name is None:
        return ""
    found = _TITLE.search((ROOT / name).read_text(encoding="utf-8"))
    return _plain(found[1]) if found else _name_file(name)


def _name_file(name: str) -> str:
    """Return the title of a page without one: `bench/EFFORTS.md` is "Efforts"."""
    return Path(name).stem.capitalize()


@cache
def _build_index() -> bytes:
    """Return the search index: for each page its title, its address, and its sections with their code words."""
    pages = [
        [*_index_page((ROOT / name).read_text(encoding="utf-8")), address]
        for name, address in list_paths().items()
        if name.endswith(".md")
    ]
    return json.dumps({"pages": pages}, ensure_ascii=False, separators=(",", ":")).encode()


def _index_page(text: str) -> Iterator[object]:
    """Yield the title of a page, and its sections: heading, anchor, and the code words below it."""
    from handler.pages.documentation.markdown import slug  # noqa: PLC0415 - of these pages alone

    _, *pieces = _HEADING.split(_FENCE.sub("", text))
    titles = [_plain(each) for each in pieces[1::3]]
    yield titles[0] if titles else ""
    known: dict[str, int] = {}
    sections: list[list[str]] = []
    for heading, body in zip(titles, pieces[2::3], strict=True):
        anchor = slug(heading)
        known[anchor] = known.get(anchor, -1) + 1
        words = " ".join(dict.fromkeys(_CODE.findall(body)))
        sections.append([heading, f"{anchor}-{known[anchor]}" if known[anchor] else anchor, words[:3000]])
    yield sections


def _plain(text: str) -> str:
    return _MARKUP.sub(lambda match: match[1] or "", text)
