"""Run detectors on originals and overlays when a feature needs it, through the cache."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from handler.core.errors import UpstreamError
from handler.core.ports import DetectionInput
from handler.detection.cache import Detection, DetectionCache
from handler.detection.masks import MaskCache, OriginalMasks
from handler.observability.logs import logger
from imaging import (
    DamagedSource,
    Deadline,
    Found,
    Kind,
    Label,
    Limits,
    ObjectRef,
    Region,
    SalientRegion,
    TooLarge,
    Unavailable,
    UnsupportedSource,
    render_preview,
    render_previews,
)

if TYPE_CHECKING:
    import pyvips

MAX_FRAMES = 60
"""Frames or pages of an image each of which is looked at: each takes up to 0.2 s of a processor, or is billed."""
_FRAMES_AT_ONCE = 4
_ACTIONS = {"objects": "rekognition:DetectLabels", "text": "rekognition:DetectText"}
_NEEDS_REKOGNITION = "`{}` needs Amazon Rekognition: set VISION=rekognition, with credentials that allow {}"


class DetectionUnavailable(UpstreamError):
    """A detector fails and may work again later."""


class Detector(Protocol):
    """Finds one kind of thing in images."""

    @property
    def name(self) -> str:
        """The detector in keys of the cache: kind and model."""
        ...

    @property
    def side(self) -> int:
        """Pixels of the longer side of the previews that it takes."""
        ...

    @property
    def max_frames(self) -> int:
        """How many pages or frames of an image it takes."""
        ...

    def detect(self, previews: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Return what it finds. DetectionUnavailable if a service fails, Unavailable if software is missing."""
        ...


Open = Callable[[], Detector]


class DetectionService:
    """The detectors by kind, each opened at its first use."""

    def __init__(
        self,
        faces: Open,
        cache: DetectionCache,
        *,
        objects: Open | None = None,
        text: Open | None = None,
        labels: Open | None = None,
        salient: Open | None = None,
        masks: MaskCache | None = None,
        lets_pass: bool = False,
    ) -> None:
        self._open = {
            "faces": faces, "objects": objects, "text": text, "labels": labels, "salient": salient,
        }  # fmt: skip
        self._opened: dict[str, Detector] = {}
        self._lock = threading.Lock()
        self._cache = cache
        self._masks = masks or MaskCache()
        self.lets_pass = lets_pass
        """Whether images are sent while moderation is unavailable (MODERATION_FAIL=open)."""

    def on(
        self, original: DetectionInput, overlays: Mapping[ObjectRef, DetectionInput], limits: Limits, deadline: Deadline
    ) -> Detections:
        """Return the detections of one request, which are made when a feature asks for them."""
        return Detections(self, original, overlays, limits, deadline)

    def masks(self, original: DetectionInput, version: str, deadline: Deadline) -> OriginalMasks:
        """Return the masks of subjects in an original, for one request."""
        return self._masks.of(original, version, deadline)

    def has(self, kind: str) -> bool:
        """Whether a detector of this kind is configured."""
        return self._open[kind] is not None

    def detect(self, kind: str, subject: DetectionInput, limits: Limits, deadline: Deadline) -> Detection:
        """Return the cached detection of an image, or run the detector."""
        detector = self._detector(kind)

        def run() -> Detection:
            previews = render_previews(
                subject.read(), limits, deadline, side=detector.side, max_frames=detector.max_frames
            )
            return detector.detect(previews, deadline)

        return self._cache.of(subject, detector.name, run, deadline)

    def find(
        self, kind: Kind, subject: DetectionInput, frames: range, limits: Limits, deadline: Deadline
    ) -> tuple[Found, ...]:
        """Return all that a detector finds in each of the frames. Raises TooLarge for too many frames."""
        if frames == range(1):
            return _found_of(self.detect(kind, subject, limits, deadline), 0)
        if len(frames) > MAX_FRAMES:
            raise TooLarge(f"detection of {kind} takes images of at most {MAX_FRAMES} frames, got {len(frames)}")
        detector = self._detector(kind)

        def run() -> Detection:
            body, models = subject.read(), [""]

            def look(page: int) -> tuple[Found, ...]:
                preview = render_preview(body, limits, deadline, side=detector.side, page=page)
                detection = detector.detect([preview], deadline)
                models[0] = detection.model
                return _found_of(detection, page)

            with ThreadPoolExecutor(_FRAMES_AT_ONCE, "detection") as pool:
                found = [each for frame in pool.map(look, frames) for each in frame]
            return Detection(models[0], found=tuple(found))

        name = f"{detector.name}-frames-{frames.start}-{frames.stop}"
        return self._cache.of(subject, name, run, deadline).found

    def _detector(self, kind: str) -> Detector:
        opener = self._open[kind]
        if opener is None:
            raise Unavailable(f"no detector of {kind} is configured")
        with self._lock:
            if kind not in self._opened:
                self._opened[kind] = opener()
            return self._opened[kind]


