"""Hide, refuse or report what moderation finds."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from features._alpha import premultiplied
from features._cost import each_pixel
from features._errors import Rejected
from features._feature import Params, Step, feature, hint
from features._picture import Picture, Report
from features._ports import Context
from features._softening import blurred, coarse
from features._types import Names
from features._verdict import Verdict
from features._vision import Label

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


@feature(
    ContentModeration,
    group="effect",
    cost=each_pixel(0.03, 4),
    reads="neighbours",
    billed=True,
    decide=decide,
    hides=True,
    scale_free=True,
    report=lambda wanted: wanted.action == "report",
)
def content_moderation(picture: Picture, wanted: ContentModeration, context: Context) -> Picture | Report:
    verdict = decide(wanted, context)
    if verdict.report is not None:
        return verdict.report
    if not verdict.steps:
        return picture
    # The decoder may have reduced the picture already, by as much as the sigma is then less.
    sigma = wanted.blur * max(1.0, max(picture.full) / _USUAL_SIDE) * picture.width / picture.full[0]
    hide = _squares if wanted.action == "pixelate" else partial(blurred, sigma=sigma)
    return picture.materialized().each_frame(lambda frame: premultiplied(frame, hide))


def _counts(label: Label, wanted: ContentModeration) -> bool:
    """Whether a label is sure enough and among those that were named, itself or one above it."""
    names = {name.casefold() for name in (label.name, *label.above)}
    named = {name.casefold() for name in wanted.labels or ()}
    return label.confidence >= wanted.min_confidence and (not named or not names.isdisjoint(named))


def _squares(image: pyvips.Image) -> pyvips.Image:
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
