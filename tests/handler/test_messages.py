"""The texts of the pages of demo-ui: complete in each language, all in use, and none of them outside of its file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeGuard

import pytest
from tests.local_server import ROOT

FOLDER = ROOT / "demo-ui"
MESSAGES = FOLDER / "messages"
LANGUAGES = sorted(path.stem for path in MESSAGES.glob("*.json"))
TRANSLATED = [language for language in LANGUAGES if language != "en"]
PLACES = {"text": None, "label": "aria-label", "title": "title", "placeholder": "placeholder", "alt": "alt"}
"""`data-text` is the content of an element, and the others are attributes."""
CODE = ("js/snippets.js", "js/search.js")
"""What these modules contain is code that the visitor copies, and English words that are searched for."""
PROSE = re.compile(r"[A-Za-z]{2,}[,.:]? [a-z]{2,} [a-z]{2,}|\b[A-Z][a-z]+ [a-z]{2,}\b")


@cache
def texts(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MESSAGES / f"{language}.json").read_text(encoding="utf-8"))
    return found


@cache
def words(language: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        (MESSAGES / "features" / f"{language}.json").read_text(encoding="utf-8")
    )
    return found


def modules() -> dict[str, str]:
    paths = [*(FOLDER / "js").glob("*.js"), *(FOLDER / "gallery").glob("*.js")]
    return {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def pages() -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in [*FOLDER.glob("*.html"), *(FOLDER / "frame").glob("*")]}


def values(text: str | dict[str, str]) -> set[str]:
    forms = text.values() if isinstance(text, dict) else [text]
    return {name for form in forms for name in re.findall(r"\{(\w+)\}", form)}


def test_there_are_two_languages() -> None:
    assert {"de", "en"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", TRANSLATED)
def test_each_language_has_the_same_keys_and_values(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert list(other) == list(english)
    for key, text in other.items():
        assert text, key
        assert values(text) == values(english[key]), key
        assert isinstance(text, dict) == isinstance(english[key], dict), key
        assert not isinstance(text, dict) or ({"one", "other"} <= set(text) and all(text.values())), key


def test_no_key_is_missing_and_none_is_left_over() -> None:
    code = "\n".join([*modules().values(), *pages().values()])
    named = set(re.findall(r"""["'`]([\w-]+(?:\.[\w-]+)*)["'`]""", code))
    named |= {
        key.replace("{{name}}", page)
        for key in re.findall(r'"(\{\{name\}\}\.\w+)"', code)
        for page in ("editor", "gallery", "records")
    }
    families = set(re.findall(r"[`\"]([\w-]+\.(?:[\w-]+\.)?)\$\{", code))
    left_over = {key for key in texts("en") if key not in named and not key.startswith(tuple(families))}
    assert left_over == set()
    asked = set(re.findall(r"""\bt\(\s*["']([\w.-]+)["']""", code)) | set(
        re.findall(r'data-\w+="([a-z][\w-]*\.[\w.-]+)"', code)
    )
    assert {key for key in asked if key not in texts("en")} == set()


ENGLISH = {"docs.html", "js/docs.js", "js/docs-search.js", "js/reference.js"}
"""What serves the documentation, which is in English alone."""


def test_no_text_is_written_into_a_module() -> None:
    """A string that reads like words of a sentence belongs to messages/."""
    found = {}
    for name, source in modules().items():
        if name in CODE or name in ENGLISH:
            continue
        code = re.sub(r"/\*.*?\*/|(?<![:\w\"'`])//[^\n]*", "", source, flags=re.DOTALL)
        strings = re.findall(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`', code)
        plain = [re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", "", "".join(each)) for each in strings]
        if prose := [each for each in plain if PROSE.search(each)]:
            found[name] = prose
    assert found == {}


OTHER_CODES = {"empty_file", "unreadable_file", "too_large"} | {
    f"too_many_{what}" for what in ("attempts", "codes", "renders", "uploads")
}
"""Codes of errors that the gallery's page finds itself, and those that `handler.gallery.limits` puts together."""


def codes() -> Iterator[str]:
    """The codes of all errors that a page may meet: each `code=` of a call, and each `code` of a class."""
    for path in (ROOT / "src").rglob("*.py"):
        if "cli" in path.parts:
            continue
        nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
        named = {
            target.id: node.value.value
            for node in nodes
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in nodes:
            value: ast.expr | None = None
            if isinstance(node, ast.keyword) and node.arg == "code":
                value = node.value
            elif isinstance(node, ast.ClassDef):
                value = next((each.value for each in node.body if _assigns_code(each)), None)
            found = named.get(value.id) if isinstance(value, ast.Name) else getattr(value, "value", None)
            if isinstance(found, str) and found:
                yield found


def _assigns_code(node: ast.stmt) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code"


def test_every_error_of_the_service_has_words() -> None:
    given = {key.removeprefix("error.") for key in texts("en") if key.startswith("error.")}
    needed = {*codes(), *OTHER_CODES}
    assert {"NoSuchKey", "Crop::AreaOutOfBounds", "HeavyFunction", "gallery_full"} <= needed
    assert needed - given == set(), "add them as error.CODE to each file of demo-ui/messages"
    assert given - needed == set(), "remove them from the files of demo-ui/messages"
    reasons = {key.removeprefix("reason.") for key in texts("en") if key.startswith("reason.")}
    assert reasons - needed == set(), "no error has this code"


class Fallbacks(HTMLParser):
    """The texts of a page, each with the key beside it."""

    VOID = ("input", "img", "meta", "link", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.found: list[tuple[str | None, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for data, attribute in PLACES.items():
            if attribute and given.get(attribute):
                self.found.append((given.get(f"data-{data}"), str(given[attribute])))
        if tag not in self.VOID:
            self.open.append((tag, given.get("data-text")))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if any(tag in ("code", "noscript", "use") for tag, _ in self.open):
            return
        if data.strip(" \n…") and self.open:
            self.found.append((self.open[-1][1], data))


@pytest.mark.parametrize("path", [path for path in pages() if path.name not in ENGLISH], ids=lambda path: path.name)
def test_each_text_of_a_page_has_its_key_and_is_the_english_one(path: Path) -> None:
    parser = Fallbacks()
    markup = re.sub(
        r"^<!-- part: (?:title|description|skip|heading|name|home|script|class|skip-to) -->\n.*\n",
        "",
        pages()[path],
        flags=re.MULTILINE,
    )
    parser.feed(re.sub(r"\{\{[\w-]+\}\}", "", markup))
    wrong = [
        (key, text)
        for key, text in parser.found
        if (key is None or texts("en").get(key) != text)
        and text not in UNTRANSLATED
        and not (key or "").startswith(".")
    ]
    assert wrong == []


UNTRANSLATED = {"OpenAPI", "photos/", "Colour scheme: system", "100 %"}
"""Names and examples, and what a module sets at once."""


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_words_of_the_catalogue_are_translated(language: str) -> None:
    """Labels and helps of features and parameters, and the titles of the examples; without one the page is English."""
    catalogue = json.loads((FOLDER / "features.json").read_text(encoding="utf-8"))
    needed = {each["title"] for each in (*catalogue["examples"], *catalogue["recipes"])}
    for feature in catalogue["features"]:
        needed |= {label(feature["name"]), feature["help"]}
        needed |= {label(parameter["name"]) for parameter in feature["parameters"]}
        needed |= {parameter["help"] for parameter in feature["parameters"]}
    for parameter in catalogue["output"]:
        needed |= {label(parameter["name"]), parameter["help"]}
    given = words(language)["words"]
    assert needed - set(given) == set(), f"add them to demo-ui/messages/features/{language}.json"
    assert set(given) - needed == set(), f"remove them from demo-ui/messages/features/{language}.json"


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_of_a_language_has_no_english_text(language: str) -> None:
    """It differs from the English one in texts alone, and `python -m handler.reference --write` makes it."""
    english, other = (
        json.loads((FOLDER / name).read_text(encoding="utf-8"))
        for name in ("features.json", f"features.{language}.json")
    )
    given = words(language)["words"]
    assert dict(other["labels"]).items() >= {
        (each["name"], given[label(each["name"])]) for each in (*english["features"], *english["output"])
    }
    assert (dict(other["synonyms"]), other["untranslated"]) == (words(language)["synonyms"], [])
    for part in english:
        assert other[part] == (
            english[part] if part in ("languages", "outputRules") else translated(english[part], given)
        )


def translated(part: Any, given: dict[str, str]) -> Any:
    if isinstance(part, list):
        return [translated(each, given) for each in part]
    if isinstance(part, dict):
        return {
            name: given[each] if name in ("help", "title") else translated(each, given) for name, each in part.items()
        }
    return part


def label(name: str) -> str:
    """Return the English label of a name, as js/catalogue.js does."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", lambda found: f"{found[1]} {found[2].lower()}", name)
    return spaced[:1].upper() + spaced[1:]
