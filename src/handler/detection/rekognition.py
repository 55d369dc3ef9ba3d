"""Detect faces, objects and moderation labels with Amazon Rekognition. boto3 is imported at the first call."""

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
from imaging import DamagedSource, Deadline, Found, Label, Region, Unavailable, UnreadableByDetector

if TYPE_CHECKING:
    import pyvips

SIDE = 1920
"""Pixels of the longer side: in such an image Rekognition finds faces from 40 pixels on."""
MIN_SIDE = 80
MAX_BYTES = 5 * 1024 * 1024
"""Limits of Rekognition: pixels of the shorter side, and bytes of an image."""
_QUALITIES = (90, 80, 60, 40)
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 2, 5, 3
_SHARE_OF_TIME = 0.6
"""Share of the time until the deadline for Rekognition; the rest is for rendering the image."""
_MIN_OBJECT_CONFIDENCE = 55
"""Per cent; the default of DetectLabels."""
_UNEXPECTED = "Rekognition returned an unexpected response"
_BUSY = {"ThrottlingException", "ProvisionedThroughputExceededException", "LimitExceededException"}
_UNREADABLE = {"InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException"}
_REFUSED = {
    "AccessDeniedException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ExpiredTokenException",
}


class RekognitionImage(NamedTuple):
    """An image within the limits of Rekognition: a JPEG, which may be padded to the smallest size."""

    jpeg: bytes
    width: float
    """Width of the image itself, as a share of the JPEG's."""
    height: float
    """The same for its height."""

    @classmethod
    def of(cls, image: pyvips.Image) -> RekognitionImage:
        """Enlarge an image that is too small, pad one that is too thin, and encode it within the limit of bytes."""
        shorter, longer = min(image.width, image.height), max(image.width, image.height)
        if shorter < MIN_SIDE:
            image = image.resize(max(1.0, min(MIN_SIDE / shorter, SIDE / longer)))
        size = (max(MIN_SIDE, image.width), max(MIN_SIDE, image.height))
        padded = image.embed(0, 0, *size, extend="copy")
        encoded = (bytes(padded.jpegsave_buffer(Q=quality)) for quality in _QUALITIES)
        jpeg = next((body for body in encoded if len(body) <= MAX_BYTES), b"")
        return cls(jpeg, image.width / size[0], image.height / size[1])

    def region(self, box: Mapping[str, float]) -> Region | None:
        """Return a BoundingBox in shares of the image itself; Rekognition's may extend beyond the edges."""
        left, top, width, height = (_number(box[name]) for name in ("Left", "Top", "Width", "Height"))
        return Region.clamped(left / self.width, top / self.height, width / self.width, height / self.height)


