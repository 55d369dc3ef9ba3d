"""Hide, refuse or report what moderation finds."""

from __future__ import annotations

from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from features._alpha import premultiplied
from features._errors import Rejected
from features._feature import Params, Step, feature, hint
from features._picture import Picture, Report
from features._ports import Context
from features._softening import blurred, coarse
from features._types import Names
from features._verdict import Verdict
from features._vision import Label

_SQUARES = 16
"""Across the longer side of a pixelated picture: nothing is to be recognised."""


class ContentModeration(Params):
    """Hide, refuse or report pictures in which Rekognition finds what shall not be shown.

    The original and each overlay are judged once, as they are stored (an animation or a document by up to five frames
    or pages spread over it, a posted picture by its bytes); the verdict holds for every variation, and crops or
    composites are not judged again.

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
            description="Sigma of the Gaussian that action blur uses",
            extra=hint(unit="px", usual=(1, 100)),
        ),
    ] = 50.0


def decide(wanted: ContentModeration, context: Context) -> Verdict:
    """Rejected, a report, or whether there is something to hide."""
    seen = context.vision.labels()
    found = [label for label in seen or () if _counts(label, wanted)]
    says = ("unjudged",) if seen is None else tuple(f"{label.name} {label.confidence:.1f}" for label in found)
    if wanted.action == "report":
        return Verdict((), says, _report(found, wanted, is_judged=seen is not None), seen is not None)
    if found and wanted.action == "reject":
        names = ", ".join(dict.fromkeys(label.name for label in found))
        raise Rejected(f"the picture is kept back by moderation: {names}", code="ContentModeration::Rejected")
    steps = (Step(content_moderation, wanted),) if found else ()
    return Verdict(steps, says, is_certain=seen is not None)


# Where the picture has its final size, a sigma says how much can still be recognised.
@feature(ContentModeration, group="effect", billed=True, decide=decide, report=lambda wanted: wanted.action == "report")
def content_moderation(picture: Picture, wanted: ContentModeration, context: Context) -> Picture | Report:
    verdict = decide(wanted, context)
    if verdict.report is not None:
        return verdict.report
    if not verdict.steps:
        return picture
    return picture.materialized().each_frame(lambda frame: premultiplied(frame, lambda image: _hidden(image, wanted)))


def _counts(label: Label, wanted: ContentModeration) -> bool:
    """Whether a label is sure enough and among those that were named, itself or one above it."""
    names = {name.casefold() for name in (label.name, *label.above)}
    named = {name.casefold() for name in wanted.labels or ()}
    return label.confidence >= wanted.min_confidence and (not named or not names.isdisjoint(named))


def _hidden(image: pyvips.Image, wanted: ContentModeration) -> pyvips.Image:
    if wanted.action == "blur":
        return blurred(image, wanted.blur)
    return coarse(image, max(2, -(-max(image.width, image.height) // _SQUARES)))


def _report(found: list[Label], wanted: ContentModeration, *, is_judged: bool) -> Report:
    labels = [{"name": label.name, "confidence": label.confidence, "above": list(label.above)} for label in found]
    return Report(
        {
            "judged": is_judged,
            "flagged": bool(found),
            "minConfidence": wanted.min_confidence,
            "moderationLabels": labels,
        }
    )
