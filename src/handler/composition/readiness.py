"""Build the checks of `/_ready` from the parts of the application."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from handler.core.errors import Forbidden, NotFound, UpstreamError
from handler.entrypoints.health import Health
from handler.entrypoints.readiness import Check, Readiness
from handler.storage.sources import Sources, StoreLocation
from imaging import ObjectRef

if TYPE_CHECKING:
    from handler.records.store import Records

PROBE = "image-handler-ready"
"""Key and record that need not exist: that the store and the database tell so shows that they answer."""
_DENIED = "AccessDenied"
"""S3's code for a missing key if the role may not list the bucket. Wrong credentials have other codes."""


def build_readiness(health: Health, sources: Sources, records: Callable[[], Records] | None) -> Readiness:
    """Return the checks of drawing, of the first source in a store of its own, and of the database of records."""
    checks: dict[str, Check] = {"drawing": lambda: _check_drawing(health)}
    location = next((each for each in sources.locations if each.scheme != "https"), None)
    if location is not None:
        checks["source"] = lambda: _check_source(sources, location)
    if records is not None:
        checks["database"] = lambda: records().get(PROBE)
    return Readiness(checks)


def _check_drawing(health: Health) -> None:
    if health.page().status != HTTPStatus.OK:
        raise RuntimeError("this process cannot draw an image")


def _check_source(sources: Sources, location: StoreLocation) -> None:
    """Request a key of the source. Raise an error if the store is not there, does not answer or refuses the caller."""
    if location.scheme == "file" and not location.folder.is_dir():
        raise UpstreamError(f"the folder of source `{location.name}` is not there", detail=str(location.folder))
    try:
        sources.get(ObjectRef(location.name, PROBE))
    except NotFound as error:
        if "NoSuchBucket" in error.detail:
            raise
    except Forbidden as error:
        # Without the permission to list a bucket, S3 says of a missing key that access is denied.
        if _DENIED not in error.detail:
            raise
