"""How many colours, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from features.quantize._pixels import Bytes, Floats, Indices, Pixels, difference, distinct, lab_of, picked, spread
from imaging.context import Deadline

if TYPE_CHECKING:
    from features.quantize import Quantize

_SCALE, _CENTRE = 1.25, np.array([0, 118, 136], np.float32)
"""Of CIELAB in bytes: all of sRGB fits, in steps of 0.8."""
_SETTLED = 40
"""Pixels, of 4,096, that may still change their cluster when k-means ends; down to 4 it takes half as long again, and
the colours come 0.4 % closer."""
_PLAIN = 1_000
"""Pixels whose silhouette is taken."""


class Palette(NamedTuple):
    """Colours, and how far they are from the sample."""

    rgb: Bytes
    difference: float
    """Mean CIEDE2000 to the nearest of them."""
    complete: bool = False
    """Whether they are all the colours that were seen."""


class Choice(NamedTuple):
    """A palette, and what it was chosen by."""

    palette: Palette
    criterion: str | None
    """None where the number was asked for."""
    tried: dict[int, float]
    """Number of colours → what the criterion said."""


def chosen(pixels: Pixels, requested: Quantize, deadline: Deadline) -> Choice:
    """The palette that is wanted; an empty one where all is clear."""
    seen, opacity = pixels.seen()
    if not len(seen):
        return Choice(Palette(seen, 0.0), None, {})
    palettes = _Palettes(seen, picked(seen, opacity), deadline)
    if requested.colors is not None:
        return Choice(palettes.of(requested.colors), None, {})
    return (_by_silhouette if requested.criterion == "silhouette" else _by_difference)(palettes, requested)


class _Palettes:
    """Palettes of one picture, each made once."""

    def __init__(self, seen: Bytes, sample: Bytes, deadline: Deadline) -> None:
        self.seen, self.sample, self.lab = seen, sample, lab_of(sample)
        self._all = distinct(seen)
        self._made: dict[int, Palette] = {}
        self.deadline = deadline

    def of(self, count: int) -> Palette:
        """At most so many colours."""
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
        # The median keeps the very colour of a flat area, where a mean would be a little off.
        middles = [np.median(self.sample[labels == label], axis=0) for label in np.unique(labels)]
        return distinct(np.rint(middles).astype(np.uint8))


def _by_difference(palettes: _Palettes, requested: Quantize) -> Choice:
    """The fewest colours that are close enough, found by bisection: each try halves the numbers that are left."""
    least, most = requested.least, requested.most
    tried: dict[int, float] = {}
    while least < most:
        middle = (least + most) // 2
        tried[middle] = palettes.of(middle).difference
        if tried[middle] <= requested.close_enough:
            most = middle
        else:
            least = middle + 1
    tried[least] = palettes.of(least).difference
    return Choice(palettes.of(least), "difference", tried)


def _by_silhouette(palettes: _Palettes, requested: Quantize) -> Choice:
    """The plain way: 1,000 pixels, every number, and the clusters that are best apart."""
    lab = lab_of(palettes.seen[spread(len(palettes.seen), _PLAIN)])
    apart, tried = distances(lab), {}
    for count in range(requested.least, requested.most + 1):
        palettes.deadline.check()
        tried[count] = silhouette(apart, clusters(lab, count, Image.Quantize.MAXCOVERAGE, settled=1))
    return Choice(palettes.of(max(tried, key=tried.__getitem__)), "silhouette", tried)


def clusters(
    lab: Floats, count: int, start: Image.Quantize = Image.Quantize.MEDIANCUT, *, settled: int = _SETTLED
) -> Indices:
    """k-means: to which of at most so many clusters each colour belongs.

    It starts from a median cut, which suits a sample in which no colour has the upper hand: on each picture of samples/
    its mean difference is within 3 % of the best of six starts by k-means++. Where one has, as black may, that cut
    divides it over and over; then colours that lie far apart (MAXCOVERAGE) are the better start.
    """
    levels = np.rint(lab * _SCALE + _CENTRE).astype(np.uint8)
    row = Image.frombytes("RGB", (len(levels), 1), levels.tobytes())
    labels: Indices = np.asarray(row.quantize(count, method=start, kmeans=settled), np.int64)[0]
    return labels


def nearest(lab: Floats, palette: Floats) -> NDArray[np.uint8]:
    """Which of the palette is nearest to each colour, by Euclidean distance."""
    # One colour of the palette after the other: much faster than a matrix product, which lies in no cache.
    bands = np.ascontiguousarray(lab.T)
    least = np.full(len(lab), np.inf, np.float32)
    found = np.zeros(len(lab), np.uint8)
    for index, colour in enumerate(palette):
        distance = sum((band - level) ** 2 for band, level in zip(bands, colour, strict=True))
        found[distance < least] = index
        np.minimum(least, distance, out=least)
    return found


def distances(lab: Floats) -> Floats:
    """Euclidean distance of each colour to each."""
    squares = (lab**2).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares[:, None] + squares - 2 * lab @ lab.T, 0)))


def silhouette(apart: Floats, labels: Indices) -> float:
    """Mean silhouette (Rousseeuw 1987), -1 to 1, by the distance of each to each; 0 where all are one cluster."""
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
