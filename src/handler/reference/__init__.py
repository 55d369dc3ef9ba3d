"""Generate the reference documents from the catalogue, the output options and the settings.

`python -m handler.reference --write` writes the committed files; `--check` fails if one of them is out of date.
"""

from handler.reference.api_page import api_page
from handler.reference.documents import DOCUMENTS
from handler.reference.interface import openapi

__all__ = ["DOCUMENTS", "api_page", "openapi"]
