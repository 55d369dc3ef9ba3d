"""Markdown, as GitHub renders it, to HTML that needs no inline style."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from handler.pages.documentation.code import highlight

_ALIGNED = re.compile(r"text-align:(\w+)")
_REFERENCE = re.compile(r"""\b(href|src)="([^"]+)\"""")
_FILE = re.compile(r"[\w./-]+\.md")
_EXTERNAL = re.compile(r"[a-z][a-z+.-]*:|//", re.IGNORECASE)


class Heading(NamedTuple):
    """A heading of a page: its level, its text, and its anchor."""

    level: int
    text: str
    anchor: str


class Rendered(NamedTuple):
    """A page as HTML, with what is known of it."""

    title: str
    """The heading of level 1; empty without one."""
    html: str
    headings: Sequence[Heading]
    summary: str
    """The first paragraph, without markup."""


def slug(text: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return "".join(filter(_stays, text.lower())).replace(" ", "-")


class Target(NamedTuple):
    """What a relative link leads to."""

    address: str
    title: str
    size: tuple[int, int] | None = None
    """Width and height of an image."""


Find = Callable[[str], Target | None]
"""Returns the target of a relative link; a link to None becomes text."""


def render(text: str, find: Find) -> Rendered:
    """Render a page."""
    tokens = _parser().parse(text)
    title = ""
    headings: list[Heading] = []
    known: dict[str, int] = {}
    kept: list[Token] = []
    waiting = iter(tokens)
    for token in waiting:
        if token.type == "heading_open":
            inline = next(waiting)
            words, level = plain_text(inline), int(token.tag[1:])
            title = title or (words if level == 1 else "")
            anchor = _unique(slug(words), known)
            token.attrSet("id", anchor)
            token.meta["anchor"] = anchor
            headings.append(Heading(level, words, anchor))
            kept += (token, _with_addresses(inline, find))
            continue
        kept.append(_with_addresses(token, find))
    _hide_empty_paragraphs(kept)
    paragraphs = (after for before, after in pairwise(kept) if before.type == "paragraph_open" and not before.hidden)
    summary = next(map(plain_text, paragraphs), "")
    return Rendered(title, _parser().renderer.render(kept, _parser().options, {}), headings, summary)


def parse(text: str) -> Sequence[Token]:
    """Return the tokens of a page."""
    return _parser().parse(text)


def plain_text(inline: Token) -> str:
    """Return the words of an inline token."""
    children = inline.children or ()
    return "".join(" " if each.type in ("softbreak", "hardbreak") else _words_of(each) for each in children)


def _words_of(token: Token) -> str:
    return token.content if token.type in ("text", "code_inline") else ""


def _stays(character: str) -> bool:
    return character in "-_ " or unicodedata.category(character)[0] in "LM" or unicodedata.category(character) == "Nd"


def _unique(anchor: str, known: dict[str, int]) -> str:
    """Return the anchor; further ones of the same name get a number."""
    count = known[anchor] = known.get(anchor, -1) + 1
    return f"{anchor}-{count}" if count else anchor


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for rule in (_fence, _table_open, _table_close, _th_open, _td_open, _heading_close):
        parser.add_render_rule(rule.__name__.removeprefix("_"), rule)
    return parser


def _with_addresses(token: Token, find: Find) -> Token:
    """Return the token with links and images that work in the site."""
    if token.type == "html_block":
        token.content = _replace_references(token.content, find)
    links: list[Token] = []
    for child in token.children or ():
        if child.type == "html_inline":
            child.content = _replace_references(child.content, find)
        elif child.type == "image":
            _place_image(child, find)
        elif child.type == "link_open":
            links.append(child)
            _place_link(child, find)
        elif child.type == "link_close":
            child.hidden = links.pop().hidden
        elif links and _FILE.fullmatch(child.content):
            # A link that is called by its file has the title of its page here.
            child.content, child.type = links[-1].meta.get("title") or child.content, "text"
    token.children = token.children and _without_hidden(token.children)
    return token


def _without_hidden(children: Sequence[Token]) -> list[Token]:
    """Return the tokens without those that are hidden, and without links around nothing."""
    kept: list[Token] = []
    for each in children:
        if each.type == "link_close" and kept and kept[-1].type == "link_open":
            kept.pop()
        elif not each.hidden:
            kept.append(each)
    return kept


def _hide_empty_paragraphs(tokens: Sequence[Token]) -> None:
    """Hide the paragraphs that held nothing but images of other hosts."""
    for before, inline, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before.type == "paragraph_open" and all(each.type == "softbreak" for each in inline.children or ()):
            before.hidden = after.hidden = True
            inline.children = []


def _place_link(link: Token, find: Find) -> None:
    """Give a link its address in the site; one that has none there is hidden, and its text stays."""
    address = str(link.attrGet("href"))
    if _EXTERNAL.match(address):
        link.attrSet("rel", "noreferrer")
    elif not address.startswith(("/", "#")):
        target = find(address)
        link.hidden = target is None
        link.attrSet("href", target.address if target else "")
        link.meta["title"] = target.title if target else ""


def _place_image(image: Token, find: Find) -> None:
    """Give an image its address in the site, and its size, so that the text does not move when it arrives.

    An image of another host, such as a badge, is hidden: the pages load nothing from elsewhere.
    """
    image.attrSet("loading", "lazy")
    image.hidden = bool(_EXTERNAL.match(str(image.attrGet("src"))))
    target = find(str(image.attrGet("src")))
    image.attrSet("src", target.address if target else "")
    for name, pixels in zip(("width", "height"), (target and target.size) or (), strict=False):
        image.attrSet(name, str(pixels))


def _replace_references(html: str, find: Find) -> str:
    """Return HTML with addresses that work in the site."""

    def replaced(match: re.Match[str]) -> str:
        target = None if _EXTERNAL.match(match[2]) else find(match[2])
        return f'{match[1]}="{escape(target.address if target else match[2])}"'

    return _REFERENCE.sub(replaced, html)


def _fence(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    language = token.info.strip().partition(" ")[0]
    name = f' data-language="{escape(language)}"' if language else ""
    return f'<div class="listing"{name}><pre><code>{highlight(token.content, language)}</code></pre></div>\n'


def _table_open(*_: Any) -> str:
    return '<div class="scroll"><table>\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _th_open(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return f'<th scope="col"{_alignment(tokens[index])}>'


def _td_open(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return f"<td{_alignment(tokens[index])}>"


def _alignment(token: Token) -> str:
    """Return the attribute that aligns a cell: the pages' policy lets no inline style apply."""
    found = _ALIGNED.search(str(token.attrGet("style") or ""))
    return f' class="{found[1]}"' if found else ""


def _heading_close(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    anchor = tokens[index - 2].meta.get("anchor", "")
    link = f' <a class="anchor" href="#{escape(anchor)}" aria-label="Link to this section">#</a>' if anchor else ""
    return f"{link}</{tokens[index].tag}>\n"
