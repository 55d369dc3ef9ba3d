"""The parameters of `smartCropping`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.errors import InvalidParameter
from imaging.params.model import Params, hint
from imaging.params.types import Length, Names


class SmartCropping(Params):
    """Crop around the most important part, before any other edit: faces, objects or the salient region.

    With `width` and `height`, the crop has their aspect ratio, and the result has that size. If the original is
    large enough, the crop is at least as large as the result, so that nothing is enlarged. With only one of them,
    the crop keeps the aspect ratio of the region. With neither, the result is the region with its padding, in its
    own size, as in AWS's handler.

    The setting `VISION` chooses what detects faces: Rekognition, or a model on the machine. The salient region is
    found by U²-Net if its weights are installed, and otherwise by libvips from colours and edges. A subject that
    does not fit into the crop is cut where the least of it is lost, and rather at the bottom than at the top, where
    heads are. The original is analysed once for all of its variants.
    """

    subject: Annotated[
        Literal["auto", "faces", "objects", "salient"],
        Meta(
            description="What to crop around. auto: faces or, with Rekognition and without faces, objects. If "
            "nothing is found, the salient region is used",
            extra=hint(main=True),
        ),
    ] = "auto"
    width: (
        Annotated[int, Meta(ge=1, le=65_535, description="Width of the result", extra=hint(unit="px", usual=(1, 2000)))]
        | None
    ) = None
    height: (
        Annotated[
            int, Meta(ge=1, le=65_535, description="Height of the result", extra=hint(unit="px", usual=(1, 2000)))
        ]
        | None
    ) = None
    face_index: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=99,
                description="A single face, counted from 0: the largest first, or in Rekognition's order. Default: "
                "all faces together",
            ),
        ]
        | None
    ) = None
    padding: Annotated[
        Length | None,
        Meta(
            description="Space around the region, in pixels or in percent of its sides, as far as the image "
            "reaches. Default: 50 % if width and height are given, otherwise 0",
            extra=hint(unit="px or %"),
        ),
    ] = None

    labels: Annotated[
        Names | None,
        Meta(
            description="Objects to crop around, by the names that Rekognition has for them and for the classes above "
            "them, such as Car or Animal; with auto they come before faces. Default: the most prominent objects"
        ),
    ] = None
    zoom: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=100,
                description="How much of the crop the subject takes, on the side on which it takes more; replaces "
                "padding, and may enlarge the original",
                extra=hint(unit="%"),
            ),
        ]
        | None
    ) = None
    place_x: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=100,
                description="Where the subject stands in the crop, as far as the image reaches: 0 at the left edge, 50 "
                "in the middle, 100 at the right edge",
                extra=hint(unit="%"),
            ),
        ]
        | None
    ) = None
    place_y: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=100,
                description="The same vertically: 0 at the top, 100 at the bottom. Default: faces slightly above the "
                "middle",
                extra=hint(unit="%"),
            ),
        ]
        | None
    ) = None

    def check(self) -> None:
        """Raise InvalidParameter for what contradicts the subject, or for a negative padding."""
        if self.labels is not None and self.subject not in ("auto", "objects"):
            raise InvalidParameter("smartCropping.labels", f"left out with {self.subject}", self.labels)
        if self.zoom is not None and self.padding is not None:
            raise InvalidParameter("smartCropping.padding", "left out with zoom", self.padding)
        if self.face_index is not None and self.subject not in ("auto", "faces"):
            raise InvalidParameter("smartCropping.faceIndex", f"left out with {self.subject}", self.face_index)
        if self.padding and self.padding.value < 0:
            code = "SmartCrop::PaddingOutOfBounds"
            raise InvalidParameter("smartCropping.padding", "0 or more", self.padding, code=code)
