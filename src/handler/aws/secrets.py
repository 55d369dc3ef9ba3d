"""Secrets from Secrets Manager, or from a file outside of AWS.

On a cold start the first answer waits for a secret. One signed call through the standard library takes about half the
time of awscrt and a tenth of boto3's. Most of it is TLS, and obstore's TLS cannot be used for other services.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handler.aws import AwsAccess, endpoint_of
from handler.core.errors import UpstreamError
from handler.core.ports import SecretSource

if TYPE_CHECKING:
    from handler.aws.client import Connection

KEPT_SECONDS = 300.0
REFRESH_SECONDS = 10.0
# A source that has never answered is called again after this time; until then requests get the same error.
FAILURE_SECONDS = 1.0
_CALL_SECONDS = 2.0
_log = logging.getLogger(__name__)


class KeptSecret(ABC):
    """A `handler.core.ports.SecretSource` that caches the values of `_fetch`. One thread fetches at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._values: tuple[str, ...] = ()
        self._has_previous = False
        self._failure: UpstreamError | None = None
        self._fetched = self._called = self._missed = float("-inf")

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the current value, then the previous one. Raise UpstreamError if no value was ever fetched."""
        kept = self._values
        if kept and not refresh and self._clock() - self._fetched < KEPT_SECONDS:
            return kept  # without the lock, which a thread with an invalid signature may hold while it fetches
        with self._lock:
            now = self._clock()
            if not self._values and self._failure and now - self._called < FAILURE_SECONDS:
                raise self._failure
            stale = refresh or now - self._fetched >= KEPT_SECONDS
            if not self._values or (stale and now - self._called >= REFRESH_SECONDS):
                self._renew(now)
            elif refresh and not self._has_previous and now - self._missed >= FAILURE_SECONDS:
                self._complete()
            return self._values

    def _renew(self, now: float) -> None:
        # A cold start fetches only the current value, with which almost everything is signed.
        self._called, previous = now, bool(self._values)
        try:
            self._values = self._fetch(previous=previous)
        except UpstreamError as error:
            # Count from the end of the call, because a call that hangs takes longer than FAILURE_SECONDS.
            self._failure = error
            self._called = self._missed = self._clock()
            if not self._values:
                raise
            _log.warning("the secret cannot be refreshed, the last value is used: %s", error.detail)
        else:
            self._fetched, self._failure, self._has_previous = now, None, previous

    def _complete(self) -> None:
        """Fetch the previous value, which the first fetch has left out; keep the current one."""
        try:
            self._values = tuple(dict.fromkeys((*self._values, *self._previous())))
        except UpstreamError as error:
            self._missed = self._clock()
            _log.warning("the previous secret cannot be fetched: %s", error.detail)
        else:
            self._has_previous = True

    @abstractmethod
    def _fetch(self, *, previous: bool) -> tuple[str, ...]:
        """Return the current value and, if `previous` and if it exists, the previous one. Raise UpstreamError."""

    def _previous(self) -> tuple[str, ...]:
        """Return the previous value, if `_fetch` may leave it out. Raise UpstreamError."""
        return ()


class FileSecret(KeptSecret):
    """A file that holds the secret in its first line and, if it was rotated, the previous one in its second; or a JSON
    object with the secret in one field."""

    def __init__(
        self, path: Path | str, field: str = "SECRET_KEY", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock)
        self._path = Path(path)
        self._field = field

    def _fetch(self, *, previous: bool) -> tuple[str, ...]:  # noqa: ARG002 - a file is always read whole
        try:
            text = self._path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _unavailable(f"{self._path}: {error}") from error
        fields = _parse_object(text)
        lines = text.splitlines() if fields is None else [_read_field(fields, self._field, str(self._path))]
        values = tuple(line.strip() for line in lines if line.strip())
        if not 1 <= len(values) <= 2:
            raise _unavailable(f"{self._path} must hold a secret, or two in two lines, got {len(values)}")
        return values


class AwsSecret(KeptSecret):
    """A secret of Secrets Manager, by name or ARN: a JSON object with the secret in one field, or the bare secret."""

    def __init__(
        self,
        secret_id: str,
        field: str = "SECRET_KEY",
        *,
        aws: AwsAccess,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        self._id = secret_id
        self._field = field
        self._aws = aws
        # An ARN names its region: arn:aws:secretsmanager:eu-west-1:111122223333:secret:name
        parts = secret_id.split(":")
        self._region = parts[3] if secret_id.startswith("arn:") and len(parts) > 3 else aws.home

    def _fetch(self, *, previous: bool) -> tuple[str, ...]:
        current, *others = (
            self._fetch_stages("AWSCURRENT", "AWSPREVIOUS") if previous else self._fetch_stages("AWSCURRENT")
        )
        if not current:
            raise _unavailable(f"secret `{self._id}` does not exist, or has no value")
        return tuple(dict.fromkeys(filter(None, (current, *others))))

    def _previous(self) -> tuple[str, ...]:
        return tuple(filter(None, self._fetch_stages("AWSPREVIOUS")))

    def _fetch_stages(self, *stages: str) -> list[str]:
        """Return the values of these stages; retry once if the connection fails. Raise UpstreamError."""
        try:
            try:
                return self._call_stages(stages)
            except TimeoutError:
                raise
            except OSError:
                return self._call_stages(stages)
        except OSError as error:
            raise _unavailable(f"secret `{self._id}`: {error!r}") from error

    def _call_stages(self, stages: Iterable[str]) -> list[str]:
        # This import takes 17 ms, which a process with secrets in files does not need.
        from handler.aws.client import Connection  # noqa: PLC0415 - see above

        with Connection(self._url, _CALL_SECONDS) as connection:
            return [self._call_stage(connection, stage) for stage in stages]

    @property
    def _url(self) -> str:
        return self._aws.secrets or endpoint_of("secretsmanager", self._region)

    def _call_stage(self, connection: Connection, stage: str) -> str:
        """Return the secret of one stage; empty if the stage does not exist."""
        from handler.aws.signing import AwsRequest  # noqa: PLC0415 - see _call_stages

        body = json.dumps({"SecretId": self._id, "VersionStage": stage}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
        reply = connection.call(AwsRequest("secretsmanager", self._region, self._url, body, headers), self._aws)
        text = reply.body.decode("utf-8", "replace")
        fields = _parse_object(text) or {}
        if reply.status == HTTPStatus.OK:
            return self._extract_value(fields)
        if reply.status >= 500:
            raise OSError(f"{reply.status} {text[:500]}")
        if str(fields.get("__type", "")).endswith("ResourceNotFoundException"):
            return ""
        raise _unavailable(f"secret `{self._id}`: {reply.status} {text[:500]}")

    def _extract_value(self, reply: dict[str, Any]) -> str:
        text = reply.get("SecretString")
        if not isinstance(text, str):
            raise _unavailable(f"secret `{self._id}` must be text, got bytes")
        fields = _parse_object(text)
        return text.strip() if fields is None else _read_field(fields, self._field, f"secret `{self._id}`")


def prefetch(sources: Iterable[SecretSource]) -> None:
    """Begin to fetch these secrets in parallel; a request that needs one waits for it."""
    for source in sources:
        threading.Thread(target=_fetch_ahead, args=(source,), daemon=True).start()


def _fetch_ahead(source: SecretSource) -> None:
    try:
        source.values()
    except UpstreamError as error:
        _log.warning("a secret could not be fetched ahead: %s", error.detail)


def _unavailable(detail: str) -> UpstreamError:
    return UpstreamError("a secret that this request needs is not available", detail=detail)


def _parse_object(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _read_field(fields: dict[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise _unavailable(f"{where} must have a text in its field `{name}`, has {', '.join(fields) or 'no fields'}")
    return value
