"""What declares a feature: a parameters model, a function, and a few facts about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar, cast, dataclass_transform

import msgspec

from features._cost import Cost, Reads, Shape, Size
from features._picture import Picture, Report
from features._ports import Context, ObjectRef
from features._verdict import Verdict

Group = Literal["geometry", "colour", "effect", "overlay", "report"]
ParamsT = TypeVar("ParamsT", bound="Params")


# For type checkers: what derives from it is as frozen as it is.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """Base of every parameters model: fields are snake_case here and camelCase in URLs and JSON.

    The first line of a model's docstring is the feature's help text. Each field has an `Annotated[type, Meta(…)]` with
    a description; `extra=hint(…)` adds what JSON schema has no word for. Bounds stand on the number itself:
    `Annotated[int, Meta(ge=1)] | None`.
    """

    def check(self) -> None:
        """Refuse fields that do not go together; InvalidParameter with the field's dotted public name."""


def hint(
    *,
    main: bool = False,
    aliases: tuple[str, ...] = (),
    unit: str = "",
    synonyms: dict[str, str] | None = None,
    usual: tuple[float, float] | None = None,
) -> dict[str, object]:
    """`extra` of a field: `main` is what `blur=3` sets; `aliases` are other names, `synonyms` other values.

    A synonym of the empty text is a word for nothing. `usual` is the range of a slider where the bounds are far wider.
    """
    return {"main": main, "aliases": aliases, "unit": unit, "synonyms": synonyms or {}, "usual": usual}


Apply = Callable[[Picture, ParamsT, Context], Picture | Report]
Costs = Callable[[ParamsT, Shape], Cost]


class Feature(msgspec.Struct, frozen=True):
    """One thing that can be done to a picture."""

    name: str
    params: type[Params]
    apply: Callable[[Picture, Params, Context], Picture | Report]
    group: Group
    cost: Callable[[Params, Shape], Cost]
    """What the step takes for a picture of that shape; the budgets are checked by it before anything is decoded."""
    heavy: bool = False
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
    shrink: Callable[[Params, tuple[int, int]], float] | None = None
    """By how much the step reduces a picture of that width and height, so that the decoder can shrink on load.

    Below 1 it enlarges; only a drawing (SVG) minds that.
    """
    scale_free: bool = False
    """Whether the step gives the same picture before and after a reduction, so that a later one may shrink on load."""
    bears: Callable[[Params, tuple[int, int]], float] | None = None
    """By how much a picture of that width and height may be reduced before a step that is almost free of scale."""
    idle: Callable[[Params], bool] | None = None
    """Whether these parameters ask for nothing: a picture of which nothing else is asked stays as it is."""
    objects: Callable[[Params], tuple[ObjectRef, ...]] | None = None
    """The objects that these parameters name, to be fetched before the run."""
    decide: Callable[[Params, Context], Verdict] | None = None
    """Asked before anything is decoded: may refuse, or answer in place of a picture."""
    hides: bool = False
    """Done to every picture that goes in, overlays too, before anything else: what it hides cannot be brought back."""
    report: Callable[[Params], bool] | None = None
    """Whether these parameters make a report of it; a feature of group "report" never gives anything else."""
    follow: Callable[[Params], tuple[str, dict[str, object]]] | None = None
    """Another feature, with its parameters, that is wanted with this one where nothing is said of it."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """What else it is called."""
        from features._catalogue import aliases  # noqa: PLC0415 - the catalogue imports this module

        return aliases(self.name)

    @property
    def help(self) -> str:
        """What the feature does, in a line."""
        return (self.params.__doc__ or "").strip().splitlines()[0]

    def __reduce__(self) -> tuple[Callable[[str], Feature], tuple[str]]:
        """A feature travels to another process by its name."""
        from features._catalogue import by_name  # noqa: PLC0415 - the catalogue imports this module

        return by_name, (self.name,)


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
        return int(self.feature.shrink is not None)

    @property
    def is_report(self) -> bool:
        """Whether it says something of the picture instead of giving another one."""
        asked = self.feature.report
        return self.feature.group == "report" or (asked is not None and asked(self.params))

    @property
    def is_idle(self) -> bool:
        """Whether it leaves every picture as it is."""
        return self.feature.idle is not None and self.feature.idle(self.params)


def feature(  # noqa: PLR0913 - all that there is to say of a feature
    params: type[ParamsT],
    *,
    group: Group,
    cost: Costs[ParamsT],
    name: str = "",
    heavy: bool = False,
    billed: bool = False,
    reads: Callable[[ParamsT], Reads] | Reads = "pixels",
    size: Callable[[ParamsT, Size, Size], Size] | None = None,
    adds_alpha: bool = False,
    overlay_size: Callable[[ParamsT, Size, Size], Size] | None = None,
    shrink: Callable[[ParamsT, tuple[int, int]], float] | None = None,
    scale_free: bool = False,
    bears: Callable[[ParamsT, tuple[int, int]], float] | None = None,
    idle: Callable[[ParamsT], bool] | None = None,
    objects: Callable[[ParamsT], tuple[ObjectRef, ...]] | None = None,
    decide: Callable[[ParamsT, Context], Verdict] | None = None,
    hides: bool = False,
    report: Callable[[ParamsT], bool] | None = None,
    follow: Callable[[ParamsT], tuple[str, dict[str, object]]] | None = None,
) -> Callable[[Apply[ParamsT]], Feature]:
    """Declare a feature; its public name is the model's name in camelCase unless another is given."""
    public = name or params.__name__[0].lower() + params.__name__[1:]

    def declare(apply: Apply[ParamsT]) -> Feature:
        # A feature knows its own parameters; whatever holds features does not.
        return Feature(
            name=public, params=params, apply=cast("Any", apply), group=group, cost=cast("Any", cost), heavy=heavy,
            billed=billed, reads=cast("Any", reads), size=cast("Any", size), adds_alpha=adds_alpha,
            overlay_size=cast("Any", overlay_size), shrink=cast("Any", shrink), scale_free=scale_free,
            bears=cast("Any", bears), idle=cast("Any", idle), objects=cast("Any", objects),
            decide=cast("Any", decide), hides=hides, report=cast("Any", report), follow=cast("Any", follow),
        )  # fmt: skip

    return declare
