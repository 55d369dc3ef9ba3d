"""The demo page as static files in a bucket: the page itself, and the sample images as another source."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from handler.core.ports import ObjectAttributes, ObjectStore
from handler.pages import DEMO, TYPES, Site, list_files, read_page
from imaging import Deadline

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
SOURCE = "samples"
"""Name of the sample images in SOURCE_BUCKETS."""
_TYPES = {
    **TYPES,
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".md": "text/markdown; charset=utf-8",
}
_CACHE_CONTROL = "public, max-age=300"


class DemoSite(msgspec.Struct, frozen=True):
    """The demo page under a prefix of a bucket, with the samples in `samples/` below it, or the gallery."""

    store: ObjectStore
    prefix: str
    """Ends with a slash."""
    site: Site = DEMO
    served: Collection[str] = ()
    """The addresses of the service's other pages, to which the headers link."""

    def fill(self, deadline: Deadline) -> int:
        """Write every file and delete all others. Return the number of files."""
        contents = dict(self._files())
        stored = {info.ref.key: info.etag for info in self.store.list(self.prefix)}
        for key, body in contents.items():
            deadline.check()
            attributes = ObjectAttributes(_TYPES[Path(key).suffix], _CACHE_CONTROL)
            self.store.put(key, body, attributes, replaces=stored.get(key))
        self.store.delete([key for key in stored if key not in contents])
        return len(contents)

    def clear(self) -> int:
        """Delete every file, and return how many files there are then."""
        self.store.delete([info.ref.key for info in self.store.list(self.prefix)])
        return 0

    def _files(self) -> Iterator[tuple[str, bytes]]:
        for name, path in list_files(self.site).items():
            is_samples = name == "samples.json"
            body = _read_samples(path) if is_samples else read_page(path, linked=self.site.link(name, self.served))
            yield self.prefix + name, body
        if self.site == DEMO:
            for path in sorted(path for path in SAMPLES.rglob("*") if path.is_file()):
                yield f"{self.prefix}{SOURCE}/{path.relative_to(SAMPLES).as_posix()}", path.read_bytes()


def _read_samples(path: Path) -> bytes:
    """Return samples.json with the samples' source; on a local server they are the default source."""
    return json.dumps(json.loads(path.read_bytes()) | {"bucket": SOURCE}).encode()
