"""The server's HTML pages: the demo page with its examples, the gallery, and the documentation."""

from handler.pages.answer import TYPES, build_policy
from handler.pages.demo import DEMO, FOLDER, GALLERY, HOME, Site, demo, gallery, list_files
from handler.pages.examples import EXAMPLES, RECIPES, Example
from handler.pages.frame import read_page

__all__ = [
    "DEMO",
    "EXAMPLES",
    "FOLDER",
    "GALLERY",
    "HOME",
    "RECIPES",
    "TYPES",
    "Example",
    "Site",
    "build_policy",
    "demo",
    "gallery",
    "list_files",
    "read_page",
]
