"""The parameters of `removeBackground`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import ObjectRef
from imaging.errors import InvalidParameter
from imaging.ops.background import BackgroundBucket, check_background, list_background
from imaging.params.color import Backdrop
from imaging.params.model import Params, hint


class RemoveBackground(Params):
    """Remove the background: it becomes transparent, or a colour or an image of your choice.

    In formats without an alpha channel, the background is the given colour, or white. The model runs once for all
    variants of an original, whose mask is kept. Names and defaults are rembg's, where it has them.
    """

    model: (
        Annotated[
            Literal[
                "u2net", "u2net-int8", "u2netp", "u2net_human_seg", "u2net_cloth_seg", "u2net_custom", "silueta",
                "isnet-general-use", "isnet-anime", "dis_custom", "ben_custom", "sam", "birefnet-general",
                "birefnet-general-lite", "birefnet-general-fp16", "birefnet-portrait", "birefnet-dis", "birefnet-hrsod",
                "birefnet-cod", "birefnet-massive", "bria-rmbg",
            ],
            Meta(
                description="Model that finds the subject. Default: u2net, or u2net-int8 where the processor "
                "multiplies bytes, which is 1.5 times as fast, unless the operator chooses. All others need weights "
                "that you install; those but u2netp run untested in rembg. bria-rmbg is for non-commercial use only",
                extra=hint(main=True),
            ),
        ]
        | None
    ) = None  # fmt: skip
    mask_only: Annotated[
        bool,
        Meta(
            description="Return the mask instead of the cut-out: white where the subject is, black elsewhere",
            extra=hint(aliases=("onlyMask",)),
        ),
    ] = False
    background: Annotated[
        Backdrop | None,
        Meta(
            description="What to show behind the subject: a colour, or the key of an image. A key contains a dot "
            "or a slash; the image is scaled and cropped to cover the result, and is the same for "
            "every frame",
            extra=hint(aliases=("bgcolor",)),
        ),
    ] = None
    background_bucket: BackgroundBucket | None = None
    decontaminate: Annotated[
        bool,
        Meta(
            description="Remove the old background's colour from semi-transparent edges, which avoids halos around hair"
        ),
    ] = True
    post_process: Annotated[
        bool,
        Meta(description="Smooth the mask and make its edges hard", extra=hint(aliases=("postProcessMask",))),
    ] = False
    alpha_matting: Annotated[
        bool,
        Meta(description="Refine the edges by alpha matting on at most 1 megapixel; takes several seconds"),
    ] = False
    alpha_matting_foreground_threshold: Annotated[
        int, Meta(ge=1, le=255, description="Pixels with a mask level above this certainly belong to the subject")
    ] = 240
    alpha_matting_background_threshold: Annotated[
        int, Meta(ge=0, le=254, description="Pixels with a mask level below this certainly belong to the background")
    ] = 10
    alpha_matting_erode_size: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="How much the certain areas are eroded before matting, on the image of at most 1 megapixel",
            extra=hint(unit="px"),
        ),
    ] = 10
    trim: Annotated[bool, Meta(description="Trim the transparent area around the subject")] = False

    def check(self) -> None:
        """Raise InvalidParameter for parameters that would have no effect, or for contradictory ones."""
        matting = (
            self.alpha_matting_foreground_threshold,
            self.alpha_matting_background_threshold,
            self.alpha_matting_erode_size,
        )
        if not self.alpha_matting and matting != (240, 10, 10):
            raise InvalidParameter("removeBackground.alphaMatting", "true if one of its thresholds is given", got=False)
        if matting[1] >= matting[0]:
            expected = f"below alphaMattingForegroundThreshold, {matting[0]}"
            raise InvalidParameter("removeBackground.alphaMattingBackgroundThreshold", expected, matting[1])
        if self.mask_only and self.background is not None:
            raise InvalidParameter("removeBackground.background", "left out with maskOnly", self.background)
        check_background("removeBackground", self.background, self.background_bucket)

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """The object that holds the background image, if there is one."""
        return list_background(self.background, self.background_bucket)
