"""A client of `/_api/uploads`: uploads one file with a form or in parts, and tells its progress."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import msgspec

from handler.aws.client import Reply, send

BLOCK_BYTES = 1 << 18
MULTIPART_BYTES = 64_000_000
"""Size from which a file is uploaded in parts, each of which can be repeated by itself."""
_SECONDS = 60.0
"""Time for each step of a request."""
_PAUSES = (1.0, 4.0, 15.0)
"""Seconds before another attempt, if the answer names no other time."""
_LONGEST_PAUSE = 60.0
_TEMPORARY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE)


class UploadFailed(Exception):
    """A file could not be uploaded; the text says why."""


class LocalFile(msgspec.Struct, frozen=True):
    """A file on this machine, and the key that it gets."""

    path: Path
    key: str
    size: int


class UploadClient(msgspec.Struct, frozen=True):
    """Uploads files to one service."""

    url: str
    """URL of the service, with a slash at its end."""
    token: str
    overwrite: bool
    count: Callable[[int], None]
    """Called, from several threads, with the number of bytes that were sent since the last call."""

    def upload(self, file: LocalFile) -> str:
        """Upload a file and return `uploaded`; `unchanged` if the service has it under its key. Raise UploadFailed."""
        if not file.size:
            raise UploadFailed("the file is empty")
        try:
            request = {
                "key": file.key,
                "name": file.path.name[:200],
                "bytes": file.size,
                "sha256": _digest(file.path),
                "overwrite": self.overwrite,
                "expires": "6h",
                "multipart": file.size > MULTIPART_BYTES,
            }
            reply = self._call("uploads", request)
            begun = _parse(reply)
            if reply.status == HTTPStatus.OK:
                self.count(file.size)
                return "unchanged"
            if "parts" in begun:
                self._send_parts(file, begun)
            else:
                self._send_form(file, begun)
        except (OSError, ValueError, LookupError) as error:
            raise UploadFailed(str(error) or repr(error)) from error
        return "uploaded"

    def _send_form(self, file: LocalFile, granted: Mapping[str, Any]) -> None:
        boundary = uuid.uuid4().hex
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in granted["fields"].items()
        )
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
        tail = f"\r\n--{boundary}--\r\n"

        def blocks() -> Iterator[bytes]:
            yield head.encode()
            yield from self._read(file.path, 0, file.size)
            yield tail.encode()

        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head.encode()) + file.size + len(tail)),
        }
        self._send("POST", urljoin(self.url, granted["url"]), blocks, headers)

    def _send_parts(self, file: LocalFile, begun: Mapping[str, Any]) -> None:
        part_bytes = begun["partBytes"]
        etags = []
        names = {"key": file.key, "upload": begun["upload"]}
        try:
            for part in begun["parts"]:
                start = (part["number"] - 1) * part_bytes
                size = min(part_bytes, file.size - start)

                def blocks(start: int = start, size: int = size) -> Iterator[bytes]:
                    return self._read(file.path, start, size)

                headers = {"Content-Length": str(size)}
                reply = self._send("PUT", urljoin(self.url, part["url"]), blocks, headers)
                etags.append({"number": part["number"], "etag": reply.headers.get("etag", "").strip('"')})
            self._call("uploads/complete", {**names, "parts": etags, "overwrite": self.overwrite})
        except BaseException:
            self._call("uploads/abort", names)
            raise

    def _read(self, path: Path, start: int, size: int) -> Iterator[bytes]:
        """Yield a part of a file, and count what is sent. What is sent again is counted once more, then taken back."""
        sent = 0
        try:
            with path.open("rb") as file:
                file.seek(start)
                while sent < size and (block := file.read(min(BLOCK_BYTES, size - sent))):
                    yield block
                    sent += len(block)
                    self.count(len(block))
        except GeneratorExit:
            self.count(-sent)
            raise

    def _call(self, page: str, content: object) -> Reply:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        body = json.dumps(content).encode()
        return self._send(
            "POST", urljoin(self.url, f"_api/{page}"), lambda: [body], {**headers, "Content-Length": str(len(body))}
        )

    def _send(self, method: str, url: str, blocks: Callable[[], Iterable[bytes]], headers: Mapping[str, str]) -> Reply:
        """Send a request, again after a pause while the service is busy. Raise UploadFailed for another error."""
        for pause in (*_PAUSES, None):
            try:
                reply = send(method, url, blocks(), headers, _SECONDS)
            except OSError as error:
                if pause is None:
                    raise UploadFailed(f"{method} {url.partition('?')[0]}: {error!r}") from error
                time.sleep(pause)
                continue
            if reply.status < HTTPStatus.BAD_REQUEST:
                return reply
            if pause is None or reply.status not in _TEMPORARY:
                raise UploadFailed(_describe(reply))
            wait = reply.headers.get("retry-after", "")
            time.sleep(min(float(wait), _LONGEST_PAUSE) if wait.isdigit() else pause)
        raise AssertionError  # the last pass of the loop returns or raises


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse(reply: Reply) -> dict[str, Any]:
    content = json.loads(reply.body) if reply.body else {}
    if not isinstance(content, dict):
        raise ValueError("the service does not answer like an image handler")
    return content


def _describe(reply: Reply) -> str:
    """Return the status and the message of a refusal, which S3 writes in XML and this service in JSON."""
    text = reply.body.decode("utf-8", "replace")
    try:
        content = json.loads(text)
        message = content["message"] if isinstance(content, dict) else text
    except (ValueError, KeyError):
        message = text.partition("<Message>")[2].partition("</Message>")[0] or text.strip()[:200]
    return f"{reply.status}: {message}"
