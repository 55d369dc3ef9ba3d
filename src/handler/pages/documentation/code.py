"""Colours code blocks: comments, strings, keywords and names of options, by one expression for each language."""

from __future__ import annotations

import re
from html import escape

_STRING = r"""(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_HASH = r"(?P<comment>(?:^|(?<=\s))#[^\n]*)"
_SLASHES = r"(?P<comment>(?:^|(?<=\s))//[^\n]*|/\*.*?\*/)"
_NUMBER = r"(?P<number>\b\d[\d_.]*\b)"
_WORDS = (
    "as async await class const def else export extends false for from function if import in let new none null return "
    "true try var while with"
)
_KEYWORD = rf"(?P<keyword>\b(?i:{'|'.join(_WORDS.split())})\b)"
_NAME = r"(?P<name>^[ \t-]*[\w./-]+(?=\s*[:=]))"
_LANGUAGES = {
    "sh": f"{_HASH}|{_STRING}|(?P<name>(?<=\\s)--?[a-z][\\w-]*)",
    "python": f"{_HASH}|{_STRING}|{_KEYWORD}|{_NUMBER}",
    "yaml": f"{_HASH}|{_NAME}|{_STRING}|{_NUMBER}",
    "ini": f"{_HASH}|{_NAME}|{_STRING}",
    "js": f"{_SLASHES}|{_STRING}|{_KEYWORD}|{_NUMBER}",
    "json": rf"""(?P<name>"[^"\n]*"(?=\s*:))|{_STRING}|{_NUMBER}|(?P<keyword>\b(?:true|false|null)\b)""",
    "html": r"(?P<comment><!--.*?-->)|(?P<keyword></?[\w-]+|/?>)|(?P<string>\"[^\"]*\")|(?P<name>\b[\w-]+(?==))",
    "hcl": f"{_HASH}|{_NAME}|{_STRING}|{_NUMBER}",
}
_ALSO = {
    "bash": "sh", "shell": "sh", "console": "sh", "dockerfile": "sh", "py": "python", "yml": "yaml", "toml": "ini",
    "javascript": "js", "ts": "js", "typescript": "js", "jsx": "js", "tsx": "js", "php": "js", "go": "js",
    "vue": "html", "svelte": "html", "astro": "html", "xml": "html", "jinja": "html", "terraform": "hcl",
}  # fmt: skip
_EXPRESSIONS = {name: re.compile(expression, re.MULTILINE | re.DOTALL) for name, expression in _LANGUAGES.items()}


def highlight(text: str, language: str) -> str:
    """Return code as HTML, with a class for each comment, string, keyword, number and name."""
    expression = _EXPRESSIONS.get(_ALSO.get(language.lower(), language.lower()))
    if expression is None:
        return escape(text)
    parts: list[str] = []
    end = 0
    for match in expression.finditer(text):
        parts += (escape(text[end : match.start()]), f'<span class="{match.lastgroup}">{escape(match[0])}</span>')
        end = match.end()
    return "".join((*parts, escape(text[end:])))
