"""From a path of imagor to a request: the geometry first, then the filters in the order in which they are written."""

from __future__ import annotations

from handler.requests.dialects.dialect import STRICT, Faults
from handler.requests.dialects.imagor import canvas, effects, output, overlays, redactions
from handler.requests.dialects.imagor.collector import Filter, ImagorSteps
from handler.requests.dialects.imagor.geometry import USAGES, Geometry
from handler.requests.dialects.imagor.path import ImagorPath, parse_path
from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from handler.requests.dialects.thumbor.grammar import FilterCall
from handler.requests.parsed_request import ParsedRequest, Recipe
from imaging import InvalidParameter, ObjectRef, Output, check, suggest

FILTERS: dict[str, Filter] = {
    **canvas.FILTERS, **effects.FILTERS, **output.FILTERS, **overlays.FILTERS, **redactions.FILTERS
}  # fmt: skip
"""Every filter that is applied where it is written, by its name."""


def interpret_path(text: str, faults: Faults = STRICT, *, encoded: bool = False) -> ParsedRequest:
    """Parse what follows a signature or `unsafe`. Raise InvalidParameter or NotFound.

    `encoded` is that of `path.parse_path`.
    """
    path = parse_path(text, faults, encoded=encoded)
    steps = _build_steps(path, faults)
    return ParsedRequest(
        ref=ObjectRef("", path.image),
        recipe=Recipe(tuple(steps.steps), check(Output, steps.output, where="filters")),
        headers=steps.headers,
        controls=steps.controls,
    )


def _build_steps(path: ImagorPath, faults: Faults) -> ImagorSteps:
    # Every call is checked before any is applied, so that an unknown filter is named first.
    calls = []
    for call in path.filters:
        with faults.leave_out(f"filters:{call.name}"):
            calls.append((call.name, Arguments(call, _find_usage(call), faults, drops_extra=True)))
    geometry = Geometry(path, faults)
    for name, arguments in calls:
        if name in USAGES:
            with faults.leave_out(arguments.where):
                geometry.apply(name, arguments)
    steps = ImagorSteps(path)
    geometry.add_steps(steps)
    for name, arguments in calls:
        if name in redactions.FILTERS:
            # In lenient mode, too, an image is never sent with what the page means to hide.
            redactions.FILTERS[name].apply(steps, arguments)
        elif name in FILTERS:
            with faults.leave_out(arguments.where):
                FILTERS[name].apply(steps, arguments)
    if path.meta:
        steps.add("meta", "info")
    return steps


def _find_usage(call: FilterCall) -> Usage:
    if call.name in USAGES:
        return USAGES[call.name]
    if call.name in FILTERS:
        return FILTERS[call.name].usage
    known = sorted((*FILTERS, *USAGES))
    raise InvalidParameter("filters", f"some of {', '.join(known)}{suggest(call.name, known)}", call.name)
