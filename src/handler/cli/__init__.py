"""The command line: `image-handler serve`, `sign`, `transform`, `features` and `doctor`. Lambda never imports it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; status 2 and one line for bad input, 1 where some of the work failed."""
    try:
        from handler.cli.commands import run  # noqa: PLC0415 - what it needs may be missing, which is told here
    except ModuleNotFoundError as error:
        sys.exit(f"image-handler: {error.name} is missing: pip install 'image-handler[server]'")
    sys.exit(run())
