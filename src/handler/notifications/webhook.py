"""Sends notices to a URL, signed as the Standard Webhooks specification says (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from handler.aws.ssrf_guard import PrivateAddressError, post
from handler.core.errors import UpstreamError
from handler.core.ports import SecretSource
from handler.notifications.payload import Message
from handler.notifications.sender import SendError

_PREFIX = "whsec_"
_MIN_KEY, _MAX_KEY = 24, 64
"""Bytes of a key, by the specification."""


class Webhook(msgspec.Struct, frozen=True):
    """A URL that receives notices by POST."""

    url: str
    secret: SecretSource
    allow_private: bool = False
    name: str = "webhook"
    post: Callable[..., int] = post
    """Sends the request; tests give it certificates of their own."""

    def send(self, message: Message, seconds: float) -> None:
        """Post a notice; any status from 200 to 299 accepts it. Raise SendError."""
        try:
            keys = [parse_key(value) for value in self.secret.values()]
        except UpstreamError as error:
            raise SendError(error.detail or error.message) from error
        except ValueError as error:
            raise SendError(f"the secret of the webhook must be {error}") from error
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "image-handler",
            **signature_headers(message.notice.id, int(time.time()), message.body, keys),
        }
        host = urlsplit(self.url).hostname  # the rest of the URL may hold a secret, which must not get into a log
        try:
            status = self.post(self.url, message.body, headers, seconds=seconds, allow_private=self.allow_private)
        except PrivateAddressError as error:
            raise SendError(f"{error}: a private address needs WEBHOOK_ALLOW_PRIVATE=Yes") from error
        except OSError as error:
            raise SendError(f"{host} does not answer: {error!r}") from error
        if not 200 <= status < 300:
            redirect = ", and redirects are not followed" if 300 <= status < 400 else ""
            raise SendError(f"{host} answers with status {status}{redirect}")


def signature_headers(notice_id: str, timestamp: int, body: bytes, keys: list[bytes]) -> dict[str, str]:
    """Return the headers that identify and sign a message.

    While a secret is being changed there is a signature for the current and one for the previous key.
    """
    signed = f"{notice_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def parse_key(secret: str) -> bytes:
    """Return the key in a secret, as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`. Raise ValueError."""
    expected = f"base64 of {_MIN_KEY} to {_MAX_KEY} bytes, with or without {_PREFIX} before it"
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(expected) from None
    if not _MIN_KEY <= len(key) <= _MAX_KEY:
        raise ValueError(f"{expected}, got {len(key)} bytes")
    return key
