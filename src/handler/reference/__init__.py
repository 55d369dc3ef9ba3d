"""What derives from the catalogue, the output and the settings: pages for people, documents for programs.

`python -m handler.reference --write` renews the committed files, `--check` fails when one of them is out of date.
"""

from handler.reference.documents import DOCUMENTS
from handler.reference.interface import openapi

__all__ = ["DOCUMENTS", "openapi"]
