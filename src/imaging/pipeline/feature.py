"""What declares a feature: a parameters model, a function, and a few facts about it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, NamedTuple, TypeVar, cast

import msgspec

from imaging.context import Context, ObjectRef
from imaging.cost import Cost, Reads, Shape, Size
from imaging.params.model import Params
from imaging.picture import Picture, Report

Group = Literal["geometry", "colour", "effect", "overlay", "report"]
ParamsT = TypeVar("ParamsT", bound=Params)


Apply = Callable[[Picture, ParamsT, Context], Picture | Report]
Costs = Callable[[ParamsT, Shape], Cost]


class Decision(msgspec.Struct, frozen=True):
    """What one step, or all of them, decided."""

    steps: tuple[Step, ...] = ()
    """What is left to do."""
    etag_parts: tuple[str, ...] = ()
    """Why: part of what names the answer."""
    report: Report | None = None
    """An answer in place of a picture."""
    is_cacheable: bool = True
    """Otherwise the next request may be answered differently, and nobody may keep this answer."""


class Feature(msgspec.Struct, frozen=True):
    """One thing that can be done to a picture."""

    name: str
    params: type[Params]
    apply: Callable[[Picture, Params, Context], Picture | Report]
    group: Group
    cost: Callable[[Params, Shape], Cost]
    """What the step takes for a picture of that shape; the budgets are checked by it before anything is decoded."""
    expensive: bool = False
    """Runs a model: seconds of CPU and hundreds of megabytes."""
    billed: bool = False
    """Asks a service that bills each call."""
    reads: Callable[[Params], Reads] | Reads = "pixels"
    """What the step looks at for each of its pixels."""
    size: Callable[[Params, Size, Size], Size] | None = None
    """Width and height of the result, or at most that, by a frame's size and the overlay's; None: as before."""
    adds_alpha: bool = False
    """Whether the result has alpha, whether or not the picture had."""
    overlay_size: Callable[[Params, Size, Size], Size] | None = None
    """Width and height of the object that the step names, once it is decoded: by the picture's and by its own size."""
    preshrink: Callable[[Params, tuple[int, int]], float] | None = None
    """By how much the step reduces a picture of that width and height, so that the decoder can shrink on load.

    Below 1 it enlarges; only a drawing (SVG) minds that.
    """
    scale_free: bool = False
    """Whether the step gives the same picture before and after a reduction, so that a later one may shrink on load."""
    max_preshrink: Callable[[Params, tuple[int, int]], float] | None = None
    """By how much a picture of that width and height may be reduced before a step that is almost free of scale."""
    is_noop: Callable[[Params], bool] | None = None
    """Whether these parameters ask for nothing: a picture of which nothing else is asked stays as it is."""
    objects: Callable[[Params], tuple[ObjectRef, ...]] | None = None
    """The objects that these parameters name, to be fetched before the run."""
    decide: Callable[[Params, Context], Decision] | None = None
    """Asked before anything is decoded: may refuse, or answer in place of a picture."""
    redacts_all_inputs: bool = False
    """Done to every picture that goes in, overlays too, before anything else: what it hides cannot be brought back."""
    report: Callable[[Params], bool] | None = None
    """Whether these parameters make a report of it; a feature of group "report" never gives anything else."""
    implies: Callable[[Params], tuple[str, dict[str, object]]] | None = None
    """Another feature, with its parameters, that is wanted with this one where nothing is said of it."""

    @property
    def help(self) -> str:
        """What the feature does, in a line."""
        return (self.params.__doc__ or "").strip().splitlines()[0]

    def __reduce__(self) -> tuple[Callable[[str, str], Feature], tuple[str, str]]:
        """Pickle by reference, as functions are: the module that declares the feature and its name there."""
        return _declared, (self.apply.__module__, self.apply.__qualname__)


def _declared(module: str, name: str) -> Feature:
    feature: Feature = getattr(import_module(module), name)
    return feature


class Step(NamedTuple):
    """A feature with its parameters."""

    feature: Feature
    params: Params

    @property
    def reads(self) -> Reads:
        """What the step looks at for each of its pixels."""
        reads = self.feature.reads
        return reads(self.params) if callable(reads) else reads

    @property
    def reach(self) -> int:
        """Weight of the step among those that look at neighbours: a resize is the least of them."""
        if self.reads != "pixels":
            return 2
        return int(self.feature.preshrink is not None)

    @property
    def is_report(self) -> bool:
        """Whether it says something of the picture instead of giving another one."""
        asked = self.feature.report
        return self.feature.group == "report" or (asked is not None and asked(self.params))

    @property
    def is_noop(self) -> bool:
        """Whether it leaves every picture as it is."""
        return self.feature.is_noop is not None and self.feature.is_noop(self.params)


def feature(  # noqa: PLR0913 - all that there is to say of a feature
    params: type[ParamsT],
    *,
    group: Group,
    cost: Costs[ParamsT],
    name: str = "",
    expensive: bool = False,
    billed: bool = False,
    reads: Callable[[ParamsT], Reads] | Reads = "pixels",
    size: Callable[[ParamsT, Size, Size], Size] | None = None,
    adds_alpha: bool = False,
    overlay_size: Callable[[ParamsT, Size, Size], Size] | None = None,
    preshrink: Callable[[ParamsT, tuple[int, int]], float] | None = None,
    scale_free: bool = False,
    max_preshrink: Callable[[ParamsT, tuple[int, int]], float] | None = None,
    is_noop: Callable[[ParamsT], bool] | None = None,
    objects: Callable[[ParamsT], tuple[ObjectRef, ...]] | None = None,
    decide: Callable[[ParamsT, Context], Decision] | None = None,
    redacts_all_inputs: bool = False,
    report: Callable[[ParamsT], bool] | None = None,
    implies: Callable[[ParamsT], tuple[str, dict[str, object]]] | None = None,
) -> Callable[[Apply[ParamsT]], Feature]:
    """Declare a feature; its public name is the model's name in camelCase unless another is given."""
    public = name or params.__name__[0].lower() + params.__name__[1:]

    def declare(apply: Apply[ParamsT]) -> Feature:
        # A feature knows its own parameters; whatever holds features does not.
        return Feature(
            name=public, params=params, apply=cast("Any", apply), group=group, cost=cast("Any", cost),
            expensive=expensive, billed=billed, reads=cast("Any", reads), size=cast("Any", size), adds_alpha=adds_alpha,
            overlay_size=cast("Any", overlay_size), preshrink=cast("Any", preshrink), scale_free=scale_free,
            max_preshrink=cast("Any", max_preshrink), is_noop=cast("Any", is_noop), objects=cast("Any", objects),
            decide=cast("Any", decide), redacts_all_inputs=redacts_all_inputs,
            report=cast("Any", report), implies=cast("Any", implies),
        )  # fmt: skip

    return declare
