"""How a feature is declared: with a model of its parameters, a function, and properties that the engine plans with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from imaging.context import Context, ObjectRef
from imaging.cost import Cost, Reads, Shape, Size
from imaging.params.model import Params, describe
from imaging.picture import ImageHeader, Picture, Report

Group = Literal["geometry", "colour", "effect", "overlay", "report"]
Redacts = Literal["original", "all"]
ParamsT = TypeVar("ParamsT", bound=Params)


Apply = Callable[[Picture, ParamsT, Context], Picture | Report]
Costs = Callable[[ParamsT, Shape], Cost]


class Decision(msgspec.Struct, frozen=True):
    """What one step, or all steps together, decide before the original is decoded."""

    steps: tuple[Step, ...] = ()
    """The steps that are left to apply."""
    etag_parts: tuple[str, ...] = ()
    """What the decision depends on, as parts of the result's ETag."""
    report: Report | None = None
    """A report to answer with instead of an image."""
    is_cacheable: bool = True
    """Whether the result may be stored; False where the next request may be answered differently."""


class Feature(msgspec.Struct, frozen=True):
    """One operation on an image, with its parameters, its cost and what the engine must know to plan a run."""

    name: str
    params: type[Params]
    apply: Callable[[Picture, Params, Context], Picture | Report]
    group: Group
    cost: Callable[[Params, Shape], Cost]
    """The step's cost for an image of a shape; the budgets are checked with it before the original is decoded."""
    expensive: Callable[[Params], bool] | bool = False
    """Whether it runs a model, which takes seconds of a processor and hundreds of megabytes."""
    billed: Callable[[Params], bool] | bool = False
    """Whether it calls a service that bills each call."""
    is_private: Callable[[Params], bool] | None = None
    """Return whether the report tells more of the file than an image does, which strangers must not learn."""
    reads: Callable[[Params], Reads] | Reads = "pixels"
    """Which pixels of its input the step reads to compute one pixel."""
    size: Callable[[Params, Size, Size], Size] | None = None
    """Return the width and height of the output, or an upper bound, from those of a frame and of the overlay.

    None means that the step keeps the size.
    """
    adds_alpha: bool = False
    """Whether the output has an alpha channel even where the input has none."""
    overlay_size: Callable[[Params, Size, Size], Size] | None = None
    """Return the width and height to which the overlay is decoded, from those of the image and of the overlay."""
    preshrink: Callable[[Params, Size], float | None] | None = None
    """Return the factor by which the step reduces an image of a width and height; None if it keeps the scale.

    The decoder shrinks on load by up to that factor. A factor below 1 enlarges; it matters only for SVG, which is then
    drawn larger.
    """
    scale_free: bool = False
    """Whether the step has the same result before and after a reduction.

    A later step's `preshrink` then still lets the decoder shrink on load.
    """
    any_color_space: Callable[[Params], bool] | bool = False
    """Whether the step moves or reduces pixels without regard to what their levels mean.

    The pixels of an original with an ICC profile are converted to sRGB before the first step that is not like that.
    """
    keeps_gain_map: Callable[[Params], bool] | bool = False
    """Whether an HDR image's gain map still fits the output: the step moves it with the pixels, or leaves both."""
    max_preshrink: Callable[[Params, Size], float] | None = None
    """Return the largest factor by which the decoder may reduce an image of a width and height ahead of this step.

    It is for steps whose result hardly changes up to that factor.
    """
    for_source: Callable[[Params, ImageHeader], Params] | None = None
    """Return the parameters for an original, where they depend on what its header says."""
    is_noop: Callable[[Params], bool] | None = None
    """Return whether the step changes nothing with these parameters, so that it is left out."""
    keeps: Callable[[Params, Size], bool] | None = None
    """Return whether the step leaves an image of a width and height as it is."""
    objects: Callable[[Params], tuple[ObjectRef, ...]] | None = None
    """Return the objects that the parameters name, which are fetched before the run."""
    decide: Callable[[Params, Context], Decision] | None = None
    """Decide before the original is decoded: refuse it with Rejected, or answer with a report instead of an image."""
    redacts: Callable[[Params], Redacts] | None = None
    """Return what the step is applied to before all other steps: the original, or every overlay as well.

    Nothing can bring back what it hides.
    """
    for_overlay: Callable[[Params], Params] | None = None
    """Return the parameters for an overlay, of a step that redacts every overlay as well."""
    report: Callable[[Params], bool] | None = None
    """Return whether these parameters make it answer with a report, as features of the group "report" always do."""
    implies: Callable[[Params], tuple[str, dict[str, object]] | None] | None = None
    """Return another feature, with its parameters, that is applied too unless the request names that feature itself."""

    @property
    def repeats(self) -> bool:
        """Whether a request may apply it several times, in the order of a list."""
        return self.group == "overlay"

    @property
    def help(self) -> str:
        """The first line of the model's docstring, which says what the feature does."""
        return (self.params.__doc__ or "").strip().splitlines()[0]

    def __reduce__(self) -> tuple[Callable[[str, str], Feature], tuple[str, str]]:
        """Pickle the feature by reference, as functions are: by its module and its name there."""
        return _import_feature, (self.apply.__module__, self.apply.__qualname__)


