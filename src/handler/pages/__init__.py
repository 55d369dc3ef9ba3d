"""The server's HTML pages: the demo page with its examples, and the API reference."""

from handler.pages.demo import FOLDER, HOME, POLICY, TYPES, demo
from handler.pages.examples import EXAMPLES, RECIPES, Example
from handler.pages.html import ICON, STYLE, style
from handler.pages.reference import reference

__all__ = [
    "EXAMPLES",
    "FOLDER",
    "HOME",
    "ICON",
    "POLICY",
    "RECIPES",
    "STYLE",
    "TYPES",
    "Example",
    "demo",
    "reference",
    "style",
]
