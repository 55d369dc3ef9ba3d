"""The port through which features learn what an image shows: faces, objects, its salient region, moderation labels.

Detectors look at the stored original, once; the results hold for every variant of it. `handler.detection` has the
adapters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from imaging.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]
    """The rows of a mask, from 0 (background) to 255 (subject)."""


class Region(NamedTuple):
    """A rectangle in the upright original, as fractions of its width and height from 0 to 1."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def clamped(cls, left: float, top: float, width: float, height: float) -> Region | None:
        """Return the part of a rectangle that is within the image, or None if there is no such part."""
        right, bottom = min(1.0, left + width), min(1.0, top + height)
        left, top = max(0.0, left), max(0.0, top)
        return cls(left, top, right - left, bottom - top) if right > left and bottom > top else None


class SalientRegion(NamedTuple):
    """The part of an image that stands out from its background."""

    region: Region
    """The rectangle around it."""
    across: tuple[float, ...]
    """How its area is spread from left to right: the fraction, 0 to 1, that is left of each of several vertical lines.

    The lines are at equal distances; the first and the last are the edges of the rectangle.
    """
    down: tuple[float, ...]
    """How its area is spread from top to bottom: the same, above horizontal lines."""


class Label(NamedTuple):
    """A moderation label that a detector found."""

    name: str
    confidence: float
    """Percent."""
    above: tuple[str, ...] = ()
    """Names of the labels that this one belongs to, the nearest first."""


Kind = Literal["faces", "objects", "text"]
"""What can be found, each with its place."""


class Found(NamedTuple):
    """A face, an object or a line of text, with its place."""

    region: Region
    frame: int = 0
    """The frame or page that shows it, counted from 0."""
    name: str = ""
    """The label of an object."""
    above: tuple[str, ...] = ()
    """Labels that this one belongs to."""


class Vision(Protocol):
    """What detectors find in the original of one run. Each method raises Unavailable where it is not configured."""

    @property
    def finds_objects(self) -> bool:
        """Whether object detection is configured."""
        ...

    def faces(self) -> tuple[Region, ...]:
        """Return every face: the largest first, or in Rekognition's order."""
        ...

    def objects(self) -> tuple[Region, ...]:
        """Return the most prominent objects, all of one kind; an empty tuple if there is no object."""
        ...

    def find(self, kind: Kind, frames: range, overlay: tuple[str, str] | None) -> tuple[Found, ...]:
        """Return all that is found in these frames or pages of the original, or of an overlay (bucket and key).

        `frames` is one frame, or all frames. Raises TooLarge for more frames than detectors take.
        """
        ...

    def salient(self) -> SalientRegion | None:
        """Return what stands out from the background; None where that is unknown."""
        ...

    def labels(self) -> tuple[Label, ...] | None:
        """Return the moderation labels of the original and of every overlay.

        None means that moderation was not available, and that the operator lets such images pass.
        """
        ...


class DetectionNotConfigured:
    """The detections where no detector is configured."""

    finds_objects = False

    def faces(self) -> tuple[Region, ...]:
        raise Unavailable("face detection is not configured: set VISION=local or VISION=rekognition")

    def objects(self) -> tuple[Region, ...]:
        raise Unavailable("object detection is not configured: set VISION=rekognition")

    def find(self, kind: Kind, frames: range, overlay: tuple[str, str] | None) -> tuple[Found, ...]:  # noqa: ARG002 - see Vision
        raise Unavailable(f"detection of {kind} is not configured: set VISION")

    def salient(self) -> SalientRegion | None:
        return None

    def labels(self) -> tuple[Label, ...] | None:
        raise Unavailable("moderation is not configured: set VISION=rekognition")


class SubjectMasks(Protocol):
    """The masks that models have made of the original of one run, kept so that its variants need no other run."""

    def get(self, name: str, compute: Callable[[], Mask], *, is_edited: bool) -> Mask:
        """Return the mask that is kept under a name, or compute it.

        The name holds all that the mask depends on beside the original. `is_edited` says whether steps before have
        changed what the model is given, so that it depends on the code of those steps too.
        """
        ...


class MasksNotKept:
    """The masks where none is kept."""

    def get(self, _name: str, compute: Callable[[], Mask], *, is_edited: bool) -> Mask:  # noqa: ARG002 - see SubjectMasks
        return compute()
