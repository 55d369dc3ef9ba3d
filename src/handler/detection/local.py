"""Local detectors: faces, where Rekognition is not configured, and the salient region."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from handler.detection import yunet
from handler.detection.cache import Detection
from imaging import Deadline, Region, SalientRegion, TimeExceeded, compute_saliency, to_rgb_array

if TYPE_CHECKING:
    import pyvips
    from numpy.typing import NDArray

_SALIENCY_VERSION = 2
"""Raised with each change of how a region is made from a mask, because it is part of the keys in the cache."""
_MIN_LEVEL = 128
"""The level (0 to 255) from which a pixel of the mask counts as salient."""
_MIN_SHARE = 0.002
"""Smallest share of the image that a region covers; less is noise."""
_OUTLIERS = 0.005
"""Share of the salient pixels that may be beyond each edge of the box, such as specks and hairs."""
_LINES = 64
"""Number of strips of the image, across and down, for which the distribution of the mask is stored."""


class LocalFaces:
    """Faces by YuNet, one image at a time: each takes up to a tenth of a second of all cores."""

    name = f"faces-yunet-{yunet.VERSION}"
    side = yunet.SIDE
    max_frames = 1

    def __init__(self) -> None:
        self._network = yunet.Yunet()
        self._lock = threading.Lock()

    def detect(self, previews: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Return every face, the largest first."""
        (image,) = previews
        if not self._lock.acquire(timeout=max(0.0, min(deadline.left(), threading.TIMEOUT_MAX))):
            raise TimeExceeded("the wait for face detection took longer than one request may take")
        try:
            boxes = self._network(image).tolist()
        finally:
            self._lock.release()
        regions = [
            Region.clamped(
                left / image.width, top / image.height,
                (right - left) / image.width, (bottom - top) / image.height,
            )
            for left, top, right, bottom in boxes
        ]  # fmt: skip
        faces = sorted((it for it in regions if it is not None), key=lambda it: -it.width * it.height)
        return Detection(f"yunet {yunet.VERSION}", tuple(faces))


class LocalSaliency:
    """The salient region by U²-Net: the box around its mask, and the distribution of the mask across and down."""

    name = f"figure-u2net-{_SALIENCY_VERSION}"
    side = 640
    max_frames = 1

    def __init__(self, weights: str) -> None:
        self._weights = weights

    def detect(self, previews: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Return the salient region, if there is one."""
        (image,) = previews
        return Detection(
            "u2net", salient=_salient_region(compute_saliency(to_rgb_array(image), self._weights, deadline))
        )


def _salient_region(mask: NDArray[np.uint8]) -> SalientRegion | None:
    region = _box(mask >= _MIN_LEVEL)
    return SalientRegion(region, _distribution(mask, 0), _distribution(mask, 1)) if region else None


def _distribution(mask: NDArray[np.uint8], axis: int) -> tuple[float, ...]:
    """Return the cumulative shares of the mask's sum at the edge of each strip, from 0.0 to 1.0."""
    sums = np.add.accumulate(mask.sum(axis=axis, dtype=np.float64).reshape(_LINES, -1).sum(axis=1))
    return (0.0, *np.round(sums / sums[-1], 4).tolist())


def _box(mask: NDArray[np.bool_]) -> Region | None:
    """Return the box around the salient pixels in shares of the image, without outliers; None if they are too few."""
    if mask.mean() < _MIN_SHARE:
        return None
    edges: list[tuple[float, float]] = []
    for axis in (0, 1):
        cumulative = np.cumsum(mask.sum(axis=axis)) / mask.sum()
        first, last = np.searchsorted(cumulative, [_OUTLIERS, 1 - _OUTLIERS])
        edges.append((int(first) / len(cumulative), (int(last) + 1) / len(cumulative)))
    (left, right), (top, bottom) = edges
    return Region.clamped(left, top, right - left, bottom - top)
