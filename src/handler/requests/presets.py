"""Presets and `ALWAYS`: what the operator says a picture shall be, joined with what a URL says."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from features import edits, in_order
from handler.errors import BadRequest
from handler.requests.dialects import query
from handler.requests.dialects.json_edits import edits as json_edits
from imaging import InvalidParameter, Output, Step, check, describe


class Recipe(msgspec.Struct, frozen=True):
    """Steps in order and output options: a preset, `ALWAYS`, or what a URL says beside them."""

    steps: tuple[Step, ...] = ()
    output: Output = msgspec.field(default_factory=Output)
    off: frozenset[str] = frozenset()
    """Features that it switches off, whatever it is put on top of."""

    @classmethod
    def read(cls, params: object, where: str = "") -> Recipe:
        """A recipe in JSON edits (an object) or in query parameters (text). Raises InvalidParameter."""
        if isinstance(params, str):
            from handler.auth.canonical import split_query  # noqa: PLC0415 - most presets are JSON

            try:
                words = query.read(split_query(params))
            except BadRequest:
                raise InvalidParameter(where, "query parameters as a URL has them, each once", params) from None
            for name in words.controls:
                if name != "feature":
                    raise InvalidParameter(f"{where}.{name}", "left out: it steers a request", words.controls[name])
            return cls.of_words(words, where)
        meaning = json_edits.read(params, where)
        return cls(meaning.steps, meaning.output)

    @classmethod
    def of_words(cls, words: query.ParsedQuery, where: str = "") -> Recipe:
        """What query parameters say; a feature that they name and leave out (`flip=0`) is off. InvalidParameter."""
        steps = edits(words.edits, text=True, where=where)
        off = words.edits.keys() - {step.feature.name for step in steps}
        return cls(steps, check(Output, words.output, where=where, text=True), frozenset(off))

    def over(self, base: Recipe) -> Recipe:
        """This recipe on top of another: its features replace theirs, its output options win.

        Where one of them has an order of its own (Thumbor's filters), that is kept, and this one's steps come last.
        """
        gone = {step.feature.name for step in self.steps} | self.off
        gone |= {
            step.feature.implies(step.params)[0]
            for step in base.steps
            if step.feature.implies is not None and step.feature.name in self.off
        }
        kept = tuple(step for step in base.steps if step.feature.name not in gone)
        steps = in_order(kept + self.steps) if _in_order(kept) and _in_order(self.steps) else kept + self.steps
        return Recipe(steps, _over(self.output, base.output), self.off)

    def then(self, last: Recipe) -> Recipe:
        """This recipe and then `last`: its steps run after these, but before a report; its output wins."""
        at = next((location for location, step in enumerate(self.steps) if step.is_report), len(self.steps))
        return msgspec.structs.replace(
            self, steps=self.steps[:at] + last.steps + self.steps[at:], output=_over(last.output, self.output)
        )


def _in_order(steps: tuple[Step, ...]) -> bool:
    """Whether no feature stands there twice, or elsewhere than in the catalogue."""
    return in_order(steps) == steps and len({step.feature.name for step in steps}) == len(steps)


def _over(output: Output, base: Output) -> Output:
    """The options of one output on top of another's."""
    params = describe(output)
    return check(Output, {**describe(base), **params}) if params else base


def read_presets(params: object) -> dict[str, Recipe]:
    """`PRESETS` as parsed: name → recipe. Raises InvalidParameter or ValueError."""
    if not isinstance(params, Mapping):
        raise ValueError("PRESETS must be a JSON object: name → edits or query parameters")
    return {str(name): Recipe.read(recipe, f"PRESETS.{name}") for name, recipe in params.items()}
