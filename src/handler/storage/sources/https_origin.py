"""A fixed HTTPS origin as a source. Redirects are not followed, so that requests are sent to no other host."""

from __future__ import annotations

import hashlib
import http.client
import ssl
import time
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from handler.aws.ssrf_guard import GuardedConnection, PrivateAddressError
from handler.aws.tls import client_tls
from handler.core.errors import Forbidden
from handler.core.ports import Listing, ObjectInfo, StoredObject
from handler.storage.sources import store_errors
from handler.storage.sources.stored import CHUNK_BYTES, Bounds, Stored, join_chunks, unquote_etag
from imaging import ObjectRef

_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "image-handler"}
_IDLE_CONNECTIONS = 4
_NO_SUCH_METHOD = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}


class HttpsOrigin:
    """The objects under one `https://host/prefix`."""

    def __init__(
        self, name: str, url: str, bounds: Bounds, *, allow_private: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(url)
        self._name = name
        self._host = parts.hostname or ""
        self._port = parts.port or 443
        self._path = parts.path.rstrip("/")
        self._bounds = bounds
        self._allow_private = allow_private
        self._tls = tls
        self._idle: list[GuardedConnection] = []
        weakref.finalize(self, _close, self._idle)

    def get(self, key: str) -> StoredObject:
        ref = ObjectRef(self._name, key)
        with _translate_errors(ref):
            connection, response = self._request("GET", ref)
        release = partial(self._release, connection, response)
        info = _info(ref, response)
        if info is not None:
            return Stored(info, _chunks(ref, response), self._bounds.limit, release, is_remote=True)
        # The headers have neither size nor version, so both are made from the bytes.
        try:
            body = join_chunks(ref, _chunks(ref, response), self._bounds.limit)
        finally:
            release()
        if response.length:
            raise store_errors.failed(ref, f"{response.length} bytes are missing")
        etag = hashlib.sha256(body).hexdigest()[:32]
        info = ObjectInfo(ref, len(body), etag, _last_modified(response), *_cache_control_and_type(response))
        return Stored(info, [body], self._bounds.limit)

    def head(self, key: str) -> ObjectInfo:
        ref = ObjectRef(self._name, key)
        with _translate_errors(ref):
            connection, response = self._request("HEAD", ref, {HTTPStatus.OK, *_NO_SUCH_METHOD})
            response.read()
        self._release(connection, response)
        info = _info(ref, response) if response.status == HTTPStatus.OK else None
        return info or self.get(key).info

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        raise self._cannot_list(prefix)

    def page(self, prefix: str, cursor: str, limit: int) -> Listing:  # noqa: ARG002 - the signature of Source
        raise self._cannot_list(prefix)

    def _cannot_list(self, prefix: str) -> Forbidden:
        return Forbidden(f"bucket `{self._name}` is an HTTPS origin, which cannot be listed: `{prefix}`")

    def _request(
        self, method: str, ref: ObjectRef, expected: Collection[int] = (HTTPStatus.OK,)
    ) -> tuple[GuardedConnection, http.client.HTTPResponse]:
        """Return a connection and its response. HandlerError for a status that is not expected."""
        if {".", ".."} & set(ref.key.replace("\\", "/").split("/")):
            raise store_errors.not_found(ref, "some servers treat a backslash as a slash")
        deadline = time.monotonic() + self._bounds.timeout
        path = f"{self._path}/{quote(ref.key, safe='/')}"
        connection, response = self._exchange(method, path, deadline)
        if response.status in expected:
            return connection, response
        connection.close()
        status = f"{response.status} {response.reason}"
        if 300 <= response.status < 400:
            raise store_errors.failed(
                ref, f"{status}: redirects are not followed, to {response.headers.get('Location')}"
            )
        raise store_errors.of_status(ref, response.status, status)

    def _exchange(self, method: str, path: str, deadline: float) -> tuple[GuardedConnection, http.client.HTTPResponse]:
        while self._idle:
            connection = self._idle.pop()
            try:
                return connection, _send(connection, method, path, deadline)
            except (OSError, http.client.HTTPException):
                connection.close()  # the origin may have closed it while it was idle; a new connection will tell
        connection = GuardedConnection(
            self._host, self._port, self._tls or client_tls(), allow_private=self._allow_private
        )
        try:
            return connection, _send(connection, method, path, deadline)
        except BaseException:
            connection.close()
            raise

    def _release(self, connection: GuardedConnection, response: http.client.HTTPResponse) -> None:
        """Keep the connection for the next request if this response was read to its end, else close it."""
        is_complete = response.isclosed() and not response.length and not response.will_close
        if is_complete and connection.sock is not None and len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            response.close()
            connection.close()


def _close(connections: list[GuardedConnection]) -> None:
    for connection in connections:
        connection.close()


def _send(connection: GuardedConnection, method: str, path: str, deadline: float) -> http.client.HTTPResponse:
    connection.deadline = deadline
    connection.request(method, path, headers=_HEADERS)
    return connection.getresponse()


def _info(ref: ObjectRef, response: http.client.HTTPResponse) -> ObjectInfo | None:
    """Return what the headers tell of the object, None if size or version is missing."""
    length = response.headers.get("Content-Length", "")
    etag = unquote_etag(response.headers.get("ETag", ""))
    modified = _last_modified(response)
    if not length.isdigit() or not (etag or modified.timestamp()):
        return None
    etag = etag or f"{int(length):x}-{modified.timestamp():.0f}"
    return ObjectInfo(ref, int(length), etag, modified, *_cache_control_and_type(response))


def _cache_control_and_type(response: http.client.HTTPResponse) -> tuple[str, str]:
    return response.headers.get("Cache-Control", ""), response.headers.get("Content-Type", "")


def _last_modified(response: http.client.HTTPResponse) -> datetime:
    """Return when the object was last modified; 1970 if the header is missing or invalid."""
    try:
        moment = parsedate_to_datetime(response.headers.get("Last-Modified", ""))
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _chunks(ref: ObjectRef, response: http.client.HTTPResponse) -> Iterator[bytes]:
    with _translate_errors(ref):
        while chunk := response.read(CHUNK_BYTES):
            yield chunk


@contextmanager
def _translate_errors(ref: ObjectRef) -> Iterator[None]:
    """Raise errors of the network as errors of the handler."""
    try:
        yield
    except PrivateAddressError as error:
        message = f"the host of bucket `{ref.bucket}` has a private address, to which no request is sent"
        raise Forbidden(message, code=store_errors.CANNOT_ACCESS, detail=str(error)) from error
    except TimeoutError as error:
        raise store_errors.slow(ref, str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise store_errors.failed(ref, repr(error)) from error
