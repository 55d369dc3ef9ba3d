"""Who sees for the features: Rekognition, a face detector on this machine, and what either has said before."""

from __future__ import annotations

from functools import partial

from handler.aws import AwsAccess
from handler.detection.cache import DetectionCache
from handler.detection.service import DetectionService, Detector
from handler.ports import ObjectStore
from imaging import has_saliency


def open_detection(
    with_rekognition: bool,
    aws: AwsAccess,
    *,
    weights: str = "",
    store: ObjectStore | None = None,
    lets_pass: bool = False,
) -> DetectionService:
    """Rekognition's eyes, or this machine's. `weights`: the folder of U²-Net's; `store` keeps what they see;
    `lets_pass`: pictures leave while moderation is down.
    """
    answers = DetectionCache(store)
    salient = partial(_local_figures, weights) if has_saliency(weights) else None
    if not with_rekognition:
        return DetectionService(_local_faces, answers, salient=salient)
    from handler.detection.rekognition import FacesByRekognition, LabelsByRekognition, ObjectsByRekognition, Service  # noqa: PLC0415 - a laptop does without

    service = Service(aws)
    return DetectionService(
        lambda: FacesByRekognition(service),
        answers,
        objects=lambda: ObjectsByRekognition(service),
        labels=lambda: LabelsByRekognition(service),
        salient=salient,
        lets_pass=lets_pass,
    )


def _local_faces() -> Detector:
    from handler.detection.local import LocalFaces  # noqa: PLC0415 - it runs a model

    return LocalFaces()


def _local_figures(weights: str) -> Detector:
    from handler.detection.local import LocalFigures  # noqa: PLC0415 - it runs a model

    return LocalFigures(weights)


__all__ = ["DetectionCache", "DetectionService", "open_detection"]
