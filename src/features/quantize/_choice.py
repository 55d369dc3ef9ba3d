"""The choice of the number of colours and of the colours themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from features.quantize._pixels import Bytes, Floats, Indices, Pixels, difference, distinct, lab_of, sample, spread
from imaging.context import Deadline

if TYPE_CHECKING:
    from features.quantize.parameters import Quantize

_SCALE, _CENTRE = 1.25, np.array([0, 118, 136], np.float32)
"""Scale and offset that store CIELAB in bytes: all of sRGB fits, in steps of 0.8."""
_SETTLED = 40
"""k-means ends when at most this many of 4,096 pixels change their cluster.

With 4 it would take one and a half times as long, and the colours would be 0.4 % closer.
"""
_PLAIN = 1_000
"""Number of pixels from which the silhouette is computed."""


class Palette(NamedTuple):
    """Colours and their difference from the sample."""

    rgb: Bytes
    difference: float
    """Mean CIEDE2000 difference of the sample from the nearest colour."""
    complete: bool = False
    """Whether the palette has all colours that occur."""


class Choice(NamedTuple):
    """A palette, and how it was chosen."""

    palette: Palette
    criterion: str | None
    """None if the request gives the number of colours."""
    tried: dict[int, float]
    """Number of colours → value of the criterion."""


def choose(pixels: Pixels, requested: Quantize, deadline: Deadline) -> Choice:
    """Choose a palette for the request; it is empty if all pixels are transparent."""
    seen, opacity = pixels.seen()
    if not len(seen):
        return Choice(Palette(seen, 0.0), None, {})
    palettes = _Palettes(seen, sample(seen, opacity), deadline)
    if requested.colors is not None:
        return Choice(palettes.of(requested.colors), None, {})
    return (_by_silhouette if requested.criterion == "silhouette" else _by_difference)(palettes, requested)


class _Palettes:
    """The palettes of one image, each computed once."""

    def __init__(self, seen: Bytes, sample: Bytes, deadline: Deadline) -> None:
        self.seen, self.sample, self.lab = seen, sample, lab_of(sample)
        self._all = distinct(seen)
        self._made: dict[int, Palette] = {}
        self.deadline = deadline

    def of(self, count: int) -> Palette:
        """Return the palette with at most `count` colours."""
        self.deadline.check()
        if count not in self._made:
            complete = len(self._all) <= count
            rgb = self._all if complete else self._clustered(count)
            lab = lab_of(rgb)
            far = difference(self.lab, lab[nearest(self.lab, lab)])
            self._made[count] = Palette(rgb, float(far.mean()), complete)
        return self._made[count]

    def _clustered(self, count: int) -> Bytes:
        labels = clusters(self.lab, count)
        # The median is exactly the colour of a uniform area, whereas a mean would differ slightly.
        middles = [np.median(self.sample[labels == label], axis=0) for label in np.unique(labels)]
        return distinct(np.rint(middles).astype(np.uint8))


def _by_difference(palettes: _Palettes, requested: Quantize) -> Choice:
    """Find the smallest number of colours that is close enough, by bisection."""
    low, high = requested.fewest, requested.largest
    tried: dict[int, float] = {}
    while low < high:
        middle = (low + high) // 2
        tried[middle] = palettes.of(middle).difference
        if tried[middle] <= requested.close_enough:
            high = middle
        else:
            low = middle + 1
    tried[low] = palettes.of(low).difference
    return Choice(palettes.of(low), "difference", tried)


def _by_silhouette(palettes: _Palettes, requested: Quantize) -> Choice:
    """Cluster 1,000 pixels for every number of colours and choose the number with the largest mean silhouette."""
    lab = lab_of(palettes.seen[spread(len(palettes.seen), _PLAIN)])
    apart, tried = distances(lab), {}
    for count in range(requested.fewest, requested.largest + 1):
        palettes.deadline.check()
        tried[count] = silhouette(apart, clusters(lab, count, Image.Quantize.MAXCOVERAGE, settled=1))
    return Choice(palettes.of(max(tried, key=tried.__getitem__)), "silhouette", tried)


def clusters(
    lab: Floats, count: int, start: Image.Quantize = Image.Quantize.MEDIANCUT, *, settled: int = _SETTLED
) -> Indices:
    """Return for each colour the number of its cluster, found by k-means with at most `count` clusters.

    k-means starts from a median cut, which suits a sample in which no colour dominates: on each image of samples/ the
    mean difference is within 3 % of the best of six starts by k-means++. If one colour dominates, as black may, a
    median cut divides it again and again; MAXCOVERAGE, which chooses distant colours, is then the better start.
    """
    levels = np.rint(lab * _SCALE + _CENTRE).astype(np.uint8)
    row = Image.frombytes("RGB", (len(levels), 1), levels.tobytes())
    labels: Indices = np.asarray(row.quantize(count, method=start, kmeans=settled), np.int64)[0]
    return labels


def nearest(lab: Floats, palette: Floats) -> NDArray[np.uint8]:
    """Return for each colour the index of the nearest palette colour, by Euclidean distance."""
    # A loop over the palette is much faster than a matrix product, whose result would not fit into the cache.
    bands = np.ascontiguousarray(lab.T)
    smallest = np.full(len(lab), np.inf, np.float32)
    found = np.zeros(len(lab), np.uint8)
    for index, colour in enumerate(palette):
        distance = sum((band - level) ** 2 for band, level in zip(bands, colour, strict=True))
        found[distance < smallest] = index
        np.minimum(smallest, distance, out=smallest)
    return found


def distances(lab: Floats) -> Floats:
    """Return the matrix of Euclidean distances between all colours."""
    squares = (lab**2).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares[:, None] + squares - 2 * lab @ lab.T, 0)))


def silhouette(apart: Floats, labels: Indices) -> float:
    """Return the mean silhouette (Rousseeuw 1987), -1 to 1, from a matrix of distances; 0 for a single cluster."""
    members: NDArray[Any] = labels[:, None] == np.unique(labels)
    sizes = members.sum(axis=0)
    if len(sizes) < 2:
        return 0.0
    own = members.argmax(axis=1)
    sums = apart @ members.astype(np.float32)
    rows = np.arange(len(labels))
    within = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[rows, own] = np.inf
    between = means.min(axis=1)
    scores = (between - within) / np.maximum(np.maximum(within, between), np.finfo(np.float32).tiny)
    return float(np.where(sizes[own] > 1, scores, 0).mean())
