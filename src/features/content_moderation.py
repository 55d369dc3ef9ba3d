"""Blur, pixelate, refuse or report images in which Amazon Rekognition finds inappropriate content."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.detection import Label
from imaging.errors import Rejected
from imaging.ops.alpha import premultiplied
from imaging.ops.softening import average_squares, gaussian_blur
from imaging.params.model import Params, hint
from imaging.params.types import Names
from imaging.picture import Picture, Report
from imaging.pipeline.feature import Decision, Step, feature

_SQUARES = 16
"""Number of squares along the longer side of a pixelated original: too few to recognise anything."""
_USUAL_SIDE = 500
"""Longer side in pixels up to which `blur` is used unchanged; for a larger original it grows in proportion."""


class ContentModeration(Params):
    """Blur, pixelate, refuse or report images in which Amazon Rekognition finds inappropriate content.

    Rekognition analyses the original and each overlay once, as they are stored or sent with the request. Of an
    animation or a document it analyses up to five frames or pages. The result holds for every variant; crops and
    composites are not analysed again. The original and each overlay are blurred or pixelated before any other edit,
    with a strength that depends on their size, so that cropping or enlarging cannot reveal anything.

    In `ALWAYS`, the feature applies to everything that is sent: unedited originals, reports, presets, uploads,
    overlays and the fallback image. While Rekognition is unavailable, requests are answered with 503. With
    `MODERATION_FAIL=open`, images are sent without moderation instead, and no cache may store them.
    """

    min_confidence: Annotated[
        float, Meta(ge=0, le=100, description="Minimum confidence of a label that counts", extra=hint(unit="%"))
    ] = 75.0
    labels: Annotated[
        Names | None,
        Meta(
            description="Labels that count, as Rekognition spells them; a parent label includes its child labels."
            " Default: all labels",
            extra=hint(aliases=("moderationLabels",)),
        ),
    ] = None
    action: Annotated[
        Literal["blur", "pixelate", "reject", "report"],
        Meta(
            description="blur: blur the image; pixelate: show it as coarse squares; reject: answer 403 with the "
            "names of the labels; report: answer the labels of every image as JSON",
            extra=hint(main=True),
        ),
    ] = "blur"
    blur: Annotated[
        float,
        Meta(
            ge=0.3,
            le=1000,
            description="Standard deviation of the Gaussian that action blur uses, in pixels of the original; it "
            f"grows in proportion to the longer side if that is more than {_USUAL_SIDE} pixels",
            extra=hint(unit="px", usual=(1, 100)),
        ),
    ] = 50.0


def decide(requested: ContentModeration, context: Context) -> Decision:
    """Decide what to do by the labels of the original and its overlays: hide the image, report, or nothing.

    Raises Rejected if the action is `reject` and a label counts.
    """
    seen = context.vision.labels()
    found = [label for label in seen or () if _counts(label, requested)]
    etag_parts = ("unjudged",) if seen is None else tuple(f"{label.name} {label.confidence:.1f}" for label in found)
    if requested.action == "report":
        return Decision((), etag_parts, _report(found, requested, is_judged=seen is not None), seen is not None)
    if found and requested.action == "reject":
        names = ", ".join(dict.fromkeys(label.name for label in found))
        raise Rejected(f"the image is rejected by moderation: {names}", code="ContentModeration::Rejected")
    steps = (Step(content_moderation, requested),) if found else ()
    return Decision(steps, etag_parts, is_cacheable=seen is not None)


@feature(
    ContentModeration,
    group="effect",
    cost=each_pixel(0.03, 4),
    reads="neighbours",
    billed=True,
    decide=decide,
    redacts=lambda _requested: "all",
    scale_free=True,
    report=lambda requested: requested.action == "report",
)
def content_moderation(picture: Picture, requested: ContentModeration, context: Context) -> Picture | Report:
    decision = decide(requested, context)
    if decision.report is not None:
        return decision.report
    if not decision.steps:
        return picture
    # If the decoder has already reduced the image, sigma is reduced by the same factor.
    sigma = requested.blur * max(1.0, max(picture.full) / _USUAL_SIDE) * picture.width / picture.full[0]
    hide = _squares if requested.action == "pixelate" else partial(gaussian_blur, sigma=sigma)
    return picture.materialized().each_frame(lambda frame: premultiplied(frame, hide))


def _counts(label: Label, requested: ContentModeration) -> bool:
    """Return whether a label has enough confidence and is listed, itself or by one of its parents."""
    names = {name.casefold() for name in (label.name, *label.above)}
    named = {name.casefold() for name in requested.labels or ()}
    return label.confidence >= requested.min_confidence and (not named or not names.isdisjoint(named))


def _squares(image: pyvips.Image) -> pyvips.Image:
    return average_squares(image, max(2, -(-max(image.width, image.height) // _SQUARES)))


def _report(found: list[Label], requested: ContentModeration, *, is_judged: bool) -> Report:
    labels = [{"name": label.name, "confidence": label.confidence, "above": list(label.above)} for label in found]
    return Report(
        {
            "judged": is_judged,
            "flagged": bool(found),
            "minConfidence": requested.min_confidence,
            "moderationLabels": labels,
        }
    )
