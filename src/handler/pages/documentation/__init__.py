"""The documentation as a site: Markdown files of the repository, rendered when they are requested."""

from handler.pages.documentation.files import HOME, find_image
from handler.pages.documentation.layout import Chapter, Entry, Layout, lay_out, list_links
from handler.pages.documentation.site import SITE_FILES, documentation, render_in_site

__all__ = [
    "HOME",
    "SITE_FILES",
    "Chapter",
    "Entry",
    "Layout",
    "documentation",
    "find_image",
    "lay_out",
    "list_links",
    "render_in_site",
]
