"""docs/configuration.md: every variable of the environment that is read."""

from __future__ import annotations

from datetime import datetime

from handler.config import SETTINGS, Setting

_BEGIN = """<!-- Generated from the code: make reference -->
# Configuration

Everything is a variable of the environment, read once when the process starts; all faults are told together. Names are
those of AWS's own image handler where it has one.

| Variable | Default | What it is |
| --- | --- | --- |
"""


def configuration_page() -> str:
    """The whole page in Markdown."""
    return _BEGIN + "".join(map(_row, SETTINGS.values()))


def _row(setting: Setting) -> str:
    default = _written(setting.default)
    about = setting.help.replace("|", "\\|")
    return f"| `{setting.variable}` | {f'`{default}`' if default else ''} | {about} |\n"


def _written(default: object) -> str:
    """As it would stand in the environment."""
    if isinstance(default, datetime):  # when this code was installed
        return ""
    if isinstance(default, bool):
        return "Yes" if default else "No"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
