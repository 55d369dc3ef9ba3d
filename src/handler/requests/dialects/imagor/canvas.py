"""The filters of imagor that change the shape of an image: `fill`, `padding`, `rotate`, `crop` and the like."""

from __future__ import annotations

import re

from handler.requests.dialects.imagor.collector import Filter, ImagorSteps
from handler.requests.dialects.imagor.colors import read_color
from handler.requests.dialects.imagor.geometry import right_angle, trim_params
from handler.requests.dialects.imagor.path import Edges
from handler.requests.dialects.thumbor.arguments import Arguments, Usage

_CLEAR = "00000000"
_MIN_PROPORTION = 0.0001
_CROP = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{0,12})?|\.[0-9]{1,12}")


def _add_background_color(steps: ImagorSteps, arguments: Arguments) -> None:
    steps.add(arguments.where, "flatten", background=read_color(arguments, 0))


def _add_fill(steps: ImagorSteps, arguments: Arguments) -> None:
    """Place the image on the box of the path, enlarged by the padding of the path."""
    path = steps.path
    # `full-fit-in` makes its box as large as the image.
    box = [0, 0] if path.full else [path.width, path.height]
    padding = path.padding
    if steps.is_turned:
        box.reverse()
        padding = Edges(padding.top, padding.left, padding.bottom, padding.right)
    sides = {name: side for name, side in zip(("width", "height"), box, strict=True) if side}
    _place_on_canvas(steps, arguments, sides, padding)


def _place_on_canvas(steps: ImagorSteps, arguments: Arguments, box: dict[str, int], padding: Edges) -> None:
    color = arguments.text(0).lower()
    is_clear = color in ("none", "transparent")
    modes: dict[str, dict[str, object]] = {"auto": {"mode": "corner"}, "blur": {"mode": "blur"}}
    background: dict[str, object] = modes.get(color) or {"color": _CLEAR if is_clear else read_color(arguments, 0)}
    params: dict[str, object] = {**background, **box, "behind": not is_clear}
    if box:
        params |= {"overflow": "cut", "adaptive": steps.path.adaptive}
    if color not in modes and not is_clear:
        steps.set_output(arguments.where, matte=background["color"])
    steps.add(arguments.where, "fill", **params)
    known = len(box) == 2 and not steps.path.adaptive
    steps.size = (
        (int(box["width"] + padding.left + padding.right), int(box["height"] + padding.top + padding.bottom))
        if known
        else None
    )
    if any(padding):
        edge: dict[str, object] = {"mode": "copy"} if color in modes else {"background": background["color"]}
        edges = {name: int(width) for name, width in padding._asdict().items()}
        steps.add(arguments.where, "extend", **edges, **edge)


def _add_padding(steps: ImagorSteps, arguments: Arguments) -> None:
    left = arguments.integer(1, min_value=0, max_value=65_535)
    top = arguments.integer(2, left, min_value=0, max_value=65_535)
    right, bottom = left, top
    if len(arguments) > 4:
        right, bottom = (arguments.integer(at, min_value=0, max_value=65_535) for at in (3, 4))
    _place_on_canvas(steps, arguments, {}, Edges(left, top, right, bottom))


def _add_rotation(steps: ImagorSteps, arguments: Arguments) -> None:
    angle = right_angle(arguments)
    steps.is_turned ^= angle % 180 == 90
    steps.size = None
    steps.add(arguments.where, "rotate", angle=angle)


def _add_proportion(steps: ImagorSteps, arguments: Arguments) -> None:
    """Scale: up to 1 the number is a factor, above it a percentage."""
    number = arguments.number(0)
    if number > 100:
        arguments.tolerate("a percentage up to 100")
    share = min(number, 100.0) / 100 if number > 1 else number
    if share < _MIN_PROPORTION:
        arguments.refuse("a factor above 0, or a percentage")
    steps.size = None
    steps.add(arguments.where, "resize", ratio=share)


def _add_round_corner(steps: ImagorSteps, arguments: Arguments) -> None:
    radius = arguments.integer(0, min_value=0, max_value=65_535)
    radius_y = arguments.integer(1, radius, min_value=0, max_value=65_535)
    color = read_color(arguments, 2) if arguments.text(2) else _CLEAR
    steps.add(arguments.where, "roundCorners", radius=radius, radiusY=radius_y, background=color)


def _add_trim(steps: ImagorSteps, arguments: Arguments) -> None:
    tolerance = arguments.integer(0, 0, min_value=0, max_value=255)
    corner = arguments.choice(1, ("top-left", "bottom-right")) if arguments.text(1) else "top-left"
    steps.size = None
    steps.add(arguments.where, "trim", **trim_params(tolerance, corner))


def _add_crop(steps: ImagorSteps, arguments: Arguments) -> None:
    """Cut out left, top, width and height, each in pixels or, between 0 and 1, in fractions of its side."""
    edges = {}
    for at, name in enumerate(("left", "top", "width", "height")):
        if not _CROP.fullmatch(arguments.text(at)):
            arguments.refuse("numbers in pixels, or fractions between 0 and 1")
        edge = float(arguments.text(at))
        edges[name] = f"{100 * edge:.6f}p" if 0 < edge < 1 else max(0, int(edge))
    if not edges["width"] or not edges["height"]:
        arguments.refuse("a width and a height above 0")
    steps.size = None
    steps.add(arguments.where, "extract", **edges, clamp=True, optional=True)


FILTERS = {
    "background_color": Filter(Usage(1, 1, "background_color(COLOUR)"), _add_background_color),
    "crop": Filter(Usage(4, 4, "crop(LEFT,TOP,WIDTH,HEIGHT)"), _add_crop),
    "fill": Filter(Usage(1, 2, "fill(COLOUR, blur, auto or none)"), _add_fill),
    "padding": Filter(Usage(2, 5, "padding(COLOUR,LEFT[,TOP[,RIGHT,BOTTOM]])"), _add_padding),
    "proportion": Filter(Usage(1, 1, "proportion(FACTOR or PERCENTAGE)"), _add_proportion),
    "rotate": Filter(Usage(1, 1, "rotate(0, 90, 180 or 270)"), _add_rotation),
    "round_corner": Filter(Usage(1, 3, "round_corner(RADIUS[,RADIUS[,COLOUR]])"), _add_round_corner),
    "trim": Filter(Usage(0, 2, "trim([TOLERANCE[,CORNER]])"), _add_trim),
}