def _import_feature(module: str, name: str) -> Feature:
    feature: Feature = getattr(import_module(module), name)
    return feature


class Step(NamedTuple):
    """A feature with its parameters."""

    feature: Feature
    params: Params

    @property
    def reads(self) -> Reads:
        """Which pixels of its input the step reads to compute one pixel."""
        reads = self.feature.reads
        return reads(self.params) if callable(reads) else reads

    @property
    def reach(self) -> int:
        """The step's weight among those that read neighbours: 2, for a resize 1, and 0 for any other step."""
        if self.reads != "pixels":
            return 2
        return int(self.feature.preshrink is not None)

    @property
    def needs_srgb(self) -> bool:
        """Whether its input must be in sRGB."""
        taken = self.feature.any_color_space
        return not (taken(self.params) if callable(taken) else taken)

    @property
    def keeps_gain_map(self) -> bool:
        """Whether its output can have the gain map of an HDR image."""
        keeps = self.feature.keeps_gain_map
        return keeps(self.params) if callable(keeps) else keeps

    @property
    def is_report(self) -> bool:
        """Whether it answers with a report instead of an image."""
        report = self.feature.report
        return self.feature.group == "report" or (report is not None and report(self.params))

    def of_source(self, source: ImageHeader) -> Step:
        """Return the step with the parameters for an original."""
        adapt = self.feature.for_source
        return self if adapt is None else self._replace(params=adapt(self.params, source))

    def keeps(self, size: Size) -> bool:
        """Return whether it leaves an image of this width and height as it is."""
        return self.feature.keeps is not None and self.feature.keeps(self.params, size)

    @property
    def is_expensive(self) -> bool:
        """Whether it runs a model with these parameters."""
        expensive = self.feature.expensive
        return expensive(self.params) if callable(expensive) else expensive

    @property
    def is_billed(self) -> bool:
        """Whether it calls a service that bills each call."""
        billed = self.feature.billed
        return billed(self.params) if callable(billed) else billed

    @property
    def implied(self) -> tuple[str, dict[str, object]] | None:
        """Another feature that is applied too, with its parameters."""
        return None if self.feature.implies is None else self.feature.implies(self.params)

    @property
    def redacts(self) -> Redacts | None:
        """What it is applied to before all other steps, if it hides something."""
        return None if self.feature.redacts is None else self.feature.redacts(self.params)

    def of_overlay(self) -> Step:
        """Return the step with the parameters for an overlay."""
        adapt = self.feature.for_overlay
        return self if adapt is None else self._replace(params=adapt(self.params))

    @property
    def is_restricted(self) -> bool:
        """Whether only trusted callers may request it, unless the operator opens the feature to all."""
        return self.is_expensive or self.may_detect

    @property
    def may_detect(self) -> bool:
        """Whether it may ask for faces, objects or labels: a billed feature does, and one that reports private data."""
        is_private = self.feature.is_private
        return self.is_billed or (is_private is not None and is_private(self.params))

    @property
    def is_noop(self) -> bool:
        """Whether it changes nothing, whatever the image is."""
        return self.feature.is_noop is not None and self.feature.is_noop(self.params)


