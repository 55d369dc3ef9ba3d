"""The version of the code that renders images. It is part of every ETag, so that a release never confirms an old image.

`python -m handler.config.version` writes the version to a file beside that code for a container image, so that a cold
start reads one small file instead of every source file.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_SRC = Path(__file__).parents[2]
_SOURCES = (_SRC / "features", _SRC / "imaging")
_STAMP = _SRC / "imaging" / "VERSION"


@cache
def drawing_version() -> str:
    """Return a digest of the sources of `features` and `imaging`, 16 hex digits."""
    return _STAMP.read_text("ascii") if _STAMP.exists() else _digest()


def _digest() -> str:
    digest = hashlib.sha256()
    for source in sorted(path for folder in _SOURCES for path in folder.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    _STAMP.write_text(_digest(), "ascii")
