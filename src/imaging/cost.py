"""What a step takes of one processor and of memory, as its feature declares it; `python -m bench.costs` measures it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

Size = tuple[int, int]
"""Width and height in pixels."""

Reads = Literal["pixels", "neighbours", "whole"]
"""What a step looks at for one of its pixels: that pixel, those around it, or any of them in any order or twice."""


class Cost(NamedTuple):
    """What a step takes, for all frames of the larger of the pictures before and after it."""

    seconds: float
    """Of one processor, for a megapixel."""
    memory: float = 0.0
    """Bytes for a pixel while the step is computed, beside the pixels that are held before and after it."""
    base_seconds: float = 0.0
    """Seconds whatever the size is, for instance of a model."""
    base_memory: int = 0
    """Bytes whatever the size is."""


class Shape(NamedTuple):
    """What is known of a picture before there are pixels."""

    width: int
    height: int
    frames: int = 1
    bands: int = 4
    sample: int = 1
    """Bytes of one level."""
    full: Size | None = None
    """Size of a frame that these pixels stand for, where the decoder reduced them."""

    @property
    def size(self) -> Size:
        """Of one frame."""
        return (self.width, self.height)

    @property
    def pixels(self) -> int:
        """Of all frames."""
        return self.width * self.height * self.frames

    @property
    def bytes(self) -> int:
        """Of all frames, once they are held."""
        return self.pixels * self.bands * self.sample


def each_pixel(seconds: float, memory: float = 1.0) -> Callable[[Any, Shape], Cost]:
    """The cost of a feature that takes the same for every pixel, whatever its parameters are."""
    cost = Cost(seconds, memory)
    return lambda _params, _shape: cost


class Pending(NamedTuple):
    """Steps whose pixels are yet to be computed, because libvips computes them when they are first asked for.

    Each step that looks at neighbours asks the step before it for more than it gives. In a chain of such steps that
    multiplies memory and time, so their pixels are computed and held from time to time.
    """

    steps: int = 0
    reach: int = 0
    """Weight of those that look at neighbours."""

    def must_be_held(self, reads: Reads, reach: int) -> bool:
        """Whether the pixels are to be held before another step."""
        if reads == "whole" and self.steps:
            return True
        return self.steps >= _MAX_STEPS or (reach > 0 and self.reach + reach > _MAX_REACH)

    def then(self, reach: int) -> Pending:
        """After one more step."""
        return Pending(self.steps + 1, self.reach + reach)


_MAX_STEPS = 8
"""Steps that are computed in one pass: each takes a strip of memory for each thread."""
_MAX_REACH = 3
"""A resize and one step that looks at neighbours, or three resizes."""
