"""Check the settings of private sources: nothing may lead to their objects without a signature."""

from __future__ import annotations

from collections.abc import Iterator

from handler.config import Settings
from handler.requests.image_request import list_objects
from handler.requests.policy import Policy
from handler.storage.sources import Sources
from handler.storage.sources.overlaps import overlap


def find_faults(settings: Settings, policy: Policy, sources: Sources) -> Iterator[str]:
    """Yield why private sources cannot be kept private with these settings."""
    private = settings.private_sources
    for one in (location for location in sources.locations if location.name in private):
        for other in (location for location in sources.locations if location.name not in private):
            if overlap(one, other):
                yield (
                    f"PRIVATE_SOURCES: the private source `{one.name}` must not overlap with `{other.name}`, through "
                    "which its objects could be read"
                )
    always = {sources.resolve(ref).bucket for ref in list_objects(policy.always.steps)}
    for name in sorted(always & private):
        yield f"ALWAYS must not name an image in a private source, got one in `{name}`"
