"""A check that this process can still decode, resize and encode an image."""

from __future__ import annotations

from typing import Any

import pyvips

from features.steps import edits
from imaging.context import Context, Deadline
from imaging.formats import PNG
from imaging.params.output import Output
from imaging.pipeline.apply import Rendered
from imaging.pipeline.run import run

_SECONDS = 5.0
_LEVEL, _SIDE, _REDUCED = 200, 16, 8
_TOLERANCE = 3
"""In levels, because JPEG is lossy."""


def check_drawing() -> None:
    """Decode, resize and encode a uniform image and compare the result. Any failure raises an exception."""
    gray: Any = (pyvips.Image.black(_SIDE, _SIDE) + _LEVEL).cast("uchar")
    context = Context(deadline=Deadline.after(_SECONDS))
    answer = run(
        bytes(gray.jpegsave_buffer()), edits({"resize": {"width": _REDUCED}}), Output(format=PNG.name), context
    )
    drawn: Any = (
        pyvips.Image.new_from_buffer(answer.body, "") if isinstance(answer, Rendered) else pyvips.Image.black(1, 1)
    )
    if (drawn.width, drawn.height) != (_REDUCED, _REDUCED) or abs(drawn.avg() - _LEVEL) > _TOLERANCE:
        raise RuntimeError(
            f"an image of level {_LEVEL} was rendered as {drawn.width} × {drawn.height}, level {drawn.avg():.0f}"
        )
