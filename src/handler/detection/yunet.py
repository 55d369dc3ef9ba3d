"""Detect faces with YuNet (Wu, Peng and Yu, 2023, doi:10.1007/s11633-023-1423-y), OpenCV's face detector.

The network is `face_detection_yunet_2023mar.onnx` of OpenCV Zoo (MIT), which stands beside this file. Its input is an
image of 640 × 640 pixels in blue, green and red from 0 to 255. For each cell of three grids it returns how likely a
face is, and its box.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imaging import Unavailable

if TYPE_CHECKING:
    import pyvips

Floats: TypeAlias = NDArray[np.float32]
"""Boxes have the columns left, top, right, bottom, in pixels."""
VERSION = "2023mar"
_MODEL = Path(__file__).with_name(f"face_detection_yunet_{VERSION}.onnx")
_INPUT = 640
"""Width and height of the network's input in pixels."""
_OVERLAP = 64
"""Pixels that two neighbouring tiles share: a face at the edge of one is whole in the other, or found in the whole."""
SIDE = 2 * _INPUT - _OVERLAP
"""Longer side in pixels of the images that are looked at, in at most four tiles."""
_STRIDES = (8, 16, 32)
"""Pixels of a cell of each grid."""
_MIN_SCORE = 0.7
"""Smallest score of a face. In the samples true faces have 0.77 and more, and everything else has 0.67 or less."""
_MAX_OVERLAP = 0.3
"""Largest overlap of two faces: their intersection divided by the area of the smaller one."""
_EDGE = 4
"""Pixels from the inner edge of a tile within which a box counts as cut off."""


class _Candidates(NamedTuple):
    """Boxes and the score of each as a face."""

    boxes: Floats
    scores: Floats

    def select(self, chosen: Any) -> _Candidates:
        return _Candidates(self.boxes[chosen], self.scores[chosen])


class Yunet:
    """The network."""

    def __call__(self, image: pyvips.Image) -> Floats:
        """Return the boxes of faces in an image of three bands with sides up to SIDE; they may extend beyond its edges.

        The image is looked at as a whole, and in tiles of its full size where it is larger than the input, because
        faces of less than 20 pixels are lost in a reduced copy.
        """
        scale = min(1.0, _INPUT / max(image.width, image.height))
        found = [self._look(image.resize(scale) if scale < 1 else image, scale)]
        if scale < 1:
            found += [
                self._look_at_tile(image, left, top) for left in _starts(image.width) for top in _starts(image.height)
            ]
        boxes, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        candidates = _Candidates(boxes, scores)
        return candidates.select(_best(candidates)).boxes

    def _look_at_tile(self, image: pyvips.Image, left: int, top: int) -> _Candidates:
        """Return the faces of one tile, except those that its inner edges cut off."""
        width, height = min(_INPUT, image.width - left), min(_INPUT, image.height - top)
        found = self._look(image.crop(left, top, width, height), 1.0)
        first = [_EDGE if left else -np.inf, _EDGE if top else -np.inf]
        last = [
            width - _EDGE if left + width < image.width else np.inf,
            height - _EDGE if top + height < image.height else np.inf,
        ]
        is_whole = (found.boxes[:, :2] >= first).all(axis=1) & (found.boxes[:, 2:] <= last).all(axis=1)
        whole = found.select(is_whole)
        boxes: Floats = whole.boxes + np.array([left, top, left, top], np.float32)
        return _Candidates(boxes, whole.scores)

    def _look(self, image: pyvips.Image, scale: float) -> _Candidates:
        """Return the candidates in an image that fits the input, in pixels of the image before it was scaled."""
        levels = np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, 3)
        pixels = np.zeros((1, 3, _INPUT, _INPUT), np.float32)
        pixels[0, :, : image.height, : image.width] = levels[:, :, ::-1].transpose(2, 0, 1)
        outputs = dict(zip(self._names, self._session.run(None, {"input": pixels}), strict=True))
        grids = [_decode(outputs, stride) for stride in _STRIDES]
        boxes, scores = (np.concatenate(part) for part in zip(*grids, strict=True))
        return _Candidates(np.divide(boxes, scale, dtype=np.float32), scores)

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime  # noqa: PLC0415 - only face detection needs it
        except ImportError:
            raise Unavailable("onnxruntime is missing: pip install onnxruntime") from None
        options = onnxruntime.SessionOptions()
        # With its default, onnxruntime pins threads to the processors of the machine, which a container may forbid.
        options.intra_op_num_threads = min(4, os.cpu_count() or 1)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(_MODEL), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _names(self) -> list[str]:
        return [output.name for output in self._session.get_outputs()]


def _decode(outputs: dict[str, Floats], stride: int) -> _Candidates:
    """Return the boxes of one grid whose score is high enough, as OpenCV's FaceDetectorYN computes them."""
    likelihood, presence = (outputs[f"{name}_{stride}"][0, :, 0].clip(0, 1) for name in ("cls", "obj"))
    scores = np.sqrt(likelihood * presence)
    chosen = np.nonzero(scores >= _MIN_SCORE)[0]
    row, column = np.divmod(chosen, _INPUT // stride)
    offsets = outputs[f"bbox_{stride}"][0][chosen]
    centres = (np.stack([column, row], axis=1) + offsets[:, :2]) * stride
    halves = np.exp(offsets[:, 2:]) * (stride / 2)
    boxes = np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32)
    return _Candidates(boxes, scores[chosen])


def _starts(length: int) -> Iterator[int]:
    """Yield where tiles along a side begin."""
    yield 0
    if length > _INPUT:
        yield length - _INPUT


def _best(found: _Candidates) -> list[int]:
    """Return the indices of candidates, of which none covers much of one with a higher score."""
    boxes, order, kept = found.boxes, np.argsort(-found.scores), []
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    while len(order):
        first, others = order[0], order[1:]
        kept.append(int(first))
        starts = np.maximum(boxes[first, :2], boxes[others, :2])
        ends = np.minimum(boxes[first, 2:], boxes[others, 2:])
        shared = np.prod(np.maximum(0, ends - starts), axis=1)
        order = others[shared <= _MAX_OVERLAP * np.minimum(areas[first], areas[others])]
    return kept
