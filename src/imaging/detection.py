"""What a feature may ask of those who see: faces, objects, what stands out, moderation labels.

Whoever sees looks at the stored original, once; what he says holds for every variation of it. Adapters stand in the
handler.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from imaging.errors import Unavailable


class Region(NamedTuple):
    """A part of the upright original, as shares of its width and height: 0 to 1."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def clamped(cls, left: float, top: float, width: float, height: float) -> Region | None:
        """The part of such a box that lies within the picture; None if there is none."""
        right, bottom = min(1.0, left + width), min(1.0, top + height)
        left, top = max(0.0, left), max(0.0, top)
        return cls(left, top, right - left, bottom - top) if right > left and bottom > top else None


class SalientRegion(NamedTuple):
    """What stands out from its ground."""

    region: Region
    """The box around it."""
    across: tuple[float, ...]
    """Shares of it, 0 to 1, that lie left of lines at equal distances, the first and the last being the edges."""
    down: tuple[float, ...]
    """The same above lines."""


class Label(NamedTuple):
    """Something that moderation saw."""

    name: str
    confidence: float
    """Percent."""
    above: tuple[str, ...] = ()
    """Names of the labels that this one belongs to, the nearest first."""


class Vision(Protocol):
    """What can be seen in the original of one run. Unavailable where nobody is set up to look."""

    @property
    def finds_objects(self) -> bool:
        """Whether somebody is set up to look for objects."""
        ...

    def faces(self) -> tuple[Region, ...]:
        """Every face: the largest first, or in Rekognition's order."""
        ...

    def objects(self) -> tuple[Region, ...]:
        """The things that matter most, all of one kind; nothing if there are none."""
        ...

    def salient(self) -> SalientRegion | None:
        """What stands out from its ground; None where that cannot be said."""
        ...

    def labels(self) -> tuple[Label, ...] | None:
        """What moderation sees in the original and in every overlay; None: it could not look, and the operator lets
        such pictures pass.
        """
        ...


class DetectionNotConfigured:
    """Nobody is there to look."""

    finds_objects = False

    def faces(self) -> tuple[Region, ...]:
        raise Unavailable("nobody is set up to look for faces")

    def objects(self) -> tuple[Region, ...]:
        raise Unavailable("nobody is set up to look for objects")

    def salient(self) -> SalientRegion | None:
        return None

    def labels(self) -> tuple[Label, ...] | None:
        raise Unavailable("nobody is set up to look for moderation labels")
