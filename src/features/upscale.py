"""Double the size of the image with a network that restores details."""

from __future__ import annotations

import pyvips

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import TooLarge
from imaging.models.upscaling import REACH, UPSCALING, double
from imaging.ops.alpha import continued_colors
from imaging.ops.geometry import refuse_larger
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import Decision, Step, feature

MAX_PIXELS = 1024 * 1024
"""Of all frames, before they are enlarged: they take seven seconds of a processor."""
_VERSION = 1
"""Raised with each change of what the network makes of an image."""
_SECONDS = 2.2
"""Seconds for each megapixel of the result, with an alpha channel; half of it without."""
_BYTES = 6
"""Bytes for each pixel of the result, in the array that the network fills and in copies of it."""
_NETWORK_BYTES = 220_000_000
_OPENING_SECONDS = 0.3


class Upscale(Params):
    """Double the width and height, and restore details that a resize cannot.

    It is for small photographs: up to 1,048,576 pixels in all frames. A crop applies before, a resize after it.
    """


def _cost(_requested: Upscale, shape: Shape) -> Cost:
    # The network runs a second time for the alpha channel.
    seconds = _SECONDS if shape.has_alpha else _SECONDS / 2
    return Cost(seconds, _BYTES, base_seconds=_OPENING_SECONDS, base_memory=_NETWORK_BYTES)


def _decide(requested: Upscale, _context: Context) -> Decision:
    """Make the network a part of the ETag, so that no result passes for that of another one."""
    return Decision((Step(upscale, requested),), (f"{UPSCALING} {_VERSION}",))


@feature(
    Upscale,
    group="effect",
    cost=_cost,
    reads="whole",
    expensive=True,
    keeps_gain_map=True,
    size=lambda _requested, size, _overlay: (2 * size[0], 2 * size[1]),
    decide=_decide,
)
def upscale(picture: Picture, requested: Upscale, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    pixels = picture.width * picture.height * picture.frames
    if pixels > MAX_PIXELS:
        each = f" in {picture.frames} frames" if picture.frames > 1 else ""
        raise TooLarge(
            f"`upscale` must be given an image of at most {MAX_PIXELS} pixels in all, "
            f"got {picture.width} x {picture.height}{each}: crop or resize it first"
        )
    refuse_larger("upscale", (2 * picture.width, 2 * picture.height), picture.frames, context)
    picture = picture.materialized().reserve(4 * pixels * _BYTES)
    return picture.each_frame(lambda frame: _doubled(frame, context))


def _doubled(frame: pyvips.Image, context: Context) -> pyvips.Image:
    """Return a frame in twice its width and height, with as many bands."""
    is_grey = frame.bands < 3
    image = frame if frame.format == "uchar" and not is_grey else frame.colourspace("srgb").cast("uchar")
    if not image.hasalpha():
        made = double(image, context.weights, context.deadline)
    else:
        colours = double(continued_colors(image, REACH), context.weights, context.deadline)
        made = colours.bandjoin(_doubled_alpha(image[3], context)).copy(interpretation="srgb")
    return made.colourspace("b-w") if is_grey else made


def _doubled_alpha(alpha: pyvips.Image, context: Context) -> pyvips.Image:
    """Return an alpha channel in twice its width and height, with edges like those of the colours."""
    if alpha.min() == alpha.max():
        return alpha.zoom(2, 2)
    grey = alpha.bandjoin(alpha).bandjoin(alpha).copy(interpretation="srgb")
    return double(grey, context.weights, context.deadline)[1]
