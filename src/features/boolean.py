"""Combine the bits of each pixel with those of another image, aligned at the top left."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import Context, ObjectRef
from imaging.cost import each_pixel
from imaging.ops.overlay import load_overlay
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Boolean(Params):
    """Combine the bits of each pixel with those of another image, aligned at the top left."""

    operator: Annotated[Literal["and", "or", "eor"], Meta(description="Bitwise operator; eor: exclusive or")]
    key: Annotated[
        str, Meta(min_length=1, max_length=1024, description="Key of the other image", extra=hint(main=True))
    ]
    bucket: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                description="Source that the other image is read from. Default: the first source",
            ),
        ]
        | None
    ) = None

    @property
    def ref(self) -> ObjectRef:
        """The object that holds the other picture."""
        return ObjectRef(self.bucket or "", self.key)


@feature(
    Boolean,
    group="overlay",
    cost=each_pixel(0.003),
    overlay_size=lambda _requested, _room, full: full,
    objects=lambda requested: (requested.ref,),
)
def boolean(picture: Picture, requested: Boolean, context: Context) -> Picture:
    other = load_overlay(requested.ref, "boolean", context, lambda full: full)
    # The other image is extended with zeros to the size of this one.
    other = other.gravity("north-west", picture.width, picture.height)
    image = picture.image
    if max(image.bands, other.bands) > 2:
        image, other = (each if each.bands > 2 else each.colourspace("srgb") for each in (image, other))
    if image.hasalpha() or other.hasalpha():
        image, other = (each if each.hasalpha() else each.addalpha() for each in (image, other))
    same_bands = picture.with_image(image)
    return same_bands.each_frame(
        lambda frame: frame.boolean(other.cast(frame.format, shift=True), requested.operator).copy(
            interpretation=image.interpretation
        )
    )
