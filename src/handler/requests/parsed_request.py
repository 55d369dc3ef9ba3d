"""The result of parsing a URL in any dialect: the image, the steps and output options, and response headers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from features import in_order
from imaging import InvalidParameter, ObjectRef, Output, Step, check, describe, suggest

KEY_PREFIX = "/_key/"
"""What follows it is a key, whatever it looks like."""
CANVAS_PATH, CANVAS_SOURCE = "/_canvas", "_canvas"
"""The path of a plain canvas, whose query states its size and colour, and the source that it comes from."""
CANVAS_PARAMETERS = ("width", "height", "color")
"""Query parameters that concern the canvas under CANVAS_PATH, and a feature under any other path."""


class Insert(msgspec.Struct, frozen=True):
    """A preset that `steps` names between its edits."""

    at: int
    """The number of the step before which its steps are applied."""
    preset: str
    where: str
    """The name of the parameter, for messages."""


class Recipe(msgspec.Struct, frozen=True):
    """Steps in order and output options: of a preset, of `ALWAYS` or of a URL."""

    steps: tuple[Step, ...] = ()
    output: Output = msgspec.field(default_factory=Output)
    off: frozenset[str] = frozenset()
    """Features that it switches off in the recipe that it is put on top of."""
    inserts: tuple[Insert, ...] = ()
    """Presets to apply between the steps, in the order of the steps."""

    @property
    def items(self) -> list[Step | Insert]:
        """The steps and the presets between them, in their order."""
        items: list[Step | Insert] = list(self.steps)
        for insert in reversed(self.inserts):
            items.insert(insert.at, insert)
        return items

    def over(self, base: Recipe) -> Recipe:
        """Return this recipe on top of another: its features replace those of `base`, its output options win.

        The result is in the catalogue's order if both recipes are. If one of them has an order of its own, as Thumbor
        filters do, that order is kept and the steps of this recipe come last.
        """
        replaced = {step.feature.name for step in self.steps} | self.off
        # Switching a feature off also removes the step that it had implied.
        replaced |= {
            step.implied[0] for step in base.steps if step.implied is not None and step.feature.name in self.off
        }
        output = _merge(self.output, base.output)
        if self.inserts or base.inserts:
            remaining = [item for item in base.items if isinstance(item, Insert) or item.feature.name not in replaced]
            return _join([*remaining, *self.items], output, self.off)
        kept = tuple(step for step in base.steps if step.feature.name not in replaced)
        steps = kept + self.steps
        if _has_catalogue_order(kept) and _has_catalogue_order(self.steps):
            steps = in_order(steps)
        return Recipe(steps, output, self.off)

    def then(self, last: Recipe) -> Recipe:
        """Return this recipe followed by `last`, whose steps run after these but before a report, and whose output
        options win.
        """
        at = next((location for location, step in enumerate(self.steps) if step.is_report), len(self.steps))
        return msgspec.structs.replace(
            self, steps=self.steps[:at] + last.steps + self.steps[at:], output=_merge(last.output, self.output)
        )

    def with_presets(self, presets: Mapping[str, Recipe]) -> Recipe:
        """Return the recipe with its presets in their places. Raise InvalidParameter."""
        steps: list[Step] = []
        output = Output()
        for item in self.items:
            if not isinstance(item, Insert):
                steps.append(item)
                continue
            if item.preset not in presets:
                named = (", ".join(presets) or "those in PRESETS, which is empty") + suggest(item.preset, presets)
                raise InvalidParameter(item.where, f"one of {named}", item.preset)
            steps += presets[item.preset].steps
            output = _merge(presets[item.preset].output, output)
        return Recipe(tuple(steps), _merge(self.output, output), self.off)


class ParsedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a URL itself requests, before presets, defaults and policy apply; every dialect returns one."""

    ref: ObjectRef = ObjectRef("", "")
    """Bucket and key of the original; an empty bucket stands for the default source."""
    recipe: Recipe = msgspec.field(default_factory=Recipe)
    webp: Output | None = None
    """The output options that replace those of the recipe if AUTO_WEBP is on and the client accepts WebP."""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Response headers that the URL sets."""
    controls: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Query parameters that control the request and apply in every dialect, such as `preset` and `expires`."""
    is_preset: bool = False
    """Whether the recipe comes from presets alone, although the path holds it."""
    hides_source: bool = False
    """Whether the URL holds the original's place encrypted, so that no error may tell it."""
    is_unreadable: bool = False
    """Whether that cannot be decrypted, or is in no source; `ref` is then a key that does not exist."""
    dialect: str = ""
    """The name of the dialect in which the path was parsed."""


def _join(items: list[Step | Insert], output: Output, off: frozenset[str]) -> Recipe:
    """Return the recipe of steps and of presets between them."""
    steps: list[Step] = []
    inserts = []
    for item in items:
        if isinstance(item, Insert):
            inserts.append(msgspec.structs.replace(item, at=len(steps)))
        else:
            steps.append(item)
    return Recipe(tuple(steps), output, off, tuple(inserts))


def _has_catalogue_order(steps: tuple[Step, ...]) -> bool:
    """Return whether the features are in the catalogue's order, and each that is no overlay occurs once."""
    single = [step.feature.name for step in steps if not step.feature.repeats]
    return in_order(steps) == steps and len(set(single)) == len(single)


def _merge(output: Output, base: Output) -> Output:
    """Return the options of `base` with those of `output` on top."""
    options = describe(output)
    return check(Output, {**describe(base), **options}) if options else base
