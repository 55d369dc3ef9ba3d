"""The request that every entrypoint and dialect arrives at: an original, steps and output options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from imaging import ObjectRef, Output, Step


class ImageRequest(msgspec.Struct, frozen=True):
    """An original, the steps to apply in this order, and how to encode the result."""

    source: ObjectRef | bytes
    """Where the original is stored, or its bytes if they were sent with the request."""
    steps: tuple[Step, ...] = ()
    output: Output = msgspec.field(default_factory=Output)
    negotiated: bool = False
    """Whether AUTO_WEBP has applied the `Accept` header to `output` already."""
    accepts: frozenset[str] = frozenset()
    """The negotiated formats that the client accepts; only `format=auto` looks at them."""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Response headers that the request sets; each dialect lists those that it may set."""
    expires: datetime | None = None
    """When the URL expires. The response must not be cached for longer, and its result must not be public."""
    hides_source: bool = False
    """Whether the URL holds the original's place encrypted, so that no error may tell it."""
    ignored: tuple[str, ...] = ()
    """Names of what was ignored or repaired in the URL; only COMPATIBILITY=lenient does that."""
    dialect: str = ""
    """The URL language, for the log alone: nothing may depend on it."""
    signed: bool = False
    """Whether a signature or the operator's token proves who asks. The result must then not be public."""
    overlays: Mapping[ObjectRef, ImageRequest] = msgspec.field(default_factory=dict)
    """What is rendered for each overlay that is named by an address."""
    restricted: bool = False
    """Whether no result of this service may be public, because every URL must be signed or because of `ALWAYS`."""

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps, and those of the overlays with edits of their own."""
        return self.steps + tuple(step for overlay in self.overlays.values() for step in overlay.all_steps)

    @property
    def stored_objects(self) -> list[ObjectRef]:
        """All objects that the request reads from stores, the original first; those of its overlays included."""
        own = [self.source] if isinstance(self.source, ObjectRef) else []
        own += [ref for ref in list_objects(self.steps) if not ref.is_address]
        return own + [ref for overlay in self.overlays.values() for ref in overlay.stored_objects]

    @property
    def is_private_by_request(self) -> bool:
        """Whether the result is private because this request is signed or expires, and not because of a setting."""
        return (self.signed or self.expires is not None) and not self.restricted


class Conditions(msgspec.Struct, frozen=True):
    """The conditional headers of a request: which version the client has already (RFC 9110, section 13.1)."""

    none_match: str = ""
    modified_since: datetime | None = None


def list_objects(steps: Sequence[Step]) -> list[ObjectRef]:
    """Return the objects that steps read beside the original, such as watermarks; no bucket means the first source."""
    return [ref for step in steps if step.feature.objects for ref in step.feature.objects(step.params)]
