"""The texts of the gallery's page: one file for each language, with the same keys, and each key is used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from handler.pages import FOLDER
from handler.pages.frame import MESSAGES

LANGUAGES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (FOLDER / MESSAGES).glob("*.json")}
SCRIPTS = sorted((FOLDER / "gallery").glob("*.js"))
PAGES = [FOLDER / "gallery.html", *sorted((FOLDER / "frame").glob("*.html"))]
COMPOSED = re.compile(r"(state|status|reason|error|recipe|theme|upload)\.")
"""Keys whose last part comes from the service or from a state."""


def _used() -> set[str]:
    """Return the keys that scripts and pages name."""
    scripts = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    pages = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    found = re.findall(r"""\bt\(\s*"([\w.-]+)\"""", scripts) + re.findall(r'"((?:upload|share)\.[\w-]+)"', scripts)
    for pair in re.findall(r't\(\w+ \? "([\w.-]+)" : "([\w.-]+)"', scripts):
        found += pair
    return {*found, *re.findall(r'data-(?:text|label|alt|title|placeholder)="([\w.-]+)"', pages)}


def _forms(text: str | dict[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def test_english_and_german_are_there() -> None:
    assert {"en", "de"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_text_with_the_same_values(language: str) -> None:
    texts, english = LANGUAGES[language], LANGUAGES["en"]
    assert list(texts) == list(english)
    for key, text in texts.items():
        forms = _forms(text)
        assert all(forms), key
        named = {name for form in _forms(english[key]) for name in re.findall(r"\{(\w+)\}", form)}
        assert {name for form in forms for name in re.findall(r"\{(\w+)\}", form)} == named, key
        assert isinstance(text, dict) == isinstance(english[key], dict), key
        if isinstance(text, dict):
            assert {"one", "other"} <= set(text), key


def test_each_key_is_used_and_each_used_key_has_a_text() -> None:
    used, known = _used(), set(LANGUAGES["en"])
    assert len(used) > 50
    assert used - known == set()
    assert {key for key in known - used if not COMPOSED.match(key)} == set()


@pytest.mark.parametrize("path", PAGES[:1], ids=lambda path: path.name)
def test_the_page_itself_has_no_text_beside_its_title(path: Path) -> None:
    main = path.read_text(encoding="utf-8").split("<!-- part: main -->")[1]
    visible = re.sub(r"<noscript>.*?</noscript>|<[^>]+>|\{\{[\w-]+\}\}", " ", main, flags=re.DOTALL)
    assert re.findall(r"\w+", visible) == []
