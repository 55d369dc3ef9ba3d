"""Find which parameters of a feature exclude or need each other, by trying them on the feature's own model.

The models check combinations in code. Trying two or three values at a time finds what that code refuses, so that the
rules are written nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

from imaging import Field, InvalidParameter, Params, check, fields

_TEXTS = {
    "length": ("10p",), "point": ("0.5,0.5",), "ratio": ("16:9",), "color": ("ff0000",), "gravity": ("no",),
    "backdrop": ("ff0000", "a/b.png"), "boxes": ("10p,10p,20p,30p",), "numbers": ("1,2,3",), "text": ("abc",),
    "names": ("faces", "abc"), "format-quality": ("webp:50",),
}  # fmt: skip


class Given(NamedTuple):
    """A parameter with one of its values, as text."""

    name: str
    value: str


class Rule(NamedTuple):
    """`name` is refused with all of `others`, or without one of them; an empty value stands for any."""

    name: str
    others: tuple[Given, ...]
    value: str = ""


class Rules(NamedTuple):
    """What excludes each other, and what needs another parameter."""

    excludes: tuple[Rule, ...]
    needs: tuple[Rule, ...]


@cache
def find_rules(model: type[Params], kind_of: Callable[[Field], str]) -> Rules:
    """Return the rules of a model. `kind_of` names the control of a field."""
    known = fields(model)
    samples = {name: _samples(field, kind_of(field)) for name, field in known.items()}
    base = _required(model, samples)
    tried = _Tried(model, base)
    optional = [Given(name, value) for name, values in samples.items() if name not in base for value in values]
    refused = [given for given in optional if tried.refuses(given)]
    allowed = [given for given in optional if given not in refused]
    # A number that is refused alone may only be too large for another number.
    accepted = {given.name for given in allowed}
    numbers = {name for name, field in known.items() if kind_of(field) in ("integer", "number")}
    refused = [given for given in refused if given.name not in numbers & accepted]
    needs = tuple(_needs(tried, refused, allowed))
    pairs = [rule for pair in combinations(allowed, 2) if pair[0].name != pair[1].name for rule in tried.rule(pair)]
    excluding = {frozenset((rule.name, rule.others[0].name)) for rule in pairs}
    first = list({given.name: given for given in reversed(allowed)}.values())
    triples = [
        rule
        for group in combinations(first, 3)
        if not any(frozenset((one.name, other.name)) in excluding for one, other in combinations(group, 2))
        for rule in tried.rule(group)
    ]
    whole = {name for name, field in known.items() if kind_of(field) not in ("choice", "position", "switch")}
    helped = list(_excluding_helped(tried, needs, allowed, whole))
    pairs += [rule for rule in helped if len(rule.others) == 1]
    triples += dict.fromkeys(rule for rule in helped if len(rule.others) > 1)
    values = {name: {given.value for given in (*allowed, *refused) if given.name == name} for name in samples}
    # Which numbers go together depends on their sizes, so a rule on one of the tried numbers tells nothing.
    general = [
        rule
        for rule in _generalised(pairs, values)
        if not any(each.value and each.name in numbers for each in (Given(rule.name, rule.value), *rule.others))
    ]
    return Rules((*general, *triples), tuple(_without_samples(needs, whole)))


class _Tried(NamedTuple):
    model: type[Params]
    base: Mapping[str, str]

    def error(self, *given: Given) -> InvalidParameter | None:
        try:
            check(self.model, {**self.base, **dict(given)}, text=True)
        except InvalidParameter as error:
            return error
        return None

    def refuses(self, *given: Given) -> bool:
        return self.error(*given) is not None

    def rule(self, given: Sequence[Given]) -> Iterator[Rule]:
        """Yield the rule by which the values are refused together, if they are."""
        error = self.error(*given)
        if error is None:
            return
        named = error.name.rpartition(".")[2]
        refused = next((each for each in given if each.name == named), given[-1])
        others = tuple(each if len(given) == 2 else Given(each.name, "") for each in given if each is not refused)
        yield Rule(refused.name, others, refused.value if len(given) == 2 else "")


def _samples(field: Field, kind: str) -> tuple[str, ...]:
    """Return values of a field that differ from its default."""
    if kind in ("choice", "position"):
        choices = field.choices or tuple(getattr(field.kinds[0], "choices", ()))
        return tuple(str(choice) for choice in choices if choice != field.default)
    if kind == "switch":
        return ("false",) if field.default is True else ("true",)
    if kind in ("integer", "number"):
        low = field.bounds.get("ge", field.bounds.get("gt", 0))
        high = field.bounds.get("le", field.bounds.get("lt", low + 100))
        low, high = field.usual or (low, min(high, low + 100))
        values = [low + (high - low) * share for share in (0.1, 0.5, 0.9)]
        rounded = [round(value) if kind == "integer" else round(value, 3) for value in values]
        return tuple(str(value) for value in dict.fromkeys(rounded) if value != field.default)
    return _TEXTS.get(kind, ())  # of a kind without samples, no rules are found


def _required(model: type[Params], samples: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return values of the parameters that the model cannot do without."""
    base: dict[str, str] = {}
    for name, values in samples.items():
        try:
            check(model, base, text=True)
        except InvalidParameter as error:
            if error.name.rpartition(".")[2] == name and error.got is None:
                base[name] = values[0]
    return base


