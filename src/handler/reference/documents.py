"""The generated files, which are committed, by their path in the repository."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from handler.config import SETTINGS
from handler.reference.client_types import client_types
from handler.reference.client_vectors import client_vectors
from handler.reference.configuration_page import configuration_page
from handler.reference.controls import controls
from handler.reference.features_page import features_page
from handler.reference.interface import openapi
from handler.reference.translations import list_languages, translated_controls


def _in_json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _in_lines(content: Mapping[str, Sequence[object]]) -> str:
    """Return JSON with one line per element, which is compact and still gives readable diffs."""
    lists = (
        f'"{name}": [\n' + ",\n".join(json.dumps(one, ensure_ascii=False) for one in each) + "\n]"
        for name, each in content.items()
    )
    return "{\n" + ",\n".join(lists) + "\n}\n"


def _write_translated(language: str) -> str:
    return _in_lines(translated_controls(language))


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/features.md": features_page,
    "docs/configuration.md": configuration_page,
    "docs/openapi.json": lambda: _in_json(openapi()),
    "demo-ui/features.json": lambda: _in_lines(controls()),
    **{f"demo-ui/features.{language}.json": partial(_write_translated, language) for language in list_languages()},
    "clients/vectors.json": lambda: _in_lines(client_vectors()),
    "clients/javascript/src/parameters.ts": client_types,
    # The Helm chart refuses a setting that is not in this list.
    "deploy/chart/settings.txt": lambda: "".join(
        f"{name}\n" for name in sorted(each.variable for each in SETTINGS.values())
    ),
}
