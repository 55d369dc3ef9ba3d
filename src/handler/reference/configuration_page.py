"""Generate docs/configuration.md, which lists every environment variable that is read."""

from __future__ import annotations

from datetime import datetime

from handler.config import SETTINGS, Setting

_BEGIN = """<!-- Generated from the code: make reference -->
# Configuration

You configure the handler with environment variables. They are read once, when the process starts; if several values are
wrong, all of them are reported together. Where AWS's own image handler has the same setting, it has the same name.

A list is separated by commas. `Yes` and `No` switch something on or off. An empty default means that the setting is off
or not needed, unless the description says something else.

`SOURCE_BUCKETS` is a list of S3 bucket names or `name=URL`. A URL is one of `file:///srv/pictures`,
`s3://bucket/prefix?endpoint=https://minio.example`, `gs://bucket`, `az://container` and `https://host/prefix`. The
first source is the default. No request reaches anything that is not listed.

```sh
SOURCE_BUCKETS='photos,archive=s3://old-photos?region=us-west-2'
PRESETS='{"thumb": "width=200&height=200&format=auto", "hero": {"resize": {"width": 1600}, "toFormat": "webp"}}'
ALWAYS='{"overlayWith": {"key": "logo.png", "alpha": 40, "wRatio": 15, "options": {"gravity": "southeast"}}}'
```

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
