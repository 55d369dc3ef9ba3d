"""Detect faces, objects, salient regions and moderation labels: with Rekognition or local models, and a cache."""

from __future__ import annotations

from functools import partial

from handler.aws import AwsAccess
from handler.core.ports import ObjectStore
from handler.detection.cache import DetectionCache
from handler.detection.masks import MaskCache
from handler.detection.service import DetectionService, Detector
from imaging import has_saliency


def open_detection(
    with_rekognition: bool,
    aws: AwsAccess,
    *,
    region: str = "",
    weights: str = "",
    store: ObjectStore | None = None,
    lets_pass: bool = False,
) -> DetectionService:
    """Return the detectors: those of Rekognition in `region`, by default the region of `aws`, or local ones.

    `weights` is the folder of U²-Net's weights, `store` caches detections, and with `lets_pass` images are sent while
    moderation is unavailable.
    """
    cache, masks = DetectionCache(store), MaskCache(store)
    salient = partial(_open_local_saliency, weights) if has_saliency(weights) else None
    if not with_rekognition:
        return DetectionService(_open_local_faces, cache, masks=masks, salient=salient)
    from handler.detection.rekognition import (  # noqa: PLC0415 - local detection does not need it
        FacesByRekognition,
        LabelsByRekognition,
        ObjectsByRekognition,
        RekognitionClient,
        TextByRekognition,
    )

    client = RekognitionClient(aws, region or aws.home)
    return DetectionService(
        lambda: FacesByRekognition(client),
        cache,
        objects=lambda: ObjectsByRekognition(client),
        text=lambda: TextByRekognition(client),
        labels=lambda: LabelsByRekognition(client),
        salient=salient,
        masks=masks,
        lets_pass=lets_pass,
    )


def _open_local_faces() -> Detector:
    from handler.detection.local import LocalFaces  # noqa: PLC0415 - it runs a model

    return LocalFaces()


def _open_local_saliency(weights: str) -> Detector:
    from handler.detection.local import LocalSaliency  # noqa: PLC0415 - it runs a model

    return LocalSaliency(weights)


__all__ = ["DetectionCache", "DetectionService", "open_detection"]
