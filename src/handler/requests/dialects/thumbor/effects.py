"""The Thumbor filters that change pixels. Each adds its step where it is written, as Thumbor applies it there.

Formulas and limits are those of Thumbor 7 (`thumbor/filters/*.py`, `thumbor/ext/filters/*.c`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from handler.requests.dialects.thumbor.arguments import Arguments, Usage
from handler.requests.dialects.thumbor.step_builder import StepBuilder

_MAX_RADIUS = 150
"""The largest radius of a blur in pixels (`MAX_RADIUS` in thumbor/filters/blur.py)."""
_MAX_CONTRAST = 1000
_LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in Pillow's grey (ITU-R BT.601), which Thumbor uses."""
_POSITION = re.compile(r"(-?)([0-9]{1,7})(p?)")
_POINTS = re.compile(r"\[(?:\([0-9]{1,3},[0-9]{1,3}\),?)*\]")
_RADII = re.compile(r"([0-9]{1,5})(?:\|([0-9]{1,5}))?")
_MIN_PROPORTION = 0.0001


class Effect(NamedTuple):
    """A filter that changes pixels: its usage, and the function that adds its steps."""

    usage: Usage
    apply: Callable[[StepBuilder, Arguments], None]


def _add_background_color(builder: StepBuilder, arguments: Arguments) -> None:
    builder.add(arguments.where, "flatten", background=arguments.text(0))


def _add_blur(builder: StepBuilder, arguments: Arguments) -> None:
    radius = arguments.integer(0, min_value=1)
    sigma = arguments.number(1, 0.0) or float(radius)
    if sigma < 0:
        arguments.tolerate("a sigma above 0")
        sigma = -sigma  # Thumbor squares it.
    # Thumbor's kernel has 2·radius + 1 pixels, whatever sigma is (blur.py, generate_1d_matrix). libvips cuts a Gaussian
    # off where it falls below a share of its height: that share is its height half a pixel beyond the radius.
    reach = min(radius, _MAX_RADIUS) + 0.5
    height = math.exp(-(reach * reach) / (2 * sigma * sigma))
    builder.add(arguments.where, "blur", sigma=sigma, minAmplitude=min(1.0, max(0.001, height)), precision="float")


def _add_brightness(builder: StepBuilder, arguments: Arguments) -> None:
    builder.add(arguments.where, "linear", b=_to_levels(arguments.integer(0, min_value=-100, max_value=100)))


