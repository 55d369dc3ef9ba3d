"""The demo page as static files in a bucket: the page itself, and the sample pictures as one more source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from handler.pages import FOLDER, TYPES
from handler.ports import ObjectAttributes, ObjectStore
from imaging import Deadline

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
SOURCE = "samples"
"""Under which name SOURCE_BUCKETS lists the sample pictures."""
_TYPES = {
    **TYPES,
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".md": "text/markdown; charset=utf-8",
}
_CACHE_CONTROL = "public, max-age=300"


class DemoSite(msgspec.Struct, frozen=True):
    """Under a prefix of a bucket, the samples in `samples/` below it."""

    store: ObjectStore
    prefix: str
    """With a slash at its end."""

    def fill(self, deadline: Deadline) -> int:
        """Write every file and delete all others; how many there are."""
        requested = dict(self._files())
        there = {info.ref.key: info.etag for info in self.store.list(self.prefix)}
        for key, body in requested.items():
            deadline.check()
            attributes = ObjectAttributes(_TYPES[Path(key).suffix], _CACHE_CONTROL)
            self.store.put(key, body, attributes, replaces=there.get(key))
        self.store.delete([key for key in there if key not in requested])
        return len(requested)

    def empty(self) -> None:
        """Delete whatever lies there."""
        self.store.delete([info.ref.key for info in self.store.list(self.prefix)])

    def _files(self) -> Iterator[tuple[str, bytes]]:
        for folder, below in ((FOLDER, ""), (SAMPLES, f"{SOURCE}/")):
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                key = f"{self.prefix}{below}{path.relative_to(folder).as_posix()}"
                yield key, _of_the_stack(path) if path.name == "samples.json" else path.read_bytes()


def _of_the_stack(path: Path) -> bytes:
    """The list of samples, which on a laptop are the default source."""
    return json.dumps(json.loads(path.read_bytes()) | {"bucket": SOURCE}).encode()