def describe_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return `[{"feature": name, …parameters}]`, in the order of application."""
    return [{"feature": step.feature.name, **describe(step.params)} for step in steps]


def preshrink_of(steps: Sequence[Step], source: ImageHeader) -> float:
    """Return the factor by which the decoder may reduce the original; below 1, by which an SVG is drawn larger.

    It is that of the first step that reduces, unless a step before it depends on the scale of the image.
    """
    largest = math.inf
    for step in steps:
        if step.feature.preshrink is not None:
            factor = step.feature.preshrink(step.params, source.upright)
            if factor is not None:
                return source.preshrink(min(largest, factor))
        if step.feature.max_preshrink is not None:
            largest = min(largest, step.feature.max_preshrink(step.params, source.upright))
        elif not step.feature.scale_free:
            break
    return 1.0


def decide_all(steps: Sequence[Step], context: Context) -> Decision:
    """Ask every step that decides, and combine the decisions. Raises Rejected before any report is returned."""
    decisions = [
        step.feature.decide(step.params, context) if step.feature.decide else Decision((step,)) for step in steps
    ]
    return Decision(
        steps=tuple(step for decision in decisions for step in decision.steps),
        etag_parts=tuple(part for decision in decisions for part in decision.etag_parts),
        report=next((decision.report for decision in decisions if decision.report is not None), None),
        is_cacheable=all(decision.is_cacheable for decision in decisions),
    )


def feature(  # noqa: PLR0913 - one parameter for each property of a feature
    params: type[ParamsT],
    *,
    group: Group,
    cost: Costs[ParamsT],
    name: str = "",
    expensive: Callable[[ParamsT], bool] | bool = False,
    billed: Callable[[ParamsT], bool] | bool = False,
    is_private: Callable[[ParamsT], bool] | None = None,
    reads: Callable[[ParamsT], Reads] | Reads = "pixels",
    size: Callable[[ParamsT, Size, Size], Size] | None = None,
    adds_alpha: bool = False,
    overlay_size: Callable[[ParamsT, Size, Size], Size] | None = None,
    preshrink: Callable[[ParamsT, Size], float | None] | None = None,
    scale_free: bool = False,
    any_color_space: Callable[[ParamsT], bool] | bool = False,
    keeps_gain_map: Callable[[ParamsT], bool] | bool = False,
    max_preshrink: Callable[[ParamsT, Size], float] | None = None,
    for_source: Callable[[ParamsT, ImageHeader], ParamsT] | None = None,
    is_noop: Callable[[ParamsT], bool] | None = None,
    keeps: Callable[[ParamsT, Size], bool] | None = None,
    objects: Callable[[ParamsT], tuple[ObjectRef, ...]] | None = None,
    decide: Callable[[ParamsT, Context], Decision] | None = None,
    redacts: Callable[[ParamsT], Redacts] | None = None,
    for_overlay: Callable[[ParamsT], ParamsT] | None = None,
    report: Callable[[ParamsT], bool] | None = None,
    implies: Callable[[ParamsT], tuple[str, dict[str, object]] | None] | None = None,
) -> Callable[[Apply[ParamsT]], Feature]:
    """Declare the decorated function as a feature with these fields of `Feature`; named like its model."""

    def declare(apply: Apply[ParamsT]) -> Feature:
        own: dict[str, Any] = {
            "name": name or params.__name__[0].lower() + params.__name__[1:], "apply": apply, "cost": cost,
            "expensive": expensive, "billed": billed, "is_private": is_private, "reads": reads, "size": size,
            "overlay_size": overlay_size, "preshrink": preshrink, "any_color_space": any_color_space,
            "keeps_gain_map": keeps_gain_map, "max_preshrink": max_preshrink, "for_source": for_source,
            "is_noop": is_noop, "keeps": keeps, "objects": objects, "decide": decide, "redacts": redacts,
            "for_overlay": for_overlay, "report": report, "implies": implies,
        }  # fmt: skip
        return Feature(params=params, group=group, adds_alpha=adds_alpha, scale_free=scale_free, **own)

    return declare
