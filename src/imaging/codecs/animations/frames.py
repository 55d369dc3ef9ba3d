"""The frames of an animation: what its container says of them, and those of an image that is to be encoded."""

from __future__ import annotations

from typing import Any, NamedTuple

from imaging.codecs.decode.parts import MAX_FRAMES
from imaging.errors import TooLarge

Image = Any
"""A pyvips image; its stubs give every field a union of types."""
LONGEST_DELAY = 65_535
"""Milliseconds, as for requests: no format of animations that is written here has more room."""
_USUAL_DELAY = 100
"""Milliseconds, as browsers show a frame that has no delay."""


class Animation(NamedTuple):
    """The frames of a file, as the header of an image needs them."""

    delays: tuple[int, ...]
    """Milliseconds each frame is shown."""
    loop: int
    """How often it plays; 0 means for ever."""


def refuse_many_frames(frames: int) -> None:
    """Raise TooLarge for more frames than any animation may have."""
    if frames > MAX_FRAMES:
        raise TooLarge(f"an animation must have at most {MAX_FRAMES} frames, got {frames}")


class Frames(NamedTuple):
    """The frames of an animation."""

    images: list[Image]
    delays: list[int]
    """Milliseconds each frame is shown."""
    loop: int
    """How often it plays; 0 means for ever."""


def is_animation(image: Image) -> bool:
    """Return whether the image has more than one frame."""
    return bool(image.get_typeof("page-height")) and image.get("page-height") < image.height


def split_frames(image: Image) -> Frames:
    """Return the frames, with their pixels in memory and without fields of their own."""
    height, image = int(image.get("page-height")), image.copy_memory()
    delays = list(image.get("delay")) if image.get_typeof("delay") else []
    count = image.height // height
    loop = int(image.get("loop")) if image.get_typeof("loop") else 0
    delays = (delays + [_USUAL_DELAY] * count)[:count]
    plain = image.copy()
    for name in ("page-height", "n-pages", "delay", "loop"):
        plain.remove(name)
    return Frames([plain.crop(0, height * number, image.width, height) for number in range(count)], delays, loop)
