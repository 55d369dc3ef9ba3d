"""Finds the images among files and folders that a command is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from handler.uploads.ingest.keys import DEFAULT_TYPE, guess_type


def walk_images(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield each file and its name; of folders, the images that are not hidden, with their path below the folder."""
    for path in paths:
        if not path.is_dir():
            yield path, Path(path.name)
            continue
        for file in sorted(path.rglob("*")):
            below = file.relative_to(path)
            is_hidden = any(part.startswith(".") for part in below.parts)
            # A link may lead to a file outside the folder, which the user has not named.
            if file.is_file() and not file.is_symlink() and not is_hidden and guess_type(file.name) != DEFAULT_TYPE:
                yield file, below
