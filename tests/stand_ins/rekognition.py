"""A stand-in of Amazon Rekognition over HTTP: it speaks AWS's JSON protocol, and holds every request and every answer
of its own against botocore's model of the service.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyvips

Box = tuple[float, float, float, float]
"""Left, top, width and height, as fractions of the image."""
_TARGET = "RekognitionService."
_TAXONOMY = {"Explicit Nudity": "Explicit", "Exposed Buttocks or Anus": "Explicit Nudity", "Weapons": "Violence"}


@dataclass(frozen=True)
class Fault:
    """An error instead of an answer, or a late answer."""

    code: str = ""
    status: int = 400
    seconds: float = 0.0
    raw: bytes | None = None
    """An arbitrary body instead of an answer."""


@dataclass
class Rekognition:
    """What it detects in images, the failures of the first requests, and the received requests."""

    url: str = ""
    faces: Sequence[Box] = ()
    objects: Mapping[str, Sequence[Box]] = field(default_factory=dict)
    text: Sequence[Box] = ()
    labels: Callable[[Any], Mapping[str, float]] = lambda _: {}
    """Returns names and percentages for an image (pyvips)."""
    faults: list[Fault] = field(default_factory=list)
    """Failures of the next requests, one each."""
    version: str = "7.0"
    asked: list[str] = field(default_factory=list)
    """The called operations, in order."""
    pictures: list[Any] = field(default_factory=list)
    regions: set[str] = field(default_factory=set)
    """The regions that requests were signed for."""
    complaints: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The environment with which a handler calls this server."""
        return {
            "VISION": "rekognition",
            "AWS_ENDPOINT_URL_REKOGNITION": self.url,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    """Faults of the requests; a test expects an empty list."""

    def answer(self, operation: str, said: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a valid request."""
        picture = pyvips.Image.new_from_buffer(said["Image"]["Bytes"], "")
        self.pictures.append(picture)
        if operation == "DetectFaces":
            faces = [{"BoundingBox": _box(box), "Confidence": 99.9} for box in self.faces]
            return {"FaceDetails": faces}
        if operation == "DetectLabels":
            labels = [_label(name, boxes) for name, boxes in self.objects.items()]
            return {"Labels": labels, "LabelModelVersion": "3.0"}
        if operation == "DetectText":
            lines = [{"Type": "LINE", "Geometry": {"BoundingBox": _box(box)}} for box in self.text]
            return {"TextDetections": lines, "TextModelVersion": "3.0"}
        least = said.get("MinConfidence", 50)
        found = {name: sure for name, sure in self.labels(picture).items() if sure >= least}
        return {"ModerationLabels": _with_parents(found), "ModerationModelVersion": self.version}


def _box(box: Box) -> dict[str, float]:
    return dict(zip(("Left", "Top", "Width", "Height"), box, strict=True))


def _label(name: str, boxes: Sequence[Box]) -> dict[str, Any]:
    instances = [{"BoundingBox": _box(box), "Confidence": 90.0} for box in boxes]
    return {"Name": name, "Confidence": 90.0, "Instances": instances, "Parents": []}


def _with_parents(found: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return labels like the service: each label names its parents, and each parent is a label too."""
    labels: dict[str, dict[str, Any]] = {}
    for name, sure in found.items():
        level = name
        while level and level not in labels:
            parent = _TAXONOMY.get(level, "")
            labels[level] = {"Name": level, "Confidence": sure, "ParentName": parent, "TaxonomyLevel": 1}
            level = parent
    return list(labels.values())


@cache
def _model() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("rekognition")


def _complaints(operation: str, headers: Mapping[str, str], said: dict[str, Any]) -> list[str]:
    """Return the faults of a request; the base64 of its image is decoded in place."""
    from botocore.validate import ParamValidator

    wrong = []
    if "Credential=" not in headers.get("Authorization", "") or "/rekognition/" not in headers["Authorization"]:
        wrong.append("the request is not signed for rekognition")
    if headers.get("Content-Type") != "application/x-amz-json-1.1":
        wrong.append("the content type must be application/x-amz-json-1.1")
    if "Bytes" in said.get("Image", {}):
        said["Image"]["Bytes"] = base64.b64decode(said["Image"]["Bytes"], validate=True)
    report = ParamValidator().validate(said, _model().operation_model(operation).input_shape)
    if report.has_errors():
        wrong.append(report.generate_report())
    body = said.get("Image", {}).get("Bytes", b"")
    if not body.startswith((b"\xff\xd8\xff", b"\x89PNG")) or len(body) > 5 * 1024 * 1024:
        wrong.append("the picture must be a JPEG or PNG of at most 5 MB")
    else:
        picture = pyvips.Image.new_from_buffer(body, "")
        if min(picture.width, picture.height) < 80 or max(picture.width, picture.height) > 10_000:
            wrong.append(f"sides must be 80 to 10,000 pixels, got {picture.width} x {picture.height}")
    return wrong


@contextmanager
def rekognition_server() -> Iterator[Rekognition]:
    """Listen on loopback until the block ends, then check that every request was valid."""
    stand_in = Rekognition()
    server = _Server(("127.0.0.1", 0), _handler(stand_in))
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
    assert stand_in.complaints == []


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that disconnects, as tests do."""


def _handler(stand_in: Rekognition) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers.get("X-Amz-Target", "").removeprefix(_TARGET)
            stand_in.asked.append(operation)
            stand_in.regions |= set(re.findall(r"/([a-z0-9-]+)/rekognition/", self.headers.get("Authorization", "")))
            said = json.loads(body)
            stand_in.complaints += _complaints(operation, dict(self.headers), said)
            fault = stand_in.faults.pop(0) if stand_in.faults else Fault()
            time.sleep(fault.seconds)
            if fault.raw is not None:
                self._send_body(200, fault.raw)
            elif fault.code:
                self._send(fault.status, {"__type": fault.code, "message": f"made up: {fault.code}"})
            else:
                self._send(200, self._checked(operation, stand_in.answer(operation, said)))

        def _checked(self, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
            from botocore.validate import ParamValidator

            report = ParamValidator().validate(answer, _model().operation_model(operation).output_shape)
            if report.has_errors():
                stand_in.complaints.append(f"the stand-in's own answer: {report.generate_report()}")
            return answer

        def _send(self, status: int, content: object) -> None:
            self._send_body(status, json.dumps(content).encode())

        def _send_body(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Log nothing on standard error."""

    return Handler
