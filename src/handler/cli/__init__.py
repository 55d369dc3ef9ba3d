"""The command line, `image-handler`. Lambda never imports it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. The exit status is 2 for invalid input, and 1 if some of the work failed."""
    try:
        from handler.cli.commands import run  # noqa: PLC0415 - a missing package is reported here
    except ModuleNotFoundError as error:
        sys.exit(f"image-handler: {error.name} is missing: pip install '.[server]' in a checkout")
    sys.exit(run())
