"""Thumbor's own meaning of a path: its geometry, then its filters in the order in which they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from handler.requests.dialects.thumbor import effects, grammar
from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from handler.requests.dialects.thumbor.geometry import Box, Geometry
from handler.requests.dialects.thumbor.step_builder import StepBuilder
from imaging import InvalidParameter

_LONGEST_AGE = 31_536_000
_FORMATS = ("png", "jpeg", "jpg", "gif", "webp", "avif")
_DEEPEST = 10
"""Paths of Thumbor within paths of Thumbor, for `extract_focal`."""


def made_of(path: grammar.Path) -> StepBuilder:
    """The steps, output and headers that a path asks for. InvalidParameter."""
    asked = [(call.name, Arguments(call, _usage(call))) for call in path.filters]
    geometry = Geometry(path)
    for name, arguments in asked:
        if name in _BEFORE:
            _BEFORE[name].apply(geometry, path, arguments)
    builder = StepBuilder()
    # Enlarged at once, unless a filter before it works on the small picture.
    first = next((name for name, _ in asked if name == "upscale" or name in effects.EFFECTS), "")
    geometry.is_upscaled = first == "upscale"
    geometry.put(builder)
    for name, arguments in asked:
        if name in _OUTPUT:
            _OUTPUT[name].apply(builder, arguments)
        elif name in effects.EFFECTS and not (name == "upscale" and geometry.is_upscaled):
            effects.EFFECTS[name].apply(builder, path, arguments)
    if path.meta:
        builder.add("meta", "info")
    return builder


class _Early(NamedTuple):
    """A filter that changes what the geometry does."""

    usage: Usage
    apply: Callable[[Geometry, grammar.Path, Arguments], None]


class _Late(NamedTuple):
    """A filter that says how the picture is written."""

    usage: Usage
    apply: Callable[[StepBuilder, Arguments], None]


def _usage(call: grammar.FilterCall) -> Usage:
    for table in (_BEFORE, _OUTPUT, effects.EFFECTS):
        if call.name in table:
            usage: Usage = table[call.name].usage
            return usage
    known = ", ".join(sorted((*_BEFORE, *_OUTPUT, *effects.EFFECTS)))
    raise InvalidParameter("filters", f"some of {known}", call.name)


def _focal(geometry: Geometry, path: grammar.Path, arguments: Arguments) -> None:  # noqa: ARG001 - one shape for all
    parts = grammar.AREA.fullmatch(arguments.text(0))
    if parts is None:
        arguments.refuse()
    box = Box(*map(int, parts.groups()))
    if box.left >= box.right or box.top >= box.bottom:
        arguments.refuse("an area that is not empty")
    geometry.focal.append(box)


def _extract_focal(geometry: Geometry, path: grammar.Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    """The crop of a path of Thumbor within this one is what matters, and its picture the original."""
    image = path.image
    for _ in range(_DEEPEST):
        inner = grammar.within(image)
        if inner is None:
            return
        crop, image = inner.crop, inner.image
        if crop and not crop.shares:
            geometry.focal.append(Box(int(crop.left), int(crop.top), int(crop.right), int(crop.bottom)))
            path.image = image
            return


def _stretch(geometry: Geometry, path: grammar.Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    geometry.is_stretched = True


def _no_upscale(geometry: Geometry, path: grammar.Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    geometry.may_enlarge = False


_BEFORE: Mapping[str, _Early] = {
    "focal": _Early(Usage(1, 1, "focal(LEFTxTOP:RIGHTxBOTTOM)"), _focal),
    "extract_focal": _Early(Usage(0, 0, "extract_focal()"), _extract_focal),
    "stretch": _Early(Usage(0, 0, "stretch()"), _stretch),
    "no_upscale": _Early(Usage(0, 0, "no_upscale()"), _no_upscale),
}


def _autojpg(builder: StepBuilder, arguments: Arguments) -> None:
    builder.write(arguments.where, autoJpeg=arguments.switch(0, default=True))


def _cover(builder: StepBuilder, arguments: Arguments) -> None:
    builder.write(arguments.where, animated=False)


def _format(builder: StepBuilder, arguments: Arguments) -> None:
    builder.write(arguments.where, format=arguments.one_of(0, _FORMATS))


def _max_age(builder: StepBuilder, arguments: Arguments) -> None:
    builder.headers["Cache-Control"] = f"public, max-age={arguments.whole(0, least=0, most=_LONGEST_AGE)}"


def _max_bytes(builder: StepBuilder, arguments: Arguments) -> None:
    builder.write(arguments.where, maxBytes=arguments.whole(0))


def _quality(builder: StepBuilder, arguments: Arguments) -> None:
    builder.write(arguments.where, quality=arguments.whole(0))


def _strip(builder: StepBuilder, arguments: Arguments) -> None:
    builder.write(arguments.where, metadata="strip")


_OUTPUT: Mapping[str, _Late] = {
    "autojpg": _Late(Usage(0, 1, "autojpg([true])"), _autojpg),
    "cover": _Late(Usage(0, 0, "cover()"), _cover),
    "format": _Late(Usage(1, 1, "format(FORMAT)"), _format),
    "max_age": _Late(Usage(1, 1, "max_age(SECONDS)"), _max_age),
    "max_bytes": _Late(Usage(1, 1, "max_bytes(BYTES)"), _max_bytes),
    "quality": _Late(Usage(1, 1, "quality(1 to 100)"), _quality),
    "strip_exif": _Late(Usage(0, 0, "strip_exif()"), _strip),
    "strip_icc": _Late(Usage(0, 0, "strip_icc()"), _strip),
}
