"""Generate docs/configuration.md, which lists every environment variable that is read."""

from __future__ import annotations

from datetime import datetime

from handler.config import SETTINGS, Setting

_BEGIN = """<!-- Generated from the code: make reference -->
# Configuration

You configure the handler with environment variables. They are read once, when the process starts; if several values are
wrong, all of them are reported together. Where AWS's own image handler has the same setting, it has the same name.

A list is separated by commas. `Yes` and `No` switch something on or off. An empty default means that the setting is off
or not needed, unless the description says something else. [README.md](../README.md#configuration) lists the URLs that
`name=URL` can have.

| Variable | Default | Description |
| --- | --- | --- |
"""


def configuration_page() -> str:
    """Return the whole page in Markdown."""
    return _BEGIN + "".join(map(_row, SETTINGS.values()))


def _row(setting: Setting) -> str:
    default = _spelled(setting.default)
    about = setting.help.replace("|", "\\|")
    return f"| `{setting.variable}` | {f'`{default}`' if default else ''} | {about} |\n"


def _spelled(default: object) -> str:
    """Return the default as it would be written in the environment."""
    if isinstance(default, datetime):  # the time at which this code was installed
        return ""
    if default is None:
        return ""
    if isinstance(default, bool):
        return "Yes" if default else "No"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
