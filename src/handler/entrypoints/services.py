"""What is served under the service's own paths, which begin with `/_`, beside probes and stored results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from handler.response import Answer

if TYPE_CHECKING:
    from handler.entrypoints.gallery.entrypoint import GalleryEntrypoint
    from handler.entrypoints.operator.entrypoint import OperatorEntrypoint
    from handler.uploads.ingest.ingest import Ingest


class JsonEndpoint(msgspec.Struct, frozen=True):
    """A JSON answer to a query with exactly these parameters."""

    parameters: tuple[str, ...]
    answer: Callable[..., object]


class Services(msgspec.Struct, frozen=True):
    """What is served beside images, as far as it is switched on. Each part is built at its first request."""

    find_document: Callable[[str, bool], Callable[[], Answer] | None] = lambda *_: None
    """Finds a document that is open to all by its path, and by `has_demo` whether it links to the demo page."""
    has_demo: bool = False
    """Whether a server or the CDN serves the demo page at `/_demo/`."""
    json_endpoints: Callable[[bool], Mapping[str, JsonEndpoint]] | None = None
    """Returns the JSON answers under `/_api/` that are open to all; those for the operator (True) may tell more."""
    operator: Callable[[], OperatorEntrypoint] | None = None
    """Opens the operator API under `/_api/`."""
    ingest: Callable[[], Ingest] | None = None
    """Opens what takes signed uploads under `/_upload`; None if this service takes none."""
    gallery: Callable[[], GalleryEntrypoint] | None = None
    """Opens the gallery under `/_api/gallery/` and `/_gallery/`; None if this service has no gallery."""

    def document_at(self, path: str) -> Callable[[], Answer] | None:
        """Return what answers with the document of this path, None without one."""
        return self.find_document(path, self.has_demo)
