"""What readers see uses the terms of docs/glossary.md; private words of this project's past do not come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GENERATED = {"docs/features.md", "docs/configuration.md", "demo-ui/features.json"}
"""These take their words from src."""
PLACES = (
    "README.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
    "AGENTS.md",
    "Makefile",
    "Dockerfile",
    "docs",
    "template",
    "demo-ui",
    "deploy",
    ".github",
)
TEXTS = {".md", ".yaml", ".yml", ".js", ".html", ".css", ".py", ".sh", ".env", ""}
WORDS = {
    r"house": "policy",
    r"doors?": "entrypoint",
    r"shelf": "result cache",
    r"withdraw\w*": "purge",
    r"hand(s|ed)? over": "delegate",
    r"workshop|ingredients": "render context, inputs",
    r"seers?|those who see|who sees": "detector",
    r"veil(s|ed)?": "redact",
    r"(lie|lies|lay) in": "is stored in",
    r"(come|comes) along": "is sent, is posted",
    r"heavy": "expensive, model function",
    r"half again": "one and a half times",
    r"variations?": "variant",
    r"pictures? (lie|lies|leave|leaves)": "images are stored, are sent",
}
"""What is not written, and the term instead."""
NAMES = re.compile(r"Heavy[A-Z]\w*|HEAVY_FUNCTION|heavy(?:Duration|Calls)|-heavy\b|\bheavy(?=: \[)")
"""Names that others rely on: of parameters, settings, resources and fields of features.json."""


def _texts() -> Iterator[Path]:
    for place in PLACES:
        path = ROOT / place
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (
            each for each in found if each.is_file() and each.suffix in TEXTS and "__pycache__" not in each.parts
        )


@pytest.mark.parametrize("path", list(_texts()), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_terms_are_those_of_the_field(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() in GENERATED:
        return
    text = NAMES.sub("", path.read_text(encoding="utf-8"))
    found = {
        match.group(): term
        for word, term in WORDS.items()
        for match in re.finditer(rf"\b(?:{word})\b", text, re.IGNORECASE)
    }
    assert found == {}, "write the term instead"


def test_the_list_finds_what_it_names() -> None:
    for text in ("the house's rules", "handed over", "Withdrawal", "it lies in a bucket", "heavy work"):
        assert any(re.search(rf"\b(?:{word})\b", NAMES.sub("", text), re.IGNORECASE) for word in WORDS), text
