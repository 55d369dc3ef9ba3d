"""What is wrong with the prose of a page: `python -m tests.documentation.prose_rules [PAGE …]` prints it.

proselint finds clichés, weasel words, archaisms and the like. The other rules are those of CONTRIBUTING.md: no word
that tells readers that something is easy, no sentence that needs a second reading, no page that hides who acts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from proselint.checks import __register__
from proselint.config import Config
from proselint.registry import CheckRegistry
from proselint.tools import LintFile
from tests.documentation.pages import GUIDES, name_of, prose

LONGEST_SENTENCE = 40
"""Words."""
MOST_PASSIVE = 0.33
"""Share of the sentences of a page with a passive verb."""
NOT_CHECKED = {
    "restricted": "words that proselint's authors leave off too",
    "spelling": "prose is British; code and names are American",
    "typography": "straight quotes, and x in sizes of images",
}
"""Groups of proselint's checks, and why they are off."""
EMPTY_WORDS = (
    r"simply|just|easily|easy|easier|obviously|of course|clearly|basically|actually|really|trivial(?:ly)?|"
    r"effortless(?:ly)?|seamless(?:ly)?|powerful|robust|blazing|cutting-edge|state of the art|out of the box|"
    r"under the hood|best practice|leverage[sd]?|utili[sz]e[sd]?|in order to|please note|note that|e\.g\.|i\.e\.|etc\."
)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z*\"'“(])|\n{2,}|\n(?=\s*(?:[*>#|-]|\d+\.) ?)|\|")
_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)\s+(?:not\s+|never\s+|then\s+|also\s+)?\w{2,}(?:ed|en)\b")


def sentences(page: Path) -> list[str]:
    """Return the sentences of a page, each on one line; a cell of a table and an item of a list end one, too."""
    return [" ".join(part.split()) for part in _SENTENCE.split(prose(page)) if part and part.strip()]


def lint(page: Path) -> Iterator[str]:
    """Yield what proselint finds."""
    checks = dict.fromkeys({check.path.split(".")[0] for check in __register__} - NOT_CHECKED.keys(), True)
    config: Config = {"max_errors": 1000, "checks": {**checks, **dict.fromkeys(NOT_CHECKED, False)}}
    registry = CheckRegistry()
    if not registry.checks:
        registry.register_many(__register__)
    for found in LintFile(source=name_of(page), content=prose(page)).lint(config):
        yield f"{name_of(page)}:{found.pos[0]} {found.check_result.check_path}: {found.check_result.message}"


def empty_words(page: Path) -> Iterator[str]:
    """Yield each word that says nothing, or that calls something easy."""
    for number, line in enumerate(prose(page).splitlines(), 1):
        for match in re.finditer(rf"(?<![\w-])(?:{EMPTY_WORDS})(?![\w-])", line, re.IGNORECASE):
            yield f"{name_of(page)}:{number} {match.group()}: leave it out"


def long_sentences(page: Path) -> Iterator[str]:
    """Yield the sentences with too many words."""
    for sentence in sentences(page):
        if len(re.findall(r"\w[\w'’-]*", sentence)) > LONGEST_SENTENCE:
            yield f"{name_of(page)}: make two sentences of this: {sentence}"


def passive_share(page: Path) -> float:
    """Return the share of sentences, of at least five words, with a passive verb."""
    found = [sentence for sentence in sentences(page) if len(sentence.split()) >= 5]
    return sum(bool(_PASSIVE.search(sentence)) for sentence in found) / max(1, len(found))


def faults(page: Path) -> list[str]:
    """Return a line for each fault of a page."""
    found = [*lint(page), *empty_words(page), *long_sentences(page)]
    if passive_share(page) > MOST_PASSIVE:
        found.append(f"{name_of(page)}: {passive_share(page):.0%} of the sentences are passive: say who does it")
    return found


if __name__ == "__main__":
    for each in [Path(name).resolve() for name in sys.argv[1:]] or GUIDES:
        sys.stdout.writelines(f"{line}\n" for line in faults(each))
