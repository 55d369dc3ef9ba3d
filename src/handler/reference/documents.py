"""The files that are generated and committed, by their place in the repository."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from handler.reference.configuration_page import configuration_page
from handler.reference.controls import controls
from handler.reference.features_page import features_page
from handler.reference.interface import openapi


def _in_json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/features.md": features_page,
    "docs/configuration.md": configuration_page,
    "docs/openapi.json": lambda: _in_json(openapi()),
    "demo-ui/features.json": lambda: _in_json(controls()),
}
