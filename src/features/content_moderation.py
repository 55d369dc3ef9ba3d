"""Hide, refuse or report what moderation finds."""

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
"""Across the longer side of a pixelated original: nothing is to be recognised."""
_USUAL_SIDE = 500
"""Pixels of the longer side up to which a sigma is meant as it stands; in a larger original it grows with it."""


class ContentModeration(Params):
    """Hide, refuse or report pictures in which Rekognition finds what shall not be shown.

    The original and each overlay are judged once, as they are stored (an animation or a document by up to five frames
    or pages spread over it, a posted picture by its bytes); the verdict holds for every variation, and crops or
    composites are not judged again. Hiding comes before any other edit, on the original and on each overlay, and its
    strength goes by their size: cutting out or enlarging brings nothing back.

    In `ALWAYS` it watches over everything that leaves: unedited originals, reports, presets, uploads, overlays and the
    fallback picture. While Rekognition is down nothing leaves (503), unless `MODERATION_FAIL=open` lets pictures pass,
    which then nobody may keep.
    """

    min_confidence: Annotated[
        float, Meta(ge=0, le=100, description="How sure Rekognition must be", extra=hint(unit="%"))
    ] = 75.0
    labels: Annotated[
        Names | None,
        Meta(
            description="Labels that count, or labels above them at any level, in Rekognition's words; nothing: all",
            extra=hint(aliases=("moderationLabels",)),
        ),
    ] = None
    action: Annotated[
        Literal["blur", "pixelate", "reject", "report"],
        Meta(
            description="What becomes of such a picture: blur, pixelate; reject answers 403 with the labels' names; "
            "report answers every picture with its labels in JSON",
            extra=hint(main=True),
        ),
    ] = "blur"
    blur: Annotated[
        float,
        Meta(
            ge=0.3,
            le=1000,
            description="Sigma of the Gaussian that action blur uses, in pixels of the original; in one of more than "
            f"{_USUAL_SIDE} pixels a side as many times larger",
            extra=hint(unit="px", usual=(1, 100)),
        ),
    ] = 50.0


def decide(requested: ContentModeration, context: Context) -> Decision:
    """Rejected, a report, or whether there is something to hide."""
    seen = context.vision.labels()
    found = [label for label in seen or () if _counts(label, requested)]
    etag_parts = ("unjudged",) if seen is None else tuple(f"{label.name} {label.confidence:.1f}" for label in found)
    if requested.action == "report":
        return Decision((), etag_parts, _report(found, requested, is_judged=seen is not None), seen is not None)
    if found and requested.action == "reject":
        names = ", ".join(dict.fromkeys(label.name for label in found))
        raise Rejected(f"the picture is kept back by moderation: {names}", code="ContentModeration::Rejected")
    steps = (Step(content_moderation, requested),) if found else ()
    return Decision(steps, etag_parts, is_cacheable=seen is not None)


@feature(
    ContentModeration,
    group="effect",
    cost=each_pixel(0.03, 4),
    reads="neighbours",
    billed=True,
    decide=decide,
    redacts_all_inputs=True,
    scale_free=True,
    report=lambda requested: requested.action == "report",
)
def content_moderation(picture: Picture, requested: ContentModeration, context: Context) -> Picture | Report:
    decision = decide(requested, context)
    if decision.report is not None:
        return decision.report
    if not decision.steps:
        return picture
    # The decoder may have reduced the picture already, by as much as the sigma is then less.
    sigma = requested.blur * max(1.0, max(picture.full) / _USUAL_SIDE) * picture.width / picture.full[0]
    hide = _squares if requested.action == "pixelate" else partial(gaussian_blur, sigma=sigma)
    return picture.materialized().each_frame(lambda frame: premultiplied(frame, hide))


def _counts(label: Label, requested: ContentModeration) -> bool:
    """Whether a label is sure enough and among those that were named, itself or one above it."""
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
