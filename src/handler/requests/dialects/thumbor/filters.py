"""Thumbor's own interpretation of a path: the geometry first, then the filters in the order in which they are written.

Thumbor runs a filter in one of three phases. Filters of the phases before the transformation (`focal`, `stretch`,
`no_upscale`) change the geometry wherever they are written; all others run after it (thumbor/filters/__init__.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.thumbor import effects, grammar
from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from handler.requests.dialects.thumbor.geometry import Box, Geometry
from handler.requests.dialects.thumbor.step_builder import StepBuilder
from imaging import InvalidParameter, suggest

_MAX_AGE = 31_536_000
"""The longest `max_age` in seconds: one year, the most that CDNs honour."""
_MIN_BYTES, _MAX_BYTES = 200, 100_000_000
"""The range of the output option `maxBytes`."""
_FORMATS = ("png", "jpeg", "jpg", "gif", "webp", "avif")
_MAX_NESTED_PATHS = 10
"""How many Thumbor paths within one another `extract_focal` reads (`MAX_LEVEL` in thumbor's extract_focal.py)."""


def build_steps(path: grammar.ThumborPath, faults: Faults) -> StepBuilder:
    """Return the steps, output options and headers of a path. Raise InvalidParameter."""
    # Every call is checked before any is applied, so that an unknown filter is named first.
    calls = []
    for call in path.filters:
        with faults.leave_out(f"filters:{call.name}"):
            calls.append((call.name, Arguments(call, _find_usage(call), faults)))
    geometry = Geometry(path, faults)
    for name, arguments in calls:
        if name in GEOMETRY_FILTERS:
            with faults.leave_out(arguments.where):
                GEOMETRY_FILTERS[name].apply(geometry, arguments)
    builder = StepBuilder(path)
    # One resize enlarges the image at once if `upscale` is the first filter that changes pixels. After another such
    # filter it is a step of its own: Thumbor applies that filter to the image as it was before the enlargement.
    first = next((name for name, _ in calls if name in effects.EFFECTS), "")
    geometry.is_upscaled = first == "upscale"
    geometry.add_steps(builder)
    for name, arguments in calls:
        with faults.leave_out(arguments.where):
            if name in OUTPUT_FILTERS:
                OUTPUT_FILTERS[name].apply(builder, arguments)
            elif name in effects.EFFECTS and not (name == "upscale" and geometry.is_upscaled):
                effects.EFFECTS[name].apply(builder, arguments)
    if path.meta:
        builder.add("meta", "info")
    return builder


class _GeometryFilter(NamedTuple):
    """A filter that changes how the size segment is applied."""

    usage: Usage
    apply: Callable[[Geometry, Arguments], None]


class _OutputFilter(NamedTuple):
    """A filter that sets output options or headers."""

    usage: Usage
    apply: Callable[[StepBuilder, Arguments], None]


def _find_usage(call: grammar.FilterCall) -> Usage:
    for table in (GEOMETRY_FILTERS, OUTPUT_FILTERS, effects.EFFECTS):
        if call.name in table:
            usage: Usage = table[call.name].usage
            return usage
    known = sorted((*GEOMETRY_FILTERS, *OUTPUT_FILTERS, *effects.EFFECTS))
    raise InvalidParameter("filters", f"some of {', '.join(known)}{suggest(call.name, known)}", call.name)


def _add_focal_area(geometry: Geometry, arguments: Arguments) -> None:
    corners = grammar.AREA.fullmatch(arguments.text(0))
    if corners is None:
        arguments.refuse()
    box = Box(*map(int, corners.groups()))
    if box.left >= box.right or box.top >= box.bottom:
        arguments.tolerate("left below right and top below bottom")
        # Thumbor drops an area without pixels, and takes the centre of any other (thumbor/filters/focal.py).
        box = Box(*(edge for pair in zip(*map(sorted, (box[::2], box[1::2])), strict=True) for edge in pair))
        if not box.area:
            return
    geometry.focal_areas.append(box)


def _extract_focal_area(geometry: Geometry, _: Arguments) -> None:
    """Read the key as a Thumbor path: its crop becomes the focal area, and its own key the original.

    A path without a crop may hold another path, and so on (thumbor/filters/extract_focal.py, parse_url).
    """
    image = geometry.path.image
    for _level in range(_MAX_NESTED_PATHS):
        nested = grammar.parse_nested_path(image)
        if nested is None:
            return
        crop, image = nested.crop, nested.image
        if crop and not crop.relative:
            geometry.focal_areas.append(Box(int(crop.left), int(crop.top), int(crop.right), int(crop.bottom)))
            geometry.path.image = image
            return


def _stretch_to_size(geometry: Geometry, _: Arguments) -> None:
    geometry.is_stretched = True


def _forbid_enlarging(geometry: Geometry, _: Arguments) -> None:
    geometry.may_enlarge = False


GEOMETRY_FILTERS: Mapping[str, _GeometryFilter] = {
    "focal": _GeometryFilter(Usage(1, 1, "focal(LEFTxTOP:RIGHTxBOTTOM)"), _add_focal_area),
    "extract_focal": _GeometryFilter(Usage(0, 0, "extract_focal()"), _extract_focal_area),
    "stretch": _GeometryFilter(Usage(0, 0, "stretch()"), _stretch_to_size),
    "no_upscale": _GeometryFilter(Usage(0, 0, "no_upscale()"), _forbid_enlarging),
}


def _set_auto_jpeg(builder: StepBuilder, arguments: Arguments) -> None:
    builder.set_output(arguments.where, autoJpeg=arguments.boolean(0, default=True))


def _set_still(builder: StepBuilder, arguments: Arguments) -> None:
    builder.set_output(arguments.where, animated=False)


def _set_format(builder: StepBuilder, arguments: Arguments) -> None:
    builder.set_output(arguments.where, format=arguments.choice(0, _FORMATS))


def _set_max_age(builder: StepBuilder, arguments: Arguments) -> None:
    seconds = arguments.integer(0, min_value=0, max_value=_MAX_AGE)
    builder.headers["Cache-Control"] = f"public, max-age={seconds}"


def _set_max_bytes(builder: StepBuilder, arguments: Arguments) -> None:
    # Thumbor refuses no number: it answers with what there is (handlers/__init__.py, reload_to_fit_in_kb).
    size = arguments.integer(0, min_value=0)
    builder.set_output(arguments.where, maxBytes=min(max(size, _MIN_BYTES), _MAX_BYTES))


def _set_quality(builder: StepBuilder, arguments: Arguments) -> None:
    quality = arguments.integer(0, min_value=0, max_value=100)
    if not quality:
        arguments.tolerate("numbers from 1 to 100")
    builder.set_output(arguments.where, quality=quality or 1)


def _strip_metadata(builder: StepBuilder, arguments: Arguments) -> None:
    builder.set_output(arguments.where, metadata="strip")


OUTPUT_FILTERS: Mapping[str, _OutputFilter] = {
    "autojpg": _OutputFilter(Usage(0, 1, "autojpg([true])"), _set_auto_jpeg),
    "cover": _OutputFilter(Usage(0, 0, "cover()"), _set_still),
    "format": _OutputFilter(Usage(1, 1, "format(FORMAT)"), _set_format),
    "max_age": _OutputFilter(Usage(1, 1, "max_age(SECONDS)"), _set_max_age),
    "max_bytes": _OutputFilter(Usage(1, 1, "max_bytes(BYTES)"), _set_max_bytes),
    "quality": _OutputFilter(Usage(1, 1, "quality(1 to 100)"), _set_quality),
    "strip_exif": _OutputFilter(Usage(0, 0, "strip_exif()"), _strip_metadata),
    "strip_icc": _OutputFilter(Usage(0, 0, "strip_icc()"), _strip_metadata),
}
