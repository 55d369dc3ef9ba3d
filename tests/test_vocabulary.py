"""What readers see uses the terms of docs/glossary.md; private words of this project's past do not come back.

`python -m tests.test_vocabulary [PATH …]` prints what is left below a path.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
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
    "src",
)
TEXTS = {".md", ".yaml", ".yml", ".js", ".html", ".css", ".py", ".sh", ".env", ""}
WORDS = {
    r"house": "policy",
    r"doors?": "entrypoint",
    r"wish(es|ed)?": "request",
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
WORDS_OF_CODE = {
    r"nobody|whoever": "name who",
    r"said|unsaid": "params, unsupported; is given, states",
    r"wanted": "requested",
    r"(?-i:is none|are none)": "is not one, there is none of them",
    r"odd keys?": "boto_fallback, keys that obstore refuses",
}
"""More of them, in src."""
IDENTIFIERS = {
    *(
        "house",
        "House",
        "door",
        "HttpDoor",
        "ConsoleDoor",
        "OperatorDoor",
        "UploadDoor",
        "understand",
        "Asked",
        "asked",
    ),
    *("Words", "Said", "said", "meaning", "Meaning", "unsaid", "Making", "making", "produce", "Workshop", "workshop"),
    *("Ingredients", "ingredients", "Shelf", "shelf", "aside", "elsewhere", "Withdrawal", "withdraw", "withdrawal"),
    *("HandOver", "HandsOver", "hands_over", "heavy", "Eyes", "Seer", "Seen", "Verdict", "verdict", "is_certain"),
    *("veil", "hides", "bears", "idle", "is_idle", "proofs", "callers", "Callers", "Proof", "Place", "odd_keys"),
    *("refusals", "told", "_told", "PrivateAddress", "Question", "posted", "cutting_out", "stack_events", "observed"),
    *("dear", "_refuse_dear", "most", "least", "wanted", "examination", "rights", "Boto"),
}
"""Names of the old vocabulary in Python; as words of a sentence some of them are plain English."""
EXCEPTIONS: dict[str, str] = {
    "src/handler/cli/explain.py: unsaid": "a field of the answer of /_api/translate",
    "src/handler/reference/interface.py: unsaid": "a field of the answer of /_api/translate",
    "src/handler/requests/translate.py: unsaid": "the same field",
}
""""path: word" → why it stays."""
NAMES = re.compile(r"Heavy[A-Z]\w*|HEAVY_FUNCTION|heavy(?:Duration|Calls)|-heavy\b")
"""Names that others rely on: of parameters, settings, resources and fields of features.json."""


def _texts(*places: str) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (
            each for each in found if each.is_file() and each.suffix in TEXTS and "__pycache__" not in each.parts
        )


def _old_words(path: Path) -> Iterator[str]:
    """Yield each use of an old word in a file as `path:line word: the term instead`."""
    name, text = path.relative_to(ROOT).as_posix(), NAMES.sub("", path.read_text(encoding="utf-8"))
    words = WORDS | (WORDS_OF_CODE if name.startswith("src/") else {})
    for number, line in enumerate(text.splitlines(), 1):
        for word, term in words.items():
            found = {match.group().lower() for match in re.finditer(rf"\b(?:{word})\b", line, re.IGNORECASE)}
            yield from (f"{name}:{number} {each}: {term}" for each in found if f"{name}: {each}" not in EXCEPTIONS)
    if name.startswith("src/") and path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            is_old = token.type == tokenize.NAME and token.string in IDENTIFIERS
            if is_old and f"{name}: {token.string}" not in EXCEPTIONS:
                yield f"{name}:{token.start[0]} {token.string}: a name of the old vocabulary"


@pytest.mark.parametrize("path", list(_texts(*PLACES)), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_terms_are_those_of_the_field(path: Path) -> None:
    assert list(_old_words(path)) == [], "write the term instead"


def test_every_exception_is_needed() -> None:
    for key in EXCEPTIONS:
        name, _, word = key.partition(": ")
        assert word in (ROOT / name).read_text(encoding="utf-8").lower() + (ROOT / name).read_text(encoding="utf-8")


def test_the_list_finds_what_it_names() -> None:
    for text in ("the house's rules", "handed over", "Withdrawal", "it lies in a bucket", "heavy work"):
        assert any(re.search(rf"\b(?:{word})\b", NAMES.sub("", text), re.IGNORECASE) for word in WORDS), text


if __name__ == "__main__":
    for file in _texts(*(sys.argv[1:] or (*PLACES, "src"))):
        sys.stdout.writelines(f"{line}\n" for line in _old_words(file))
