"""Eyes: they look at an original when a feature asks, and remember what they saw."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from handler.detection.cache import Detection, DetectionCache
from handler.errors import UpstreamError
from handler.observability import logger
from handler.ports import DetectionInput
from imaging import (
    DamagedSource,
    Deadline,
    Label,
    Limits,
    Region,
    SalientRegion,
    TooLarge,
    Unavailable,
    UnsupportedSource,
    render_previews,
)

if TYPE_CHECKING:
    import pyvips

_NEEDS_REKOGNITION = "`{}` needs Amazon Rekognition: set VISION=rekognition, with credentials that allow {}"


class DetectionUnavailable(UpstreamError):
    """Whoever was asked to look cannot, for now."""


class Detector(Protocol):
    """Somebody who answers one question about pictures."""

    @property
    def question(self) -> str:
        """What is asked of whom, as a word in a key."""
        ...

    @property
    def side(self) -> int:
        """Pixels of the longer side of what he wants to see."""
        ...

    @property
    def most(self) -> int:
        """How many pages or frames he wants to see."""
        ...

    def look(self, pictures: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """What he sees. VisionDown when a service fails, Unavailable when something is not installed."""
        ...


Open = Callable[[], Detector]


class DetectionService:
    """Those who see, each opened when first asked."""

    def __init__(
        self,
        faces: Open,
        answers: DetectionCache,
        *,
        objects: Open | None = None,
        labels: Open | None = None,
        salient: Open | None = None,
        lets_pass: bool = False,
    ) -> None:
        self._open = {"faces": faces, "objects": objects, "labels": labels, "salient": salient}
        self._opened: dict[str, Detector] = {}
        self._lock = threading.Lock()
        self._answers = answers
        self.lets_pass = lets_pass

    def on(
        self, original: DetectionInput, overlays: Sequence[DetectionInput], limits: Limits, deadline: Deadline
    ) -> Detections:
        """What can be asked of one request's pictures."""
        return Detections(self, original, overlays, limits, deadline)

    def has(self, question: str) -> bool:
        """Whether there is anybody who could answer."""
        return self._open[question] is not None

    def answer(self, question: str, subject: DetectionInput, limits: Limits, deadline: Deadline) -> Detection:
        """What is known of the subject already, or seen now."""
        detector = self._detector(question)

        def look() -> Detection:
            return detector.look(
                render_previews(subject.read(), limits, deadline, side=detector.side, most=detector.most), deadline
            )

        return self._answers.of(subject, detector.question, look, deadline)

    def _detector(self, question: str) -> Detector:
        opener = self._open[question]
        if opener is None:
            raise Unavailable(f"nobody is set up to look for {question}")
        with self._lock:
            if question not in self._opened:
                self._opened[question] = opener()
            return self._opened[question]


class Detections:
    """`features.Vision` of one request: asked late, answered from memory where possible."""

    def __init__(
        self,
        detection: DetectionService,
        original: DetectionInput,
        overlays: Sequence[DetectionInput],
        limits: Limits,
        deadline: Deadline,
    ) -> None:
        self._eyes = detection
        self._original = original
        self._overlays = overlays
        self._limits = limits
        self._deadline = deadline

    @property
    def finds_objects(self) -> bool:
        return self._eyes.has("objects")

    def faces(self) -> tuple[Region, ...]:
        return self._answer("faces").regions

    def objects(self) -> tuple[Region, ...]:
        if not self.finds_objects:
            raise Unavailable(_NEEDS_REKOGNITION.format("smartCropping.subject=objects", "rekognition:DetectLabels"))
        return self._answer("objects").regions

    def salient(self) -> SalientRegion | None:
        return self._answer("salient").figure if self._eyes.has("salient") else None

    def labels(self) -> tuple[Label, ...] | None:
        return self._labels

    def _answer(self, question: str) -> Detection:
        return self._eyes.answer(question, self._original, self._limits, self._deadline)

    @cached_property
    def _labels(self) -> tuple[Label, ...] | None:
        if not self._eyes.has("labels"):
            raise Unavailable(_NEEDS_REKOGNITION.format("contentModeration", "rekognition:DetectModerationLabels"))
        try:
            return tuple(label for subject in (self._original, *self._overlays) for label in self._judged(subject))
        except DetectionUnavailable as error:
            if self._eyes.lets_pass:
                logger().error("a picture leaves unjudged (MODERATION_FAIL=open)", extra={"detail": error.detail})
                return None
            raise UpstreamError(
                "moderation cannot look at the picture now, and no picture leaves without it",
                code="ContentModeration::Unavailable",
                detail=error.detail or error.message,
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                headers=error.headers,
            ) from error

    def _judged(self, subject: DetectionInput) -> tuple[Label, ...]:
        try:
            return self._eyes.answer("labels", subject, self._limits, self._deadline).labels
        except (UnsupportedSource, DamagedSource, TooLarge) as error:
            if subject is self._original:
                raise
            raise type(error)(f"`{subject.name}`: {error.message}", detail=error.detail, code=error.code) from error