def _generalised(rules: Sequence[Rule], values: Mapping[str, set[str]]) -> Iterator[Rule]:
    """Yield each rule once, without a value where every value of the parameter is refused."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for name, (excluded,), value in rules:
        found.setdefault((name, excluded.name), set()).add((value, excluded.value))
    for (name, other), pairs in found.items():
        own, others = {value for value, _ in pairs}, {value for _, value in pairs}
        if pairs == {(one, two) for one in values[name] for two in values[other]}:
            yield Rule(name, (Given(other, ""),))
        elif own == values[name] and len(pairs) == len(own) * len(others):
            yield from (Rule(name, (Given(other, value),)) for value in sorted(others))
        elif others == values[other] and len(pairs) == len(own) * len(others):
            yield from (Rule(name, (Given(other, ""),), value) for value in sorted(own))
        else:
            yield from (Rule(name, (Given(other, with_it),), value) for value, with_it in sorted(pairs))


def _needs(tried: _Tried, refused: Sequence[Given], allowed: Sequence[Given]) -> Iterator[Rule]:
    """Yield for each value that is refused alone the values of other parameters that it is accepted with."""
    for given in refused:
        helping = tuple(
            other for other in (*allowed, *refused) if other.name != given.name and not tried.refuses(given, other)
        )
        if helping:
            yield Rule(given.name, helping, given.value)


def _without_samples(needs: Sequence[Rule], whole: set[str]) -> Iterator[Rule]:
    """Yield each rule once, with "" in the place of values that only stand for any of a parameter."""
    found = [
        Rule(
            name,
            tuple(dict.fromkeys(Given(other.name, "" if other.name in whole else other.value) for other in helping)),
            "" if name in whole else value,
        )
        for name, helping, value in needs
    ]
    yield from dict.fromkeys(found)


def _excluding_helped(
    tried: _Tried, needs: Sequence[Rule], allowed: Sequence[Given], whole: set[str]
) -> Iterator[Rule]:
    """Yield what excludes a value that needs another parameter, such as focalX, which needs focalY."""
    for name, helping, value in needs:
        helper = helping[0]
        for other in allowed:
            is_another = other.name not in {name, helper.name} and other not in helping[1:]
            stands_alone = helper not in allowed or not tried.refuses(helper, other)
            if is_another and stands_alone and tried.refuses(Given(name, value), helper, other):
                yield Rule(name, (other,), value)
            elif (
                other in helping[1:]
                and {helper.name, other.name} <= whole
                and tried.refuses(Given(name, value), helper, other)
            ):
                yield Rule(name, (Given(helper.name, ""), Given(other.name, "")))


def describe_rules(rules: Rules) -> dict[str, Any]:
    """Return the rules for features.json: [parameter, value, [[other, value]…]], with "" for any value."""
    return {
        kind: [[rule.name, rule.value, [list(other) for other in rule.others]] for rule in found]
        for kind, found in (("excludes", rules.excludes), ("needs", rules.needs))
        if found
    }
