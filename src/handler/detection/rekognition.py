"""Amazon Rekognition: faces, things and moderation labels. boto3 is imported with the first question."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from handler.aws import AwsAccess
from handler.aws.sdk import (
    SdkCredentialsError,
    SdkError,
    SdkRefusal,
    SdkResponseError,
    SdkTimeout,
    sdk_client,
    sdk_errors,
)
from handler.detection.cache import Detection
from handler.detection.service import DetectionUnavailable
from imaging import DamagedSource, Deadline, Label, Region, Unavailable

if TYPE_CHECKING:
    import pyvips

SIDE = 1920
"""Pixels: Rekognition finds faces down to 40 pixels in a picture of that size."""
LEAST_SIDE = 80
LARGEST_BYTES = 5 * 1024 * 1024
_QUALITIES = (90, 80, 60, 40)
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 2, 5, 3
_SHARE_OF_TIME = 0.6
"""Of what is left until the deadline; the picture itself wants to be made in the rest."""
_SURE_OBJECT = 55
_NOT_AS_IT_SHOULD = "Rekognition does not answer as it should"
_BUSY = {"ThrottlingException", "ProvisionedThroughputExceededException", "LimitExceededException"}
_UNREADABLE = {"InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException"}
_REFUSED = {
    "AccessDeniedException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ExpiredTokenException",
}


class Shown(NamedTuple):
    """A picture as Rekognition takes it: a JPEG, which may have been filled up to the least size."""

    jpeg: bytes
    width: float
    """Of the picture itself, as a share of the JPEG's."""
    height: float

    @classmethod
    def of(cls, picture: pyvips.Image) -> Shown:
        """Enlarge what is too small, fill up what is too thin, and keep within the limit of bytes."""
        least, most = min(picture.width, picture.height), max(picture.width, picture.height)
        if least < LEAST_SIDE:
            picture = picture.resize(max(1.0, min(LEAST_SIDE / least, SIDE / most)))
        size = (max(LEAST_SIDE, picture.width), max(LEAST_SIDE, picture.height))
        filled = picture.embed(0, 0, *size, extend="copy")
        encoded = (bytes(filled.jpegsave_buffer(Q=quality)) for quality in _QUALITIES)
        jpeg = next((body for body in encoded if len(body) <= LARGEST_BYTES), b"")
        return cls(jpeg, picture.width / size[0], picture.height / size[1])

    def region(self, box: Mapping[str, float]) -> Region | None:
        """A BoundingBox in shares of the picture itself; Rekognition's may reach beyond the edges."""
        left, top, width, height = (_number(box[name]) for name in ("Left", "Top", "Width", "Height"))
        return Region.clamped(left / self.width, top / self.height, width / self.width, height / self.height)


