"""Where secrets come from: Secrets Manager, or a file where there is no AWS.

On a cold start a secret lies on the way to the first answer. One signed call through the standard library takes about
half of what awscrt takes and a tenth of boto3's, most of it TLS that obstore cannot lend.
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
from handler.errors import UpstreamError
from handler.ports import SecretSource

if TYPE_CHECKING:
    from handler.aws.client import Connection

KEPT_SECONDS = 300.0
REFRESH_SECONDS = 10.0
# A source that never answered is asked again this soon; whoever waits in between gets the same refusal.
FAILURE_SECONDS = 1.0
_CALL_SECONDS = 2.0
_log = logging.getLogger(__name__)


class KeptSecret(ABC):
    """`handler.ports.SecretSource`: keeps what `_fetch` brings, one thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._values: tuple[str, ...] = ()
        self._has_previous = False
        self._failure: UpstreamError | None = None
        self._fetched = self._asked = self._missed = float("-inf")

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        """The current value, then the previous one. UpstreamError when there never was one."""
        kept = self._values
        if kept and not refresh and self._clock() - self._fetched < KEPT_SECONDS:
            return kept  # while another thread, whose signature did not fit, may wait for an answer
        with self._lock:
            now = self._clock()
            if not self._values and self._failure and now - self._asked < FAILURE_SECONDS:
                raise self._failure
            stale = refresh or now - self._fetched >= KEPT_SECONDS
            if not self._values or (stale and now - self._asked >= REFRESH_SECONDS):
                self._renew(now)
            elif refresh and not self._has_previous and now - self._missed >= FAILURE_SECONDS:
                self._complete()
            return self._values

    def _renew(self, now: float) -> None:
        # A cold start waits for the value that almost everything is signed with, and asks for no other.
        self._asked, previous = now, bool(self._values)
        try:
            self._values = self._fetch(previous=previous)
        except UpstreamError as error:
            # Counted from here: a call that hangs lasts longer than the patience for the next.
            self._failure = error
            self._asked = self._missed = self._clock()
            if not self._values:
                raise
            _log.warning("the last good secret is kept: %s", error.detail)
        else:
            self._fetched, self._failure, self._has_previous = now, None, previous

    def _complete(self) -> None:
        """Ask for what the first fetch left out; the current value is not fetched again."""
        try:
            self._values = tuple(dict.fromkeys((*self._values, *self._previous())))
        except UpstreamError as error:
            self._missed = self._clock()
            _log.warning("the previous secret cannot be had: %s", error.detail)
        else:
            self._has_previous = True

    @abstractmethod
    def _fetch(self, *, previous: bool) -> tuple[str, ...]:
        """The current value and, if it is asked for and there is one, the previous. Raises UpstreamError."""

    def _previous(self) -> tuple[str, ...]:
        """The previous value, where `_fetch` may leave it out. Raises UpstreamError."""
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

    def _fetch(self, *, previous: bool) -> tuple[str, ...]:  # noqa: ARG002 - a file is read whole
        try:
            text = self._path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _unavailable(f"{self._path}: {error}") from error
        fields = _json_object(text)
        said = text.splitlines() if fields is None else [_field(fields, self._field, str(self._path))]
        values = tuple(line.strip() for line in said if line.strip())
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
        current, *others = self._asked_for("AWSCURRENT", "AWSPREVIOUS") if previous else self._asked_for("AWSCURRENT")
        if not current:
            raise _unavailable(f"secret `{self._id}` does not exist, or has no value")
        return tuple(dict.fromkeys(filter(None, (current, *others))))

    def _previous(self) -> tuple[str, ...]:
        return tuple(filter(None, self._asked_for("AWSPREVIOUS")))

    def _asked_for(self, *stages: str) -> list[str]:
        """The values at these stages, asked once more where the connection fails. Raises UpstreamError."""
        try:
            try:
                return self._stages(stages)
            except TimeoutError:
                raise
            except OSError:
                return self._stages(stages)
        except OSError as error:
            raise _unavailable(f"secret `{self._id}`: {error!r}") from error

    def _stages(self, stages: Iterable[str]) -> list[str]:
        # 17 ms that a process whose secrets are in files does not pay.
        from handler.aws.client import Connection  # noqa: PLC0415 - see above

        with Connection(self._url, _CALL_SECONDS) as connection:
            return [self._stage(connection, stage) for stage in stages]

    @property
    def _url(self) -> str:
        return self._aws.secrets or endpoint_of("secretsmanager", self._region)

    def _stage(self, connection: Connection, stage: str) -> str:
        """The secret at one stage, empty if there is none."""
        from handler.aws.signing import AwsRequest  # noqa: PLC0415 - see _stages

        body = json.dumps({"SecretId": self._id, "VersionStage": stage}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
        reply = connection.call(AwsRequest("secretsmanager", self._region, self._url, body, headers), self._aws)
        text = reply.body.decode("utf-8", "replace")
        said = _json_object(text) or {}
        if reply.status == HTTPStatus.OK:
            return self._value(said)
        if reply.status >= 500:
            raise OSError(f"{reply.status} {text[:500]}")
        if str(said.get("__type", "")).endswith("ResourceNotFoundException"):
            return ""
        raise _unavailable(f"secret `{self._id}`: {reply.status} {text[:500]}")

    def _value(self, said: dict[str, Any]) -> str:
        text = said.get("SecretString")
        if not isinstance(text, str):
            raise _unavailable(f"secret `{self._id}` must be text, got bytes")
        fields = _json_object(text)
        return text.strip() if fields is None else _field(fields, self._field, f"secret `{self._id}`")


def prefetch(sources: Iterable[SecretSource]) -> None:
    """Begin to fetch these secrets side by side; whoever asks for one before it is there waits for it."""
    for source in sources:
        threading.Thread(target=_warm, args=(source,), daemon=True).start()


def _warm(source: SecretSource) -> None:
    try:
        source.values()
    except UpstreamError as error:
        _log.warning("a secret could not be fetched ahead: %s", error.detail)


def _unavailable(detail: str) -> UpstreamError:
    return UpstreamError("a secret that this request needs cannot be had", detail=detail)


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _field(fields: dict[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise _unavailable(f"{where} must have a text in its field `{name}`, has {', '.join(fields) or 'no fields'}")
    return value
