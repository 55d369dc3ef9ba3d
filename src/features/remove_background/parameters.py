"""What can be asked of a cut-out."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import ObjectRef
from imaging.errors import InvalidParameter
from imaging.params.backdrop import Backdrop
from imaging.params.model import Params, hint


class RemoveBackground(Params):
    """Cut the subject out: what lies behind it becomes clear, or a background of your choice.

    Formats without an alpha channel get the background's colour, white if there is none. Names and defaults are
    rembg's, where it has them.
    """

    model: Annotated[
        Literal[
            "u2net", "u2net-int8", "u2netp", "u2net_human_seg", "u2net_cloth_seg", "u2net_custom", "silueta",
            "isnet-general-use", "isnet-anime", "dis_custom", "ben_custom", "sam", "birefnet-general",
            "birefnet-general-lite", "birefnet-general-fp16", "birefnet-portrait", "birefnet-dis", "birefnet-hrsod",
            "birefnet-cod", "birefnet-massive", "bria-rmbg",
        ],
        Meta(
            description="Who finds the subject; all but u2net need weights of their own. u2net-int8 is u2net in eight "
            "bits, half again as fast. Tested are u2net, u2net-int8 and u2netp; the others go through rembg's own "
            "sessions and were never run by this project, which had no weights of them. Each has a licence of its own: "
            "bria-rmbg is for non-commercial use only, unless you have an agreement with BRIA",
            extra=hint(main=True),
        ),
    ] = "u2net"  # fmt: skip
    mask_only: Annotated[
        bool, Meta(description="Answer the mask, white where the subject is", extra=hint(aliases=("onlyMask",)))
    ] = False
    background: Annotated[
        Backdrop | None,
        Meta(
            description="What lies behind the subject: a colour, or the key of a picture, which has a dot or a slash "
            "in it, is cut to fill and lies behind every frame",
            extra=hint(aliases=("bgcolor",)),
        ),
    ] = None
    background_bucket: (
        Annotated[
            str,
            Meta(min_length=1, max_length=255, description="Source bucket of that picture; nothing: the default one"),
        ]
        | None
    ) = None
    decontaminate: Annotated[
        bool, Meta(description="Take the old background's colour out of half-clear edges: no halo around hair")
    ] = True
    post_process: Annotated[
        bool,
        Meta(description="Smooth the mask and make its edges hard", extra=hint(aliases=("postProcessMask",))),
    ] = False
    alpha_matting: Annotated[
        bool,
        Meta(description="Finer edges from the picture itself, computed on one megapixel; takes seconds"),
    ] = False
    alpha_matting_foreground_threshold: Annotated[
        int, Meta(ge=1, le=255, description="Above this level the mask is surely subject")
    ] = 240
    alpha_matting_background_threshold: Annotated[
        int, Meta(ge=0, le=254, description="Below this level the mask is surely background")
    ] = 10
    alpha_matting_erode_size: Annotated[
        int,
        Meta(ge=0, le=100, description="How far from both the edge is open, on that megapixel", extra=hint(unit="px")),
    ] = 10
    trim: Annotated[bool, Meta(description="Cut off what is clear around the subject")] = False

    def check(self) -> None:
        """Refuse what would be ignored."""
        matting = (
            self.alpha_matting_foreground_threshold,
            self.alpha_matting_background_threshold,
            self.alpha_matting_erode_size,
        )
        if not self.alpha_matting and matting != (240, 10, 10):
            raise InvalidParameter("removeBackground.alphaMatting", "true where its thresholds are given", got=False)
        if matting[1] >= matting[0]:
            expected = f"below alphaMattingForegroundThreshold, {matting[0]}"
            raise InvalidParameter("removeBackground.alphaMattingBackgroundThreshold", expected, matting[1])
        if self.mask_only and self.background is not None:
            raise InvalidParameter("removeBackground.background", "left out with maskOnly", self.background)
        if self.background_bucket is not None and not self.refs:
            expected = "left out, or the background a key"
            raise InvalidParameter("removeBackground.backgroundBucket", expected, self.background_bucket)

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """The object that holds the backdrop, if one is asked for."""
        key = self.background.key if self.background is not None else ""
        return (ObjectRef(self.background_bucket or "", key),) if key else ()