def _found_of(detection: Detection, frame: int) -> tuple[Found, ...]:
    """Return what a detector has found in one frame: faces are regions alone."""
    found = detection.found or tuple(Found(region) for region in detection.regions)
    return tuple(each._replace(frame=frame) for each in found)


class Detections:
    """The `imaging.Vision` of one request: each detection is made when a feature asks for it, or cached."""

    def __init__(
        self,
        service: DetectionService,
        original: DetectionInput,
        overlays: Mapping[ObjectRef, DetectionInput],
        limits: Limits,
        deadline: Deadline,
    ) -> None:
        self._service = service
        self._original = original
        self._overlays = overlays
        self._limits = limits
        self._deadline = deadline

    @property
    def finds_objects(self) -> bool:
        return self._service.has("objects")

    def faces(self) -> tuple[Region, ...]:
        return self._detect("faces").regions

    def objects(self) -> tuple[Region, ...]:
        if not self.finds_objects:
            raise Unavailable(_NEEDS_REKOGNITION.format("smartCropping.subject=objects", "rekognition:DetectLabels"))
        return self._detect("objects").regions

    def find(self, kind: Kind, frames: range, overlay: tuple[str, str] | None) -> tuple[Found, ...]:
        if not self._service.has(kind):
            action = _ACTIONS.get(kind, "rekognition:DetectFaces")
            raise Unavailable(_NEEDS_REKOGNITION.format(f"redact.detect={kind}", action))
        subject = self._original if overlay is None else self._overlays[ObjectRef(*overlay)]
        return self._service.find(kind, subject, frames, self._limits, self._deadline)

    def salient(self) -> SalientRegion | None:
        return self._detect("salient").salient if self._service.has("salient") else None

    def labels(self) -> tuple[Label, ...] | None:
        return self._labels

    def _detect(self, kind: str) -> Detection:
        return self._service.detect(kind, self._original, self._limits, self._deadline)

    @cached_property
    def _labels(self) -> tuple[Label, ...] | None:
        if not self._service.has("labels"):
            raise Unavailable(_NEEDS_REKOGNITION.format("contentModeration", "rekognition:DetectModerationLabels"))
        try:
            return tuple(
                label for subject in (self._original, *self._overlays.values()) for label in self._moderate(subject)
            )
        except DetectionUnavailable as error:
            if self._service.lets_pass:
                logger().error(
                    "an image is sent without moderation (MODERATION_FAIL=open)", extra={"detail": error.detail}
                )
                return None
            raise UpstreamError(
                "moderation is unavailable, and no image is sent without it",
                code="ContentModeration::Unavailable",
                detail=error.detail or error.message,
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                headers=error.headers,
            ) from error

    def _moderate(self, subject: DetectionInput) -> tuple[Label, ...]:
        try:
            return self._service.detect("labels", subject, self._limits, self._deadline).labels
        except (UnsupportedSource, DamagedSource, TooLarge) as error:
            if subject is self._original:
                raise
            raise type(error)(f"`{subject.name}`: {error.message}", detail=error.detail, code=error.code) from error