def _add_contrast(builder: StepBuilder, arguments: Arguments) -> None:
    amount = arguments.integer(0)
    if not -100 <= amount <= 100:
        arguments.tolerate("numbers from -100 to 100")
        # Thumbor's factor grows beyond that range too: ((100 + amount)² / 100) / 100 (_contrast.c).
        factor = (min(abs(100 + amount), _MAX_CONTRAST) ** 2 // 100) / 100
        builder.add(arguments.where, "linear", a=factor, b=128 * (1 - factor))
        return
    builder.add(arguments.where, "contrast", amount=amount)


def _add_colorize(builder: StepBuilder, arguments: Arguments) -> None:
    percentages = {
        name: arguments.integer(at, min_value=0, max_value=100) for at, name in enumerate(("red", "green", "blue"))
    }
    builder.add(arguments.where, "colorize", color=arguments.text(3), **percentages)


def _add_convolution(builder: StepBuilder, arguments: Arguments) -> None:
    kernel = arguments.numbers(0)
    columns = arguments.integer(1, min_value=1)
    rows = len(kernel) // columns
    if len(kernel) != rows * columns or not rows % 2 or not columns % 2:
        arguments.refuse("odd numbers of columns and rows, and a weight for each place")
    # A normalised kernel is divided by its sum, unless that is 0 (_convolution.c, normalize_kernel). `convolve` takes a
    # positive scale only, so the sign of the sum goes into the weights.
    total = (sum(kernel) if arguments.boolean(2, default=True) else 0.0) or 1.0
    weights = [math.copysign(1.0, total) * weight for weight in kernel]
    builder.add(arguments.where, "convolve", kernel=weights, width=columns, height=rows, scale=abs(total))


def _add_curve(builder: StepBuilder, arguments: Arguments) -> None:
    curves: dict[str, object] = {}
    for at, name in enumerate(("all", "red", "green", "blue")):
        if not _POINTS.fullmatch(arguments.text(at)):
            arguments.refuse("curves such as [(0,0),(128,140),(255,255)]")
        if points := re.findall(r"[0-9]+", arguments.text(at)):
            curves[name] = [int(point) for point in points]
    builder.add(arguments.where, "curve", **curves)


def _add_equalize(builder: StepBuilder, arguments: Arguments) -> None:
    builder.add(arguments.where, "equalise")


def _add_fill(builder: StepBuilder, arguments: Arguments) -> None:
    """Fill the box of `fit-in` around the image, and what is transparent in the image if the second argument is true.

    Without `fit-in` the image has the requested size already, so there is nothing around it to be filled.
    """
    path = builder.path
    color, behind = arguments.text(0), arguments.boolean(1, default=False)
    # The canvas has the size of the path even if the image no longer fits it, which is then cut (fill.py).
    turns = [step.params for step in builder.steps if step.feature.name == "rotate"]
    is_turned = sum(getattr(params, "angle", 0) // 90 for params in turns) % 2 == 1
    background: dict[str, object] = {"mode": color} if color in ("auto", "blur") else {"color": color}
    sides = zip(("width", "height"), path.size or (), strict=False) if path.fit_in or is_turned else ()
    box: dict[str, object] = {name: side for name, side in sides if side}
    if box and is_turned:
        box["overflow"] = "turned" if path.fit_in else "cut"
    if box and any(call.name == "no_upscale" for call in path.filters):
        box["withinOriginal"] = True
    if path.fit_in and path.fit_in.adaptive and box:
        box["adaptive"] = True
    if not box and not behind:
        return
    if color not in ("auto", "blur", "transparent"):
        builder.set_output(arguments.where, matte=color)  # for what is transparent in a JPEG
    builder.add(arguments.where, "fill", **background, **box, behind=behind)


def _add_frame(builder: StepBuilder, arguments: Arguments) -> None:
    builder.add(arguments.where, "frame", key=arguments.text(0))


def _add_grayscale(builder: StepBuilder, arguments: Arguments) -> None:
    builder.add(arguments.where, "recomb", matrix=[_LUMA] * 3)


def _add_noise(builder: StepBuilder, arguments: Arguments) -> None:
    amount = arguments.integer(0, min_value=0, max_value=255)
    builder.add(arguments.where, "noise", amount=amount, seed=arguments.integer(1, 0, min_value=0))


def _add_proportion(builder: StepBuilder, arguments: Arguments) -> None:
    factor = arguments.number(0)
    # Nothing is left of an image by a smaller factor: imagor ignores it, and Thumbor fails.
    if not _MIN_PROPORTION <= factor <= 1:
        arguments.refuse(f"a number from {_MIN_PROPORTION} to 1")
    builder.add(arguments.where, "resize", ratio=factor)


def _add_red_eye(builder: StepBuilder, arguments: Arguments) -> None:
    builder.add(arguments.where, "redEye")


def _add_rgb(builder: StepBuilder, arguments: Arguments) -> None:
    percentages = [arguments.integer(at, min_value=-100, max_value=100) for at in range(3)]
    builder.add(arguments.where, "linear", b=[_to_levels(percent) for percent in percentages])


def _add_rotation(builder: StepBuilder, arguments: Arguments) -> None:
    angle = arguments.integer(0)
    if angle % 90 and arguments.faults.is_lenient:
        # Thumbor does nothing then (thumbor/filters/rotate.py); strict mode rotates by any angle.
        arguments.tolerate("a multiple of 90")
        return
    # Thumbor rotates anticlockwise, libvips clockwise.
    builder.add(arguments.where, "rotate", angle=-angle % 360)


def _add_round_corners(builder: StepBuilder, arguments: Arguments) -> None:
    radii = _RADII.fullmatch(arguments.text(0))
    if radii is None:
        arguments.refuse("a radius in pixels, or two such as 20|30")
    red, green, blue = (arguments.integer(at, min_value=0, max_value=255) for at in (1, 2, 3))
    alpha = 0 if arguments.boolean(4, default=False) else 1
    background = {"r": red, "g": green, "b": blue, "alpha": alpha}
    radius_y = {"radiusY": int(radii[2])} if radii[2] else {}
    builder.add(arguments.where, "roundCorners", radius=int(radii[1]), **radius_y, background=background)


def _add_saturation(builder: StepBuilder, arguments: Arguments) -> None:
    builder.add(arguments.where, "vividness", factor=arguments.number(0))


def _add_sharpening(builder: StepBuilder, arguments: Arguments) -> None:
    amount, radius, luminance = arguments.number(0), arguments.number(1), arguments.boolean(2, default=True)
    builder.add(arguments.where, "waveletSharpen", amount=amount, radius=radius, luminance=luminance)


def _add_upscale(builder: StepBuilder, arguments: Arguments) -> None:
    """Enlarge an image that is smaller than the box of `fit-in`, after the filters before this one.

    Where no such filter is written before it, `Geometry` has enlarged the image already, and this is not called.
    """
    size, fit_in = builder.path.size, builder.path.fit_in
    if size and size.width and size.height and fit_in:
        box = {"width": size.width, "height": size.height, "adaptive": fit_in.adaptive}
        builder.add(arguments.where, "resize", **box, fit="inside", centred=True)


def _add_watermark(builder: StepBuilder, arguments: Arguments) -> None:
    x, y = arguments.text(1, "0"), arguments.text(2, "0")
    for position in (x, y):
        if position not in ("center", "repeat") and not _POSITION.fullmatch(position):
            arguments.refuse("positions in pixels, in percent such as 20p, center or repeat")
    params: dict[str, object] = {
        "key": arguments.text(0),
        "opacity": 100 - arguments.integer(3, 0, min_value=0, max_value=100),
    }
    if x == y == "repeat":
        params |= {"tile": True, "position": "top-left"}
    else:
        if "repeat" in (x, y):
            arguments.tolerate("repeat for both positions or for neither")
            params["repeat"] = "x" if x == "repeat" else "y"
            x, y = x.replace("repeat", "0"), y.replace("repeat", "0")
        # A minus sign measures from the right or bottom edge, as negative numbers do in `watermark`. No number is "-0",
        # which touches that edge: it becomes the position `right` or `bottom`.
        far_edges = ("-0", "-0p")
        halign, valign = ("right" if x in far_edges else ""), ("bottom" if y in far_edges else "")
        params |= {"position": "-".join(filter(None, (valign, halign))) or "center"}
        unmeasured = ("center", *far_edges)
        params |= {name: offset for name, offset in (("left", x), ("top", y)) if offset not in unmeasured}
    for at, side in ((4, "width"), (5, "height")):
        if arguments.text(at) not in ("", "none"):
            share = arguments.integer(at)
            if share == 0:
                arguments.tolerate("shares of at least 1")  # Thumbor takes 0 for none.
            else:
                params[side] = share
    builder.add(arguments.where, "watermark", **params)


def _to_levels(percent: int) -> int:
    """Return a percentage of 255 levels, rounded towards 0 as C divides (_brightness.c, _rgb.c)."""
    return int(255 * percent / 100)


EFFECTS: Mapping[str, Effect] = {
    "background_color": Effect(Usage(1, 1, "background_color(COLOUR)"), _add_background_color),
    "blur": Effect(Usage(1, 2, "blur(RADIUS[,SIGMA])"), _add_blur),
    "brightness": Effect(Usage(1, 1, "brightness(-100 to 100)"), _add_brightness),
    "colorize": Effect(Usage(4, 4, "colorize(RED,GREEN,BLUE,COLOUR)"), _add_colorize),
    "convolution": Effect(Usage(2, 3, "convolution(WEIGHT;WEIGHT;…,COLUMNS[,NORMALISE])"), _add_convolution),
    "curve": Effect(Usage(4, 4, "curve([ALL],[RED],[GREEN],[BLUE])"), _add_curve),
    "equalize": Effect(Usage(0, 0, "equalize()"), _add_equalize),
    "frame": Effect(Usage(1, 1, "frame(KEY)"), _add_frame),
    "noise": Effect(Usage(1, 2, "noise(AMOUNT[,SEED])"), _add_noise),
    "red_eye": Effect(Usage(0, 0, "red_eye()"), _add_red_eye),
    "round_corner": Effect(
        Usage(4, 5, "round_corner(RADIUS[|RADIUS],RED,GREEN,BLUE[,TRANSPARENT])"), _add_round_corners
    ),
    "contrast": Effect(Usage(1, 1, "contrast(-100 to 100)"), _add_contrast),
    "fill": Effect(Usage(1, 2, "fill(COLOUR[,FILL_TRANSPARENT])"), _add_fill),
    "grayscale": Effect(Usage(0, 0, "grayscale()"), _add_grayscale),
    "proportion": Effect(Usage(1, 1, "proportion(FACTOR)"), _add_proportion),
    "rgb": Effect(Usage(3, 3, "rgb(RED,GREEN,BLUE)"), _add_rgb),
    "rotate": Effect(Usage(1, 1, "rotate(DEGREES)"), _add_rotation),
    "saturation": Effect(Usage(1, 1, "saturation(FACTOR)"), _add_saturation),
    "sharpen": Effect(Usage(3, 3, "sharpen(AMOUNT,RADIUS,LUMINANCE)"), _add_sharpening),
    "upscale": Effect(Usage(0, 0, "upscale()"), _add_upscale),
    "watermark": Effect(Usage(1, 6, "watermark(KEY,X,Y,ALPHA[,WIDTH,HEIGHT])"), _add_watermark),
}
"""Every filter that changes pixels, by the name that it has in a path."""
