"""Which files `image-handler transform` reads, and where it writes their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from handler.cli.image_files import walk_images
from imaging import FORMATS, MEDIA_TYPES

SUFFIXES = {MEDIA_TYPES[each.name]: f".{each.extensions[0]}" for each in FORMATS} | {"application/json": ".json"}


class Job(NamedTuple):
    """A file to read, and the path of its result without the suffix, which depends on the result's format."""

    source: Path
    target: Path

    def has_newer_result(self) -> bool:
        """Return whether there is a result that was written after the file was changed."""
        changed = self.source.stat().st_mtime
        results = (self.target.with_name(self.target.name + suffix) for suffix in set(SUFFIXES.values()))
        return any(result.exists() and result.stat().st_mtime >= changed for result in results)


def plan_jobs(sources: Sequence[Path], out: Path) -> list[Job]:
    """Return a job for each file, and for each image in folders, whose structure is kept below `out`.

    Raises UsageError for a file that is not there, for a result that would stand beside its original, and for two
    files with one result.
    """
    for source in sources:
        if not source.exists():
            raise click.UsageError(f"{source} must be a file or a folder with images")
    inside = out.resolve()
    # Results of an earlier run are no originals.
    found = {
        file: below for file, below in walk_images(sources) if file in sources or inside not in file.resolve().parents
    }
    for file, below in found.items():
        if file.resolve().parent == (out / below).parent.resolve():
            raise click.UsageError(f"--out must be another folder than that of {file}")
    # Files that differ in their suffix alone keep it.
    stems = Counter(_stem(below) for below in found.values())
    jobs = [
        Job(file, out / (below.with_suffix("") if stems[_stem(below)] == 1 else below)) for file, below in found.items()
    ]
    clashing = [str(target) for target, count in Counter(job.target for job in jobs).items() if count > 1]
    if clashing:
        raise click.UsageError(f"two files would be written as {clashing[0]}")
    return jobs


def _stem(below: Path) -> str:
    return str(below.with_suffix("")).lower()