class Service:
    """The client that all three share."""

    def __init__(self, aws: AwsAccess) -> None:
        self._aws = aws
        self._made: Any = None
        self._lock = threading.Lock()

    def ask(
        self, operation: str, pictures: Sequence[Shown], deadline: Deadline, **more: object
    ) -> list[dict[str, Any]]:
        """The service's answer for each picture, side by side. VisionDown, DamagedSource, Unavailable."""
        method = getattr(self._client(), operation)

        def call(picture: Shown) -> dict[str, Any]:
            with _told(operation):
                answer: dict[str, Any] = method(Image={"Bytes": picture.jpeg}, **more)
                return answer

        # Not a context manager: that would wait for a call that comes too late.
        pool = ThreadPoolExecutor(max_workers=len(pictures), thread_name_prefix="rekognition")
        try:
            return list(pool.map(call, pictures, timeout=_patience(deadline)))
        except TimeoutError:
            raise DetectionUnavailable(
                "Rekognition does not answer in time", status=HTTPStatus.GATEWAY_TIMEOUT
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _client(self) -> Any:
        with self._lock:
            self._made = self._made or self._make()
            return self._made

    def _make(self) -> Any:
        return sdk_client(
            "rekognition",
            self._aws,
            region=self._aws.home,
            endpoint=self._aws.rekognition,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            attempts=_ATTEMPTS,
        )


class FacesByRekognition:
    """DetectFaces. The service says no version of this model."""

    question = "faces-rekognition"
    side = SIDE
    most = 1

    def __init__(self, service: Service) -> None:
        self._service = service

    def look(self, pictures: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Up to 100 faces, in the service's own order: pages that come from AWS's handler count them so."""
        shown = [Shown.of(picture) for picture in pictures]
        (answer,) = self._service.ask("detect_faces", shown, deadline)
        with _read():
            regions = (shown[0].region(face["BoundingBox"]) for face in answer["FaceDetails"])
            return Detection("", tuple(region for region in regions if region is not None))


class ObjectsByRekognition:
    """DetectLabels, of which those count that say where they are."""

    question = "objects-rekognition"
    side = SIDE
    most = 1

    def __init__(self, service: Service) -> None:
        self._service = service

    def look(self, pictures: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Every instance of the label that covers most of the picture, the surer the better."""
        shown = [Shown.of(picture) for picture in pictures]
        (answer,) = self._service.ask("detect_labels", shown, deadline, MinConfidence=_SURE_OBJECT)
        with _read():
            instances = [label.get("Instances", ()) for label in answer["Labels"]]
            most = max(instances, key=lambda found: sum(map(_weight, found)), default=())
            regions = [shown[0].region(instance["BoundingBox"]) for instance in most]
            version = str(answer.get("LabelModelVersion", ""))
        return Detection(version, tuple(region for region in regions if region is not None))


class LabelsByRekognition:
    """DetectModerationLabels, on up to five frames or pages of a picture."""

    question = "moderation-rekognition"
    side = SIDE
    most = 5

    def __init__(self, service: Service) -> None:
        self._service = service

    def look(self, pictures: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Every label of every frame with all its parents, each as sure as where it was surest; the surest first."""
        shown = [Shown.of(picture) for picture in pictures]
        # All of them, however unsure: what counts differs from request to request, and the price does not.
        answers = self._service.ask("detect_moderation_labels", shown, deadline, MinConfidence=0)
        surest: dict[str, Label] = {}
        with _read():
            for label in (label for answer in answers for label in _labels(answer["ModerationLabels"])):
                if label.name not in surest or surest[label.name].confidence < label.confidence:
                    surest[label.name] = label
            labels = sorted(surest.values(), key=lambda label: -label.confidence)
            return Detection(str(answers[0].get("ModerationModelVersion", "")), labels=tuple(labels))


def _labels(found: Sequence[Mapping[str, Any]]) -> Iterator[Label]:
    """Labels with every name above them: each says its parent alone, and the parents are labels themselves."""
    parents = {str(label["Name"]): str(label.get("ParentName", "")) for label in found}
    for label in found:
        above: list[str] = []
        parent = parents[str(label["Name"])]
        while parent and parent not in above:
            above.append(parent)
            parent = parents.get(parent, "")
        yield Label(str(label["Name"]), _number(label["Confidence"]), tuple(above))


def _weight(instance: Mapping[str, Any]) -> float:
    box = instance["BoundingBox"]
    return _number(box["Width"]) * _number(box["Height"]) * _number(instance["Confidence"])


def _number(value: object) -> float:
    """A finite number; JSON as Python reads it knows others, and no comparison with such a one holds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"a number is expected, got {value!r:.60}")
    return float(value)


def _patience(deadline: Deadline) -> float:
    most = _ATTEMPTS * (_CONNECT_SECONDS + _READ_SECONDS) + 10
    return min(most, max(0.0, deadline.left() * _SHARE_OF_TIME))


@contextmanager
def _told(operation: str) -> Iterator[None]:
    """boto3's errors as this project's; what may pass was tried several times by then."""
    try:
        with sdk_errors():
            yield
    except SdkRefusal as error:
        raise _of_code(operation, error.code, str(error)) from error
    except SdkCredentialsError as error:
        message = "Amazon Rekognition needs AWS credentials: give the process some, or set VISION=local"
        raise Unavailable(message, detail=str(error)) from error
    except SdkTimeout as error:
        message = "Rekognition does not answer in time"
        raise DetectionUnavailable(message, detail=str(error), status=HTTPStatus.GATEWAY_TIMEOUT) from error
    except SdkResponseError as error:
        raise DetectionUnavailable(_NOT_AS_IT_SHOULD, detail=str(error)) from error
    except SdkError as error:
        message = "Rekognition cannot be reached"
        raise DetectionUnavailable(message, detail=str(error), status=HTTPStatus.SERVICE_UNAVAILABLE) from error


def _of_code(operation: str, code: str, detail: str) -> DetectionUnavailable | DamagedSource:
    if code in _UNREADABLE:
        return DamagedSource("Rekognition cannot read the picture", detail=detail)
    if code in _BUSY:
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"}
        return DetectionUnavailable("Rekognition has too much to do", detail=detail, status=status, headers=headers)
    if code in _REFUSED:
        action = "rekognition:" + "".join(word.capitalize() for word in operation.split("_"))
        return DetectionUnavailable("Rekognition does not let this service ask it", detail=f"grant {action}; {detail}")
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return DetectionUnavailable(_NOT_AS_IT_SHOULD, detail=detail, status=status)


@contextmanager
def _read() -> Iterator[None]:
    """An answer that lacks what the service always says, or says it otherwise, as VisionDown: nobody has looked."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DetectionUnavailable(_NOT_AS_IT_SHOULD, detail=f"the answer cannot be read: {error!r:.500}") from error
