"""docs/configuration.md: every variable of the environment that is read."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from handler.settings import Setting, Settings

_BEGIN = """<!-- Generated from the code: make reference -->
# Configuration

Everything is a variable of the environment, read once when the process starts; all faults are told together. Names are
those of AWS's own image handler where it has one.

| Variable | Default | What it is |
| --- | --- | --- |
"""


def configuration_page() -> str:
    """The whole page in Markdown."""
    declared = ((field, field.metadata.get("setting")) for field in fields(Settings))
    return _BEGIN + "".join(_row(field, setting) for field, setting in declared if setting)


def _row(field: Field[Any], setting: Setting) -> str:
    default = _written(field.default)
    about = setting.help.replace("|", "\\|")
    return f"| `{setting.variable}` | {f'`{default}`' if default else ''} | {about} |\n"


def _written(default: object) -> str:
    """As it would stand in the environment."""
    if default is MISSING or default is None:
        return ""
    if isinstance(default, bool):
        return "Yes" if default else "No"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
