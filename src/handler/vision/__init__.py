"""Who sees for the features: Rekognition, a face detector on this machine, and what either has said before."""

from __future__ import annotations

from functools import partial

from features import has_saliency
from handler.aws import AwsAccess
from handler.ports import ObjectStore
from handler.vision.answers import Answers
from handler.vision.eyes import Eyes, Seer


def open_eyes(
    with_rekognition: bool,
    aws: AwsAccess,
    *,
    weights: str = "",
    store: ObjectStore | None = None,
    lets_pass: bool = False,
) -> Eyes:
    """Rekognition's eyes, or this machine's. `weights`: the folder of U²-Net's; `store` keeps what they see;
    `lets_pass`: pictures leave while moderation is down.
    """
    answers = Answers(store)
    salient = partial(_local_figures, weights) if has_saliency(weights) else None
    if not with_rekognition:
        return Eyes(_local_faces, answers, salient=salient)
    from handler.vision.rekognition import (  # noqa: PLC0415 - a laptop does without
        FacesByRekognition,
        LabelsByRekognition,
        ObjectsByRekognition,
        Service,
    )

    service = Service(aws)
    return Eyes(
        lambda: FacesByRekognition(service),
        answers,
        objects=lambda: ObjectsByRekognition(service),
        labels=lambda: LabelsByRekognition(service),
        salient=salient,
        lets_pass=lets_pass,
    )


def _local_faces() -> Seer:
    from handler.vision.local import LocalFaces  # noqa: PLC0415 - it runs a model

    return LocalFaces()


def _local_figures(weights: str) -> Seer:
    from handler.vision.local import LocalFigures  # noqa: PLC0415 - it runs a model

    return LocalFigures(weights)


__all__ = ["Answers", "Eyes", "open_eyes"]
