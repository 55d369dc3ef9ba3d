"""`python -m handler.reference --write | --check`: write the generated files, or fail if one is out of date."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from handler.reference.documents import DOCUMENTS

ROOT = Path(__file__).parents[3]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Return the exit status: 0 if written or up to date, 1 if out of date, 2 for wrong arguments."""
    if list(arguments) == ["--write"]:
        write(root)
        return 0
    if list(arguments) == ["--check"]:
        stale = out_of_date(root)
        for name in stale:
            sys.stderr.write(f"{name} is out of date: run make reference\n")
        return 1 if stale else 0
    sys.stderr.write("usage: python -m handler.reference --write | --check\n")
    return 2


def write(root: Path) -> None:
    """Write every generated file below this folder."""
    for name, generate in DOCUMENTS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(generate(), encoding="utf-8")


def out_of_date(root: Path) -> list[str]:
    """Return the names of the files that are missing or differ from what would be generated now."""
    return [name for name, generate in DOCUMENTS.items() if _text(root / name) != generate()]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
