"""The hand-written pages, their blocks of code and their prose."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from itertools import count
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATED = {DOCS / "features.md", DOCS / "configuration.md"}
CLIENTS = [ROOT / "clients" / "README.md", *(ROOT / "clients").glob("*/README.md")]
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *CLIENTS} - GENERATED)
GUIDES = sorted({ROOT / "README.md", *DOCS.glob("*.md"), *CLIENTS} - GENERATED)
"""The pages for users: without the changelog, the notes of decisions and what is for contributors."""
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"``(.+?)``|`([^`]+)`", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    """Return the path of a page within the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page in some languages, without the indentation of a list that they stand in."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text[: match.start()].count("\n") + 1, match["language"], textwrap.dedent(match["code"]))
        for match in _FENCE.finditer(text)
        if match["language"] in languages
    ]


def inline_code(page: Path) -> list[str]:
    """Return what stands in backticks, each on one line."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [" ".join((long or short).split()) for long, short in _INLINE.findall(text)]


def prose(page: Path) -> str:
    """Return the text of a page without code, link targets, HTML and markup, with as many lines."""
    text = _FENCE.sub(lambda match: "\n" * match[0].count("\n"), page.read_text(encoding="utf-8"))
    # Each piece of code is another word, so that two of them are no repetition; a heading ends like a sentence.
    number = count()
    text = _INLINE.sub(lambda match: f"Q{next(number)}z" + "\n" * match[0].count("\n"), text)
    text = re.sub(r"^(#+ .*?)[?.]?$", r"\1.", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"<[^>\n]+>|[*_]{2}", "", text)
