"""Generate demo-ui/features.CODE.json: features.json with its texts in another language than English.

A page loads the file of its language only. The words are in demo-ui/messages/features, English to translated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handler.pages import FOLDER
from handler.reference.controls import controls

_WORDS = FOLDER / "messages" / "features"
_TEXTS = ("help", "title")
"""The fields with texts; other fields have names, values and addresses, which are the same in every language."""
_TRANSLATED = ("features", "output", "recipes", "examples")


def list_languages() -> Sequence[str]:
    """Return the codes of the languages that there are words for."""
    return sorted(path.stem for path in _WORDS.glob("*.json"))


def translated_controls(language: str) -> dict[str, Any]:
    """Return what `controls` returns in a language, with labels and synonyms as lists of pairs.

    A text without a translation stays English and is in the list `untranslated`.
    """
    content = json.loads((_WORDS / f"{language}.json").read_text(encoding="utf-8"))
    words = content["words"]
    english = controls()
    parts = {name: english[name] for name in _TRANSLATED}
    labels = {name: words[label] for name in _list_names(parts) if (label := english_label(name)) in words}
    return {
        **english,
        **{name: _translate(part, words) for name, part in parts.items()},
        "labels": list(labels.items()),
        "synonyms": list(content["synonyms"].items()),
        "untranslated": sorted({text for text in _list_texts(parts) if text not in words}),
    }


def english_label(name: str) -> str:
    """Return the English label of a name, as js/catalogue.js does: "Smart cropping" for smartCropping."""
    spaced = re.sub("([a-z0-9])([A-Z])", lambda found: f"{found[1]} {found[2].lower()}", name)
    return spaced[:1].upper() + spaced[1:]


def _translate(part: Any, words: Mapping[str, str]) -> Any:
    """Return a part of the catalogue with its texts translated."""
    if isinstance(part, list):
        return [_translate(each, words) for each in part]
    if isinstance(part, dict):
        return {
            name: words.get(each, each) if name in _TEXTS else _translate(each, words) for name, each in part.items()
        }
    return part


def _list_names(part: Any) -> Iterator[str]:
    """Yield the names of all features, parameters and options in a part of the catalogue."""
    if isinstance(part, list):
        for each in part:
            yield from _list_names(each)
    elif isinstance(part, dict):
        if "name" in part:
            yield part["name"]
        yield from _list_names(list(part.values()))


def _list_texts(part: Any) -> Iterator[str]:
    """Yield all texts in a part of the catalogue."""
    if isinstance(part, list):
        for each in part:
            yield from _list_texts(each)
    elif isinstance(part, dict):
        yield from (part[name] for name in _TEXTS if name in part)
        yield from _list_texts(list(part.values()))
