"""The parameters of a background that is a colour or an image, which cut-outs have in common."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import ObjectRef
from imaging.errors import InvalidParameter
from imaging.params.color import Backdrop

BackgroundBucket = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="Source that the background image is read from. Default: the first source",
    ),
]


def list_background(background: Backdrop | None, bucket: str | None) -> tuple[ObjectRef, ...]:
    """Return the object that holds the background image, if there is one."""
    key = background.key if background is not None else ""
    return (ObjectRef(bucket or "", key),) if key else ()


def check_background(feature: str, background: Backdrop | None, bucket: str | None) -> None:
    """Raise InvalidParameter for a bucket without the key of an image."""
    if bucket is not None and not list_background(background, bucket):
        raise InvalidParameter(f"{feature}.backgroundBucket", "left out unless the background is a key", bucket)
