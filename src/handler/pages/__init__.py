"""The server's HTML pages: the demo page with its examples, the gallery, and the API reference."""

from handler.pages.demo import DEMO, FOLDER, GALLERY, HOME, TYPES, Site, build_policy, demo, gallery, list_files
from handler.pages.examples import EXAMPLES, RECIPES, Example
from handler.pages.frame import read_page
from handler.pages.html import ICON, STYLE, style
from handler.pages.reference import reference

__all__ = [
    "DEMO",
    "EXAMPLES",
    "FOLDER",
    "GALLERY",
    "HOME",
    "ICON",
    "RECIPES",
    "STYLE",
    "TYPES",
    "Example",
    "Site",
    "build_policy",
    "demo",
    "gallery",
    "list_files",
    "read_page",
    "reference",
    "style",
]
