"""The processor time and memory that a step takes, as its feature declares; `python -m bench.costs` measures them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

Size = tuple[int, int]
"""Width and height in pixels."""

Reads = Literal["pixels", "neighbours", "whole"]
"""What a step reads to compute one pixel: that pixel, those around it, or pixels anywhere, in any order or twice."""


class Cost(msgspec.Struct, frozen=True):
    """The cost of a step, for all frames of its input or its output, whichever is larger."""

    seconds: float
    """Seconds of one processor for each megapixel."""
    memory: float = 0.0
    """Bytes for each pixel while the step is computed, beside its input and its output."""
    base_seconds: float = 0.0
    """Seconds that do not depend on the size, for instance those of a model."""
    base_memory: int = 0
    """Bytes that do not depend on the size."""


class Shape(msgspec.Struct, frozen=True):
    """The dimensions of an image, known before there are pixels."""

    width: int
    height: int
    frames: int = 1
    bands: int = 4
    sample: int = 1
    """Bytes of one sample: 1 for 8 bits, 2 for 16 bits."""
    has_alpha: bool = True
    """Whether there may be an alpha channel."""
    full: Size | None = None
    """Size of a frame before the decoder reduced it; None where it did not."""

    @property
    def size(self) -> Size:
        """Width and height of one frame."""
        return (self.width, self.height)

    @property
    def pixels(self) -> int:
        """Pixels of all frames."""
        return self.width * self.height * self.frames

    @property
    def bytes(self) -> int:
        """Bytes of all frames in memory."""
        return self.pixels * self.bands * self.sample


def each_pixel(seconds: float, memory: float = 1.0) -> Callable[[Any, Shape], Cost]:
    """Declare the cost of a feature that takes the same for every pixel, whatever its parameters are."""
    cost = Cost(seconds, memory)
    return lambda _params, _shape: cost


class Pending(msgspec.Struct, frozen=True):
    """Steps that are applied but not computed yet: libvips computes pixels when something reads them.

    A step that reads neighbours needs more pixels of the step before it than it produces. In a chain of such steps the
    surplus multiplies, in memory and in time, so the pixels are computed and held in memory from time to time.
    """

    steps: int = 0
    reach: int = 0
    """Sum of the weights of those that read neighbours."""

    def must_be_held(self, reads: Reads, reach: int) -> bool:
        """Return whether the pixels must be computed and held before a step with these properties."""
        if reads == "whole" and self.steps:
            return True
        return self.steps >= _MAX_STEPS or (reach > 0 and self.reach + reach > _MAX_REACH)

    def then(self, reach: int) -> Pending:
        """Return the pending steps after one more step."""
        return Pending(self.steps + 1, self.reach + reach)


_MAX_STEPS = 8
"""Steps that are computed in one pass at most: each takes a strip of memory for each thread."""
_MAX_REACH = 3
"""Enough for a resize and one step that reads neighbours, or for three resizes."""
