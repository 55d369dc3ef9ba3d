"""The version of the code that draws: part of every ETag, so that a release never answers 304 for an old picture."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import features


@cache
def drawing_version() -> str:
    """A digest of the sources of `features`, 16 hex digits."""
    digest = hashlib.sha256()
    for source in sorted(Path(features.__path__[0]).rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