class RekognitionClient:
    """Calls Rekognition; all detectors share one client."""

    def __init__(self, aws: AwsAccess, region: str) -> None:
        self._aws = aws
        self._region = region
        self._sdk: Any = None
        self._lock = threading.Lock()

    def call(
        self, operation: str, images: Sequence[RekognitionImage], deadline: Deadline, **params: object
    ) -> list[dict[str, Any]]:
        """Return the response for each image, from calls at the same time.

        DetectionUnavailable, DamagedSource, Unavailable.
        """
        method = getattr(self._sdk_client(), operation)

        def call(image: RekognitionImage) -> dict[str, Any]:
            with _translate_errors(operation):
                answer: dict[str, Any] = method(Image={"Bytes": image.jpeg}, **params)
                return answer

        # Not as a context manager, which would wait for calls that are too late.
        pool = ThreadPoolExecutor(max_workers=len(images), thread_name_prefix="rekognition")
        try:
            return list(pool.map(call, images, timeout=_timeout(deadline)))
        except TimeoutError:
            raise DetectionUnavailable(
                "Rekognition does not answer in time", status=HTTPStatus.GATEWAY_TIMEOUT
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _sdk_client(self) -> Any:
        with self._lock:
            self._sdk = self._sdk or self._open()
            return self._sdk

    def _open(self) -> Any:
        return sdk_client(
            "rekognition",
            self._aws,
            region=self._region,
            endpoint=self._aws.rekognition,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            attempts=_ATTEMPTS,
        )


class _OneFrame:
    """A detector that looks at one frame of an image."""

    side = SIDE
    max_frames = 1

    def __init__(self, client: RekognitionClient) -> None:
        self._client = client

    def _ask(
        self, operation: str, previews: Sequence[pyvips.Image], deadline: Deadline, **parameters: object
    ) -> tuple[RekognitionImage, Any]:
        """Return the image that was sent, and the answer about it."""
        image = RekognitionImage.of(previews[0])
        (answer,) = self._client.call(operation, [image], deadline, **parameters)
        return image, answer


class FacesByRekognition(_OneFrame):
    """Faces by DetectFaces, which does not tell the version of its model."""

    name = "faces-rekognition"

    def detect(self, previews: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Return up to 100 faces in the order of the service, by which AWS's handler numbers them too."""
        image, answer = self._ask("detect_faces", previews, deadline)
        with _reading():
            regions = (image.region(face["BoundingBox"]) for face in answer["FaceDetails"])
            return Detection("", tuple(region for region in regions if region is not None))


class ObjectsByRekognition(_OneFrame):
    """Objects by DetectLabels: the labels that have bounding boxes."""

    name = "objects-rekognition-2"

    def detect(self, previews: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Return all instances of all labels, and the regions of one label.

        It is that with the largest area, weighted by confidence.
        """
        image, answer = self._ask("detect_labels", previews, deadline, MinConfidence=_MIN_OBJECT_CONFIDENCE)
        with _reading():
            instances = [label.get("Instances", ()) for label in answer["Labels"]]
            largest = max(instances, key=lambda found: sum(map(_weight, found)), default=())
            regions = [image.region(instance["BoundingBox"]) for instance in largest]
            version = str(answer.get("LabelModelVersion", ""))
            found = tuple(_instances(answer["Labels"], image))
        return Detection(version, tuple(region for region in regions if region is not None), found=found)


def _instances(labels: Sequence[Mapping[str, Any]], image: RekognitionImage) -> Iterator[Found]:
    for label in labels:
        above = tuple(str(parent["Name"]) for parent in label.get("Parents", ()))
        for instance in label.get("Instances", ()):
            region = image.region(instance["BoundingBox"])
            if region is not None:
                yield Found(region, name=str(label["Name"]), above=above)


class TextByRekognition(_OneFrame):
    """Lines of text by DetectText."""

    name = "text-rekognition"

    def detect(self, previews: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Return the rectangle around each line and each word: the service finds up to 100 words."""
        image, answer = self._ask("detect_text", previews, deadline)
        with _reading():
            regions = (image.region(text["Geometry"]["BoundingBox"]) for text in answer["TextDetections"])
            found = tuple(region for region in regions if region is not None)
            return Detection(str(answer.get("TextModelVersion", "")), found)


class LabelsByRekognition:
    """Moderation labels by DetectModerationLabels, for up to five frames or pages of an image."""

    name = "moderation-rekognition"
    side = SIDE
    max_frames = 5

    def __init__(self, client: RekognitionClient) -> None:
        self._client = client

    def detect(self, previews: Sequence[pyvips.Image], deadline: Deadline) -> Detection:
        """Return every label of every frame with its parents, once, with its highest confidence; the highest first."""
        images = [RekognitionImage.of(preview) for preview in previews]
        # Labels of any confidence, because they are cached and requests differ in the confidence that they ask for.
        answers = self._client.call("detect_moderation_labels", images, deadline, MinConfidence=0)
        highest: dict[str, Label] = {}
        with _reading():
            for label in (label for answer in answers for label in _labels(answer["ModerationLabels"])):
                if label.name not in highest or highest[label.name].confidence < label.confidence:
                    highest[label.name] = label
            labels = sorted(highest.values(), key=lambda label: -label.confidence)
            return Detection(str(answers[0].get("ModerationModelVersion", "")), labels=tuple(labels))


def _labels(found: Sequence[Mapping[str, Any]]) -> Iterator[Label]:
    """Yield labels with all their ancestors: a label of Rekognition names its parent, which is a label too."""
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
    """Return a finite number. ValueError for others: Python's JSON has NaN, for which no comparison holds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {value!r:.60}")
    return float(value)


def _timeout(deadline: Deadline) -> float:
    longest = _ATTEMPTS * (_CONNECT_SECONDS + _READ_SECONDS) + 10
    return min(longest, max(0.0, deadline.left() * _SHARE_OF_TIME))


@contextmanager
def _translate_errors(operation: str) -> Iterator[None]:
    """Raise boto3's errors as errors of the handler; boto3 has made its retries by then."""
    try:
        with sdk_errors():
            yield
    except SdkRefusal as error:
        raise _error_of_code(operation, error.code, str(error)) from error
    except SdkCredentialsError as error:
        message = "Amazon Rekognition needs AWS credentials: configure them, or set VISION=local"
        raise Unavailable(message, detail=str(error)) from error
    except SdkTimeout as error:
        message = "Rekognition does not answer in time"
        raise DetectionUnavailable(message, detail=str(error), status=HTTPStatus.GATEWAY_TIMEOUT) from error
    except SdkResponseError as error:
        raise DetectionUnavailable(_UNEXPECTED, detail=str(error)) from error
    except SdkError as error:
        message = "Rekognition cannot be reached"
        raise DetectionUnavailable(message, detail=str(error), status=HTTPStatus.SERVICE_UNAVAILABLE) from error


def _error_of_code(operation: str, code: str, detail: str) -> DetectionUnavailable | DamagedSource:
    if code in _UNREADABLE:
        return UnreadableByDetector("Rekognition cannot read the image", detail=detail)
    if code in _BUSY:
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"}
        return DetectionUnavailable("Rekognition is throttling requests", detail=detail, status=status, headers=headers)
    if code in _REFUSED:
        action = "rekognition:" + "".join(word.capitalize() for word in operation.split("_"))
        return DetectionUnavailable("Rekognition denied access", detail=f"grant {action}; {detail}")
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return DetectionUnavailable(_UNEXPECTED, detail=detail, status=status)


@contextmanager
def _reading() -> Iterator[None]:
    """Raise DetectionUnavailable for a response without the expected fields."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DetectionUnavailable(_UNEXPECTED, detail=f"the answer cannot be read: {error!r:.500}") from error
