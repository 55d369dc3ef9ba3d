"""The server's own pages, for people: a start page with examples, and the reference of the interface."""

from handler.pages.examples import EXAMPLES, Example
from handler.pages.html import ICON, STYLE, icon, style
from handler.pages.reference import reference
from handler.pages.start import start

__all__ = ["EXAMPLES", "ICON", "STYLE", "Example", "icon", "reference", "start", "style"]
