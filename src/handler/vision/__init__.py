"""Who sees for the features: Rekognition, a face detector on this machine, and what either has said before."""

from __future__ import annotations

from handler.aws import AwsAccess
from handler.vision.answers import Answers, Store
from handler.vision.eyes import Eyes, Seer


def open_eyes(with_rekognition: bool, aws: AwsAccess, *, store: Store | None = None, lets_pass: bool = False) -> Eyes:
    """Rekognition's eyes, or this machine's. `store` keeps what they see; `lets_pass`: pictures leave while moderation
    is down.
    """
    answers = Answers(store)
    if not with_rekognition:
        return Eyes(_local_faces, answers)
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
        lets_pass=lets_pass,
    )


def _local_faces() -> Seer:
    from handler.vision.local import LocalFaces  # noqa: PLC0415 - it runs a model

    return LocalFaces()


__all__ = ["Answers", "Eyes", "Store", "open_eyes"]
