"""One run: stored bytes and steps in, finished bytes or a report out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from features._decode import decode, inspect
from features._encode import encode
from features._feature import Step
from features._output import MEDIA_TYPES, Output
from features._picture import Picture, Report, Source
from features._ports import Context


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished picture."""

    body: bytes
    media_type: str
    width: int
    height: int
    frames: int
    source: Source


def run(original: bytes, steps: Sequence[Step], output: Output, context: Context) -> Rendered | Report:
    """Apply the steps in their order; FeatureError for whatever does not work."""
    source = inspect(original, context.limits)
    picture = decode(original, source, output, context, shrink=_shrink(steps, source))
    for step in steps:
        context.deadline.check()
        outcome = step.feature.apply(picture, step.params, context)
        if isinstance(outcome, Report):
            return outcome
        picture = outcome
    return _rendered(picture, output, context)


def _rendered(picture: Picture, output: Output, context: Context) -> Rendered:
    encoded = encode(picture, output, context)
    return Rendered(
        body=encoded.body,
        media_type=MEDIA_TYPES[encoded.format],
        width=picture.width,
        height=picture.height,
        frames=encoded.frames,
        source=picture.source,
    )


def _shrink(steps: Sequence[Step], source: Source) -> float:
    """By how much the decoder may reduce: what the first step that reduces will, if nothing before it minds.

    Below 1 it is by how much an SVG may be drawn larger.
    """
    for step in steps:
        if step.feature.shrink is not None:
            shrink = step.feature.shrink(step.params, source.upright)
            return shrink if source.format == "svg" else max(1.0, shrink)
        if not step.feature.scale_free:
            break
    return 1.0
