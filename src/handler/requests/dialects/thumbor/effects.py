"""Thumbor's filters that change pixels, each at its place."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from handler.requests.dialects.thumbor.grammar import Path
from handler.requests.dialects.thumbor.step_builder import StepBuilder

_LARGEST_RADIUS = 150
"""Pixels beyond which Thumbor's blur does not look."""
_LUMA = (0.299, 0.587, 0.114)
"""What a grey is made of in Thumbor (ITU-R BT.601)."""
_PLACE = re.compile(r"(-?)([0-9]{1,7})(p?)")
_POINTS = re.compile(r"\[(?:\([0-9]{1,3},[0-9]{1,3}\),?)*\]")
_RADII = re.compile(r"([0-9]{1,5})(?:\|([0-9]{1,5}))?")


class Effect(NamedTuple):
    """A filter that changes pixels."""

    usage: Usage
    apply: Callable[[StepBuilder, Path, Arguments], None]


def _background_color(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - one shape for all
    builder.add(arguments.where, "flatten", background=arguments.text(0))


def _blur(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    radius = arguments.whole(0, least=1)
    sigma = arguments.number(1, 0.0) or float(radius)
    # Thumbor's bell ends at the radius, however wide it is.
    reach = min(radius, _LARGEST_RADIUS) + 0.5
    height = math.exp(-(reach * reach) / (2 * sigma * sigma))
    builder.add(arguments.where, "blur", sigma=sigma, minAmplitude=min(1.0, max(0.001, height)), precision="float")


def _brightness(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "linear", b=_level(arguments.whole(0, least=-100, most=100)))


def _contrast(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "contrast", amount=arguments.whole(0, least=-100, most=100))


def _colorize(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    shares = {name: arguments.whole(at, least=0, most=100) for at, name in enumerate(("red", "green", "blue"))}
    builder.add(arguments.where, "colorize", color=arguments.text(3), **shares)


def _convolution(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    kernel = arguments.numbers(0)
    columns = arguments.whole(1, least=1)
    rows = len(kernel) // columns
    if len(kernel) != rows * columns or not rows % 2 or not columns % 2:
        arguments.refuse("odd numbers of columns and rows, all of them full")
    total = (sum(kernel) if arguments.switch(2, default=True) else 0.0) or 1.0
    weights = [math.copysign(1.0, total) * weight for weight in kernel]
    builder.add(arguments.where, "convolve", kernel=weights, width=columns, height=rows, scale=abs(total))


def _curve(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    curves: dict[str, object] = {}
    for at, name in enumerate(("all", "red", "green", "blue")):
        if not _POINTS.fullmatch(arguments.text(at)):
            arguments.refuse("curves such as [(0,0),(128,140),(255,255)]")
        if points := re.findall(r"[0-9]+", arguments.text(at)):
            curves[name] = [int(point) for point in points]
    builder.add(arguments.where, "curve", **curves)


def _equalize(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "equalise")


def _fill(builder: StepBuilder, path: Path, arguments: Arguments) -> None:
    """The box of `fit-in`, filled up; what shines through as well, if that is asked."""
    color, behind = arguments.text(0), arguments.switch(1, default=False)
    parameters: dict[str, object] = {"mode": color} if color in ("auto", "blur") else {"color": color}
    sides = zip(("width", "height"), path.size or (), strict=False) if path.fit_in else ()
    given: dict[str, object] = {name: side for name, side in sides if side}
    if path.fit_in and path.fit_in.adaptive and given:
        given["adaptive"] = True
    if not given and not behind:
        return
    builder.add(arguments.where, "fill", **parameters, **given, behind=behind)


def _frame(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "frame", key=arguments.text(0))


def _grayscale(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "recomb", matrix=[_LUMA] * 3)


def _noise(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(
        arguments.where, "noise", amount=arguments.whole(0, least=0, most=255), seed=arguments.whole(1, 0, least=0)
    )


def _proportion(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    share = arguments.number(0)
    if not 0 < share <= 1:
        arguments.refuse("a number above 0, up to 1")
    builder.add(arguments.where, "resize", ratio=share)


def _red_eye(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "redEye")


def _rgb(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "linear", b=[_level(arguments.whole(at, least=-100, most=100)) for at in range(3)])


def _rotate(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "rotate", angle=-arguments.whole(0) % 360)


def _round_corner(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    radii = _RADII.fullmatch(arguments.text(0))
    if radii is None:
        arguments.refuse("a radius in pixels, or two such as 20|30")
    red, green, blue = (arguments.whole(at, least=0, most=255) for at in (1, 2, 3))
    alpha = 0 if arguments.switch(4, default=False) else 1
    background = {"r": red, "g": green, "b": blue, "alpha": alpha}
    down = {"radiusY": int(radii[2])} if radii[2] else {}
    builder.add(arguments.where, "roundCorners", radius=int(radii[1]), **down, background=background)


def _saturation(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    builder.add(arguments.where, "vividness", factor=arguments.number(0))


def _sharpen(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    parameters = {
        "amount": arguments.number(0),
        "radius": arguments.number(1),
        "luminance": arguments.switch(2, default=True),
    }
    builder.add(arguments.where, "waveletSharpen", **parameters)


def _upscale(builder: StepBuilder, path: Path, arguments: Arguments) -> None:
    """The box of `fit-in` again, for a picture that is smaller than it: filters before this one saw it small."""
    size = path.size
    if size and size.width and size.height and path.fit_in:
        adaptive = path.fit_in.adaptive
        builder.add(
            arguments.where,
            "resize",
            width=size.width,
            height=size.height,
            fit="inside",
            adaptive=adaptive,
            centred=True,
        )


def _watermark(builder: StepBuilder, path: Path, arguments: Arguments) -> None:  # noqa: ARG001 - see above
    x, y = arguments.text(1, "0"), arguments.text(2, "0")
    for location in (x, y):
        if location not in ("center", "repeat") and not _PLACE.fullmatch(location):
            arguments.refuse("places in pixels, in percent such as 20p, center or repeat")
    if (x == "repeat") != (y == "repeat"):
        arguments.refuse("repeat for both places or for none")
    parameters: dict[str, object] = {
        "key": arguments.text(0),
        "opacity": 100 - arguments.whole(3, 0, least=0, most=100),
    }
    if x == "repeat":
        parameters |= {"tile": True, "position": "top-left"}
    else:
        # "-0" is the far edge, which no number says.
        across, down = (_edge(location, far) for location, far in ((x, "right"), (y, "bottom")))
        parameters |= {"position": "-".join(filter(None, (down, across))) or "center"}
        parameters |= {name: location for name, location in (("left", x), ("top", y)) if _is_measured(location)}
    for at, side in ((4, "width"), (5, "height")):
        if arguments.text(at) not in ("", "none"):
            parameters[side] = arguments.whole(at, least=1)
    builder.add(arguments.where, "watermark", **parameters)


def _edge(location: str, far: str) -> str:
    return far if location in ("-0", "-0p") else ""


def _is_measured(location: str) -> bool:
    return location not in ("center", "-0", "-0p")


def _level(percent: int) -> int:
    """Percent as levels of 255, cut off as C does it."""
    return int(255 * percent / 100)


EFFECTS: Mapping[str, Effect] = {
    "background_color": Effect(Usage(1, 1, "background_color(COLOUR)"), _background_color),
    "blur": Effect(Usage(1, 2, "blur(RADIUS[,SIGMA])"), _blur),
    "brightness": Effect(Usage(1, 1, "brightness(-100 to 100)"), _brightness),
    "colorize": Effect(Usage(4, 4, "colorize(RED,GREEN,BLUE,COLOUR)"), _colorize),
    "convolution": Effect(Usage(2, 3, "convolution(WEIGHT;WEIGHT;…,COLUMNS[,NORMALISE])"), _convolution),
    "curve": Effect(Usage(4, 4, "curve([ALL],[RED],[GREEN],[BLUE])"), _curve),
    "equalize": Effect(Usage(0, 0, "equalize()"), _equalize),
    "frame": Effect(Usage(1, 1, "frame(KEY)"), _frame),
    "noise": Effect(Usage(1, 2, "noise(AMOUNT[,SEED])"), _noise),
    "red_eye": Effect(Usage(0, 0, "red_eye()"), _red_eye),
    "round_corner": Effect(Usage(4, 5, "round_corner(RADIUS[|RADIUS],RED,GREEN,BLUE[,TRANSPARENT])"), _round_corner),
    "contrast": Effect(Usage(1, 1, "contrast(-100 to 100)"), _contrast),
    "fill": Effect(Usage(1, 2, "fill(COLOUR[,FILL_TRANSPARENT])"), _fill),
    "grayscale": Effect(Usage(0, 0, "grayscale()"), _grayscale),
    "proportion": Effect(Usage(1, 1, "proportion(SHARE)"), _proportion),
    "rgb": Effect(Usage(3, 3, "rgb(RED,GREEN,BLUE)"), _rgb),
    "rotate": Effect(Usage(1, 1, "rotate(DEGREES)"), _rotate),
    "saturation": Effect(Usage(1, 1, "saturation(FACTOR)"), _saturation),
    "sharpen": Effect(Usage(3, 3, "sharpen(AMOUNT,RADIUS,LUMINANCE)"), _sharpen),
    "upscale": Effect(Usage(0, 0, "upscale()"), _upscale),
    "watermark": Effect(Usage(1, 6, "watermark(KEY,X,Y,ALPHA[,WIDTH,HEIGHT])"), _watermark),
}
