"""What is wanted, however it was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from imaging import ObjectRef, Output, Step


class ImageRequest(msgspec.Struct, frozen=True):
    """An original, the steps to apply in this order, and how to write the result."""

    source: ObjectRef | bytes
    """Where the original lies, or the original itself when it came with the request."""
    steps: tuple[Step, ...] = ()
    output: Output = msgspec.field(default_factory=Output)
    negotiated: bool = False
    """Whether what the client accepts has had a say already."""
    accepts: frozenset[str] = frozenset()
    """The negotiated formats that the client accepts; only `format=auto` looks at them."""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Response headers that the request sets, of the short list that it may."""
    expires: datetime | None = None
    """When the address ends; the answer must not be cached beyond, nor lie in public."""
    signed: bool = False
    """Whether the caller is known by a signature, or as the operator: the answer must not lie in public."""
    restricted: bool = False
    """Whether nothing of this service may lie in public, because all must be signed, or for the sake of `ALWAYS`."""

    @property
    def own_terms(self) -> bool:
        """Whether the request, and not the service, is why its answer must not lie in public."""
        return (self.signed or self.expires is not None) and not self.restricted


class Conditions(msgspec.Struct, frozen=True):
    """What the client has already (RFC 9110, 13.1)."""

    none_match: str = ""
    modified_since: datetime | None = None


def named(steps: Sequence[Step]) -> list[ObjectRef]:
    """The further objects that steps name, as they name them: an empty bucket is the first source."""
    return [ref for step in steps if step.feature.objects for ref in step.feature.objects(step.params)]
